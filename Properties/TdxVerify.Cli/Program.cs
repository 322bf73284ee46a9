using TdxVerify.Cli;

return CommandLine.Run(args, Terminal.OfProcess());
