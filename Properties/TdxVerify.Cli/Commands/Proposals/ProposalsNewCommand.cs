using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Properties.UserProposals;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary><c>proposals new NAME</c>: a proposal to begin with, in one file.</summary>
internal static class ProposalsNewCommand
{
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("NAME") { Description = "what the proposal is called, such as kick-later" };
        var output = new Option<string?>("--output") { HelpName = "FILE", Description = "where it is written; without it, NAME.cs in the current folder" };
        var force = new Option<bool>("--force") { Description = "overwrite a file that exists" };
        var command = new CliCommand("new", "a proposal of your own to begin with: one C# file, explained for readers who do not know C#")
        {
            Details = "The file compiles and runs as it is: it holds the zap of Linux 6.19 with one change, which it names. Edit it, then: tdxverify proposals check FILE.",
            Examples = [("kick-later", "writes kick-later.cs"), ("kick-later --output ~/kick.cs --force", "to another file, whether it exists or not")],
        };
        command.Add(name);
        command.Add(output);
        command.Add(force);
        command.SetAction(parsed => Run(terminal, parsed.GetRequiredValue(name), parsed.GetValue(output), parsed.GetValue(force)));
        return command;
    }

    private static int Run(Terminal terminal, string name, string? output, bool force)
    {
        string file = output ?? $"{name}.cs";
        string text = ProposalTemplate.Of(name, file, DateOnly.FromDateTime(DateTime.Today));
        if (Directory.Exists(file))
            throw new InputException($"--output: {file} is a folder; name a file");
        try
        {
            using var stream = new FileStream(file, force ? FileMode.Create : FileMode.CreateNew, FileAccess.Write);
            using var writer = new StreamWriter(stream);
            writer.Write(text);
        }
        catch (IOException) when (!force && File.Exists(file))
        {
            throw new InputException($"{file} exists already; --force overwrites it, --output FILE writes another");
        }

        terminal.Out.WriteLine($"{file} is written: the zap of Linux 6.19 with one change. Edit it, then:");
        terminal.Out.WriteLine($"  {CommandLine.Name} proposals check {file}");
        return ExitStatus.Held;
    }
}
