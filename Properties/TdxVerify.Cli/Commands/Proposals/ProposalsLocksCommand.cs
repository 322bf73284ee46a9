using System.CommandLine;
using System.Diagnostics;
using TdxVerify.Abi;
using TdxVerify.Host.Field;
using TdxVerify.Host.Kvm;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Explain;
using TdxVerify.Properties.LockMaps;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary><c>proposals locks NAME</c>: which BUSY the kernel's locks exclude.</summary>
internal static class ProposalsLocksCommand
{
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("NAME") { Description = "a proposal: upstream-6.16, upstream-6.19, or another" };
        var format = new Option<string>("--format") { HelpName = "FORMAT", Description = "table, markdown or json", DefaultValueFactory = _ => "table" };
        var findings = new Option<bool>("--findings") { Description = "for a baseline: what its map shows that no list names, explored in small systems, each as lanes" };
        Option<bool> json = CommonOptions.Json();
        var command = new CliCommand("locks", "which BUSY the kernel's locks exclude, which they do not, and what the host does then")
        {
            Details = "For each SEAMCALL of a host, the kernel locks that are held there on every way through its programs; then, for each pair of calls of which "
                + "one makes the other return OPERAND_BUSY (explore --contention), what in the kernel keeps the two apart. Where nothing does, the host's program "
                + "is followed from the BUSY on.",
            Examples =
            [
                (Upstream.V6_19.Name, "KVM of Linux 6.19"),
                ($"{Upstream.V6_16.Name} --format markdown", "for a mail"),
                ($"{Upstream.V6_19.Name} --findings", "what can go wrong, step by step"),
            ],
        };
        command.Add(name);
        command.Add(format);
        command.Add(findings);
        command.Add(json);
        command.SetAction(parsed => parsed.GetValue(findings)
            ? ShowFindings(terminal, Find(parsed.GetRequiredValue(name)))
            : Run(terminal, parsed.GetRequiredValue(name), parsed.GetValue(json) ? "json" : parsed.GetRequiredValue(format)));
        return command;
    }

    private static int Run(Terminal terminal, string name, string format)
    {
        Proposal proposal = Find(name);
        var time = Stopwatch.StartNew();
        switch (format)
        {
            case "json":
                LocksJson.Write(terminal, proposal, Map(proposal));
                break;
            case "markdown":
                LocksMarkdown.Write(terminal.Out, proposal, Map(proposal));
                break;
            case "table":
                new LocksText(terminal).Write(proposal, Map(proposal), time);
                break;
            default:
                throw new InputException($"--format: there is no format '{format}' here; it is table, markdown or json");
        }

        return ExitStatus.Held;
    }

    private static int ShowFindings(Terminal terminal, Proposal proposal)
    {
        LockFinding[] findings = [.. LockFindings.All.Where(finding => finding.IsBad && proposal == BaselineOf(finding.Release))];
        if (findings.Length == 0)
            throw new InputException($"--findings: they are about the baselines, {Upstream.V6_16.Name} and {Upstream.V6_19.Name}, not about {proposal.Name}");
        foreach (LockFinding finding in findings)
            LockFindingText.Write(terminal, finding);
        return ExitStatus.Broken;
    }

    private static Proposal BaselineOf(KvmRelease release) => release == KvmRelease.V6_16 ? Upstream.V6_16 : Upstream.V6_19;

    private static LockMap Map(Proposal proposal) => LockMap.Of(proposal.Host, proposal.Profile, Environment.ProcessorCount);

    private static Proposal Find(string name)
    {
        if (ProposalTable.Find(name) is { } found)
            return found;
        string[] names = [.. ProposalTable.All.Select(proposal => proposal.Name)];
        throw new InputException(ClosestName.Find(name, names) is { } near
            ? $"there is no proposal '{name}', did you mean '{near}'?"
            : $"there is no proposal '{name}'; there are {string.Join(", ", names)}");
    }
}
