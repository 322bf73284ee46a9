using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Properties.Targets;
using TdxVerify.Properties.Traces;

namespace TdxVerify.Cli.Commands;

/// <summary><c>trace check FILE...</c>: are the recorded answers those of the model, the reference, or a library?</summary>
internal static class TraceCheckCommand
{
    public static Command Create(Terminal terminal)
    {
        var files = new Argument<string[]>("FILE")
        {
            Arity = ArgumentArity.OneOrMore,
            Description = "a recorded trace, plain or gzip; - is standard input",
        };
        Option<string> target = CommonOptions.Target(PortTarget.Model);
        Option<string> profile = CommonOptions.Profile("the module version to judge by; without it, the one that each trace names, or else 1.5.01");
        Option<bool> json = CommonOptions.Json();

        var command = new CliCommand("check", "replays recorded traces on the model and compares every answer, register by register")
        {
            Details = "A rejected trace is explained: the first wrong line, the call, recorded and actual registers, the step of the specification that "
                + "decides, and the state around it. Every file is judged, whatever became of those before it. Exit status: 0 all accepted; 1 some rejected; "
                + "2 some could not be judged (unreadable, or out of scope: overlapping calls, a leaf that is not modelled), even if others were rejected.",
            Examples =
            [
                ("Properties/Recordings/zero-step.jsonl.gz", "one trace"),
                ("traces/*.jsonl.gz --target reference", "many, against the reference implementation"),
                ("failure.jsonl --target native:./module.so", "against a library with the interface of Hardware/native/tdxverify_port.h"),
            ],
        };
        command.Add(files);
        command.Add(target);
        command.Add(profile);
        command.Add(json);
        command.SetAction(parsed => Run(
            terminal, parsed.GetRequiredValue(files), PortTarget.Parse(parsed.GetRequiredValue(target)),
            CommonOptions.ParseProfile(parsed.GetValue(profile)), parsed.GetValue(json)));
        return command;
    }

    private static int Run(Terminal terminal, string[] files, PortTarget target, ModuleProfile? profile, bool asJson)
    {
        if (files.Count(file => file == "-") > 1)
            throw new InputException("trace check can read standard input only once");

        List<TraceVerdict> verdicts = [];
        var text = new TraceCheckText(terminal, target, isAlone: files.Length == 1);
        using var judge = new TraceJudge(target, profile);
        foreach (string file in files)
        {
            TraceVerdict verdict = judge.Judge(TraceCommand.Input(terminal, file));
            verdicts.Add(verdict);
            if (!asJson)
                text.Write(verdict);
        }

        if (asJson)
            TraceCheckJson.Write(terminal, verdicts);
        else
            text.WriteSummary(verdicts);
        return Conclude(terminal, verdicts);
    }

    private static int Conclude(Terminal terminal, List<TraceVerdict> verdicts)
    {
        List<TraceVerdict> unjudged = [.. verdicts.Where(verdict => verdict.Outcome is TraceOutcome.Unreadable or TraceOutcome.OutOfScope)];
        if (unjudged.Count == 0)
            return verdicts.Any(verdict => verdict.Outcome == TraceOutcome.Rejected) ? ExitStatus.Broken : ExitStatus.Held;
        terminal.Out.Flush();
        throw new InputException(verdicts.Count == 1
            ? Describe(unjudged[0])
            : $"{unjudged.Count} of {verdicts.Count} files could not be judged, the first is {Describe(unjudged[0])}");
    }

    private static string Describe(TraceVerdict verdict)
    {
        TraceFinding finding = verdict.Finding!;
        string file = verdict.File.Length == 0 ? "''" : verdict.File;
        string where = finding.Line is { } line ? $"{file}:{line}" : file;
        return $"{where}: {(verdict.Outcome == TraceOutcome.OutOfScope ? "out of scope: " : "")}{finding.Reason}";
    }
}
