using System.CommandLine;
using TdxVerify.Host;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Explain;
using TdxVerify.Properties.Proposals.Manifest;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary><c>proposals list</c>: who proposed what, and the configurations that proposals are run on.</summary>
internal static class ProposalsListCommand
{
    private const string Text = "text";
    private const string Markdown = "markdown";

    public static Command Create(Terminal terminal)
    {
        var format = new Option<string>("--format") { HelpName = "FORMAT", Description = $"{Text}, or {Markdown}: the tables of Properties/README.md, with the pinned verdicts", DefaultValueFactory = _ => Text };
        var command = new CliCommand("list", "the proposals with their claims, and the configurations with all their agents")
        {
            Examples = [("", "who proposed what, and what it is run on"), ("--format markdown", "the tables of Properties/README.md")],
        };
        command.Add(format);
        command.SetAction(parsed => Run(terminal, parsed.GetRequiredValue(format)));
        return command;
    }

    private static int Run(Terminal terminal, string format)
    {
        if (CommonOptions.ParseFormat(format, Text, Markdown) == Text)
            Write(terminal);
        else
            WriteMarkdown(terminal);
        return ExitStatus.Held;
    }

    private static void WriteMarkdown(Terminal terminal)
    {
        IEnumerable<string>[] tables = [ProposalDocument.Claims(), ProposalDocument.Verdicts(), ProposalDocument.Refutations(), ProposalDocument.Field()];
        foreach (IEnumerable<string> table in tables)
        {
            foreach (string line in table)
                terminal.Out.WriteLine(line);
            terminal.Out.WriteLine();
        }
    }

    private static void Write(Terminal terminal)
    {
        foreach (Proposal proposal in ProposalTable.All)
        {
            terminal.Out.WriteLine($"{terminal.Bold(proposal.Name)}  {terminal.Faint($"{proposal.Author}, {proposal.Date}")}");
            (string, string)[] rows = [("claim", proposal.Claim), ("objection", proposal.Objection)];
            Paragraph.WriteRows(terminal, "  ", [.. rows.Where(row => row.Item2.Length > 0)]);
        }

        terminal.Out.WriteLine();
        terminal.Out.WriteLine("Configurations");
        terminal.Out.WriteLine();
        foreach (StandardConfiguration configuration in StandardConfigurations.All)
        {
            TdLayout td = configuration.Td;
            terminal.Out.WriteLine($"{terminal.Bold(configuration.Name)}  {terminal.Faint($"{Counted.Of(td.Vcpus, "vCPU")}, {Counted.Of(td.Gpas.Length, "GPA")}{(configuration.IsExplored ? "" : ", sampled")}")}");
            (string, string)[] rows =
            [
                ("what", configuration.What),
                ("agents", string.Join("; ", configuration.Roles.Select(Agent))),
                ("guests", string.Join("; ", configuration.Guests.Select((guest, vcpu) => $"vCPU {vcpu} {guest.Name}"))),
                ("instead", string.Join("; ", configuration.BenignGuests.Select((guest, vcpu) => $"vCPU {vcpu} {guest.Name}, if it means well"))),
                ("interrupts", configuration.Interrupts == InterruptMode.Absent ? "" : configuration.Interrupts.ToString().ToLowerInvariant()),
            ];
            Paragraph.WriteRows(terminal, "  ", [.. rows.Where(row => row.Item2.Length > 0)]);
        }
    }

    private static string Agent(HostRole role)
    {
        string gpas = role.Gpas.IsEmpty ? "" : $" on {string.Join(", ", role.Gpas.Select(gpa => $"gpa{gpa}"))}";
        return $"{role.Name}: {role.Path}{gpas}{(role.Repeat == HostAgent.Endless ? ", again and again" : role.Repeat == 1 ? "" : $", {role.Repeat} times")}";
    }
}
