using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Host.Proposals;
using TdxVerify.Model;
using TdxVerify.Properties.Explain;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary><c>proposals programs NAME [PROGRAM]</c>: the host programs of a proposal, as lists of states or as diagrams.</summary>
internal static class ProposalsProgramsCommand
{
    private const string Text = "text";
    private const string Mermaid = "mermaid";
    private const string Dot = "dot";

    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("NAME") { Description = "the proposal, such as upstream-6.19" };
        var program = new Argument<string?>("PROGRAM")
        {
            Description = "one of its programs, such as tdx_sept_remove_private_spte; without it, which programs each path of the host consists of",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var format = new Option<string>("--format") { HelpName = "FORMAT", Description = $"{Text}, {Mermaid} or {Dot}", DefaultValueFactory = _ => Text };
        var command = new CliCommand("programs", "the host programs of a proposal: states, actions and what follows from each result")
        {
            Examples =
            [
                ("upstream-6.19", "which programs it consists of"),
                ("upstream-6.19 tdx_sept_remove_private_spte", "one of them, state by state"),
                ("kick-first vcpu_enter_guest --format dot | dot -Tsvg > enter.svg", "drawn by Graphviz"),
            ],
        };
        command.Add(name);
        command.Add(program);
        command.Add(format);
        command.SetAction(parsed => Run(
            terminal,
            ProposalsCommand.FindProposal("programs", parsed.GetRequiredValue(name)),
            parsed.GetValue(program),
            CommonOptions.ParseFormat(parsed.GetRequiredValue(format), Text, Mermaid, Dot)));
        return command;
    }

    private static int Run(Terminal terminal, Proposal proposal, string? name, string format)
    {
        if (name is null && format != Text)
            throw new InputException($"--format {format} draws one program; name it, for example: proposals programs {proposal.Name} vcpu_enter_guest --format {format}");
        if (name is null)
            WritePaths(terminal, proposal);
        else
            WritePrograms(terminal, Find(proposal, name), format);
        return ExitStatus.Held;
    }

    private static List<HostProgram> Find(Proposal proposal, string name)
    {
        List<HostProgram> all = [.. proposal.Host.All.SelectMany(path => path.Program.WithCalled()).Distinct()];
        List<HostProgram> found = all.FindAll(program => program.Name == name);
        string[] names = [.. all.Select(program => program.Name).Distinct()];
        return found.Count > 0
            ? found
            : throw new InputException(ClosestName.Find(name, names) is { } near
                ? $"{proposal.Name} has no program '{name}', did you mean '{near}'?"
                : $"{proposal.Name} has no program '{name}'; `proposals programs {proposal.Name}` lists them");
    }

    private static void WritePaths(Terminal terminal, Proposal proposal)
    {
        terminal.Out.WriteLine($"{terminal.Bold(proposal.Name)}  what each path of the host consists of");
        terminal.Out.WriteLine();
        Paragraph.WriteRows(terminal, "  ", [.. proposal.Host.All.Select(each => (each.Path.ToString(), Names(each.Program)))]);
    }

    private static string Names(HostProgram top) =>
        string.Join(", ", top.WithCalled().Select(program => program.Name).Distinct().Select(Paragraph.Unbroken));

    private static void WritePrograms(Terminal terminal, IEnumerable<HostProgram> programs, string format)
    {
        foreach (HostProgram program in programs)
        {
            if (format == Mermaid)
                terminal.Out.Write(MermaidWriter.Write(ProgramGraph.Of(program)));
            else if (format == Dot)
                terminal.Out.Write(DotWriter.Write(ProgramGraph.Of(program)));
            else
                ProgramText.Write(terminal, program);
        }
    }
}
