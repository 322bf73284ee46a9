using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Lanes;
using TdxVerify.Properties.Proposals;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary><c>proposals show NAME</c>: what a proposal claims, and for each cell that is refuted a run, in words and as lanes.</summary>
internal static class ProposalsShowCommand
{
    private const string Text = "text";
    private const string Mermaid = "mermaid";
    private const string Svg = "svg";

    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("NAME") { Description = "the proposal, such as kick-on-busy" };
        Option<string[]> configurations = ProposalsCommand.ConfigurationOption();
        Option<int> workers = ProposalsCommand.WorkersOption();
        var format = new Option<string>("--format") { HelpName = "FORMAT", Description = $"{Text}, {Mermaid} or {Svg}: the runs alone", DefaultValueFactory = _ => Text };
        var command = new CliCommand("show", "a proposal's claim and objection, and a run for each cell that is refuted, with its cause")
        {
            Examples =
            [
                ("frozen-local-retry", "why it is refuted"),
                ("upstream-6.19 --configuration huge-page-split-with-interrupts", "on one configuration"),
                ("retry-16 --format svg > retry-16.svg", "the runs as a picture"),
            ],
        };
        command.Add(name);
        command.Add(configurations);
        command.Add(workers);
        command.Add(format);
        command.SetAction(parsed => Run(
            terminal,
            new ProposalOptions
            {
                Proposals = [ProposalsCommand.FindProposal("show", parsed.GetRequiredValue(name))],
                Configurations = ProposalsCommand.FindConfigurations(parsed.GetValue(configurations)),
                Workers = ProposalsCommand.ParseWorkers(parsed.GetValue(workers)),
            },
            CommonOptions.ParseFormat(parsed.GetRequiredValue(format), Text, Mermaid, Svg)));
        return command;
    }

    private static int Run(Terminal terminal, ProposalOptions options, string format)
    {
        var run = new ProposalRun(options with { FindsCauses = format == Text });
        var table = new ProposalsTable(terminal);
        ProposalReport report = (format == Text ? table.RunLive(run) : run.Run())[0];
        if (format == Text)
            Write(terminal, table, report);
        else
            WriteRuns(terminal, report, format);
        return report.Verdict == ProposalVerdict.Unsafe ? ExitStatus.Broken : ExitStatus.Held;
    }

    private static void Write(Terminal terminal, ProposalsTable table, ProposalReport report)
    {
        Proposal proposal = report.Proposal;
        terminal.Out.WriteLine($"{terminal.Bold(proposal.Name)}  {report.Verdict.ToString().ToLowerInvariant()}");
        terminal.Out.WriteLine();
        (string, string)[] rows = [("author", $"{proposal.Author}, {proposal.Date}"), ("subject", proposal.Subject), ("claim", proposal.Claim), ("objection", proposal.Objection)];
        Paragraph.WriteRows(terminal, "  ", [.. rows.Where(row => row.Item2.Length > 0)]);
        terminal.Out.WriteLine();
        table.WriteRows([report]);
        foreach (Refutation refutation in report.Refutations)
            RefutationText.WriteRun(terminal, refutation, $"not {refutation.Property.Title()}");
    }

    private static void WriteRuns(Terminal terminal, ProposalReport report, string format)
    {
        LaneDiagram[] lanes = [.. report.Refutations.Select(refutation => refutation.Finding.Run.Lanes with
        {
            Title = $"{report.Proposal.Name} is not {refutation.Property.Title()}: {refutation.In.Configuration.Name}",
        })];
        if (lanes.Length == 0)
            throw new InputException($"--format {format}: there is nothing to draw, since no cell of {report.Proposal.Name} is refuted");
        if (format == Svg)
        {
            terminal.Out.Write(LaneSvg.Write(lanes));
            return;
        }

        foreach (LaneDiagram diagram in lanes)
        {
            terminal.Out.WriteLine($"%% {diagram.Title}");
            terminal.Out.WriteLine(LaneMermaid.Write(diagram));
        }
    }
}
