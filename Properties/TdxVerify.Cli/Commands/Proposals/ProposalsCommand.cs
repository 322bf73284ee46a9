using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Explain;
using TdxVerify.Properties.Proposals;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary><c>proposals</c>: what should the host do when a SEAMCALL is busy?</summary>
internal static class ProposalsCommand
{
    public static Command Create(Terminal terminal)
    {
        var only = new Option<string[]>("--only") { HelpName = "NAME", Description = "only this proposal; may be given several times", AllowMultipleArgumentsPerToken = true };
        Option<string[]> configurations = ConfigurationOption();
        Option<int> workers = WorkersOption();
        Option<long> large = LargeStatesOption();
        Option<bool> json = CommonOptions.Json();
        var command = new CliCommand("proposals", "what should the host do when a SEAMCALL is busy: every proposal, proven or refuted")
        {
            Details = "Runs every proposal made so far, and KVM as it is, on the standard configurations, through all interleavings. A cell is proven, refuted, or not decided; "
                + "it is never rounded up. Exit status: 0 nothing is refuted; 1 something is; 2 it could not run.",
            Examples =
            [
                ("", "all of them, as a table"),
                ("--only upstream-6.19 --json", "one of them, as JSON"),
                ("list", "who proposed what, and on what it is run"),
                ("show kick-on-busy", "what it claims, and a run for each cell that is refuted"),
                ("field", "the bugs of the field found again, and their fixes proven"),
                ("new kick-later", "writes kick-later.cs, a proposal of your own to begin with"),
                ("check kick-later.cs", "proves or refutes it, and compares it with Linux 6.19"),
            ],
        };
        command.Add(only);
        command.Add(configurations);
        command.Add(workers);
        command.Add(large);
        command.Add(json);
        command.Add(ProposalsShowCommand.Create(terminal));
        command.Add(ProposalsListCommand.Create(terminal));
        command.Add(ProposalsProgramsCommand.Create(terminal));
        command.Add(ProposalsFieldCommand.Create(terminal));
        command.Add(ProposalsManifestCommand.Create(terminal));
        command.Add(ProposalsLocksCommand.Create(terminal));
        command.Add(ProposalsNewCommand.Create(terminal));
        command.Add(ProposalsCheckCommand.Create(terminal));
        command.SetAction(parsed => Run(
            terminal,
            new ProposalOptions
            {
                Proposals = parsed.GetValue(only) is { Length: > 0 } names ? [.. names.Select(name => FindProposal("--only", name))] : ProposalTable.All,
                Configurations = FindConfigurations(parsed.GetValue(configurations)),
                Workers = ParseWorkers(parsed.GetValue(workers)),
                Limits = new SystemLimits { LargeStates = parsed.GetValue(large) },
            },
            parsed.GetValue(json)));
        return command;
    }

    public static Option<string[]> ConfigurationOption() => new("--configuration")
    {
        HelpName = "NAME", Description = "only on this configuration; may be given several times", AllowMultipleArgumentsPerToken = true,
    };

    public static Option<int> WorkersOption() => new("--workers")
    {
        HelpName = "NUMBER", Description = "how many systems are explored at the same time; without it, one for each processor", DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    public static Option<long> LargeStatesOption() => new("--large-states")
    {
        HelpName = "NUMBER", Description = "states after which a configuration that is too large for all its states is given up, and sampled", DefaultValueFactory = _ => new SystemLimits().LargeStates,
    };

    public static int ParseWorkers(int workers) =>
        workers > 0 ? workers : throw new InputException($"--workers: {workers} is too few; it is at least 1");

    public static Proposal FindProposal(string option, string name)
    {
        string[] known = [.. ProposalTable.All.Select(proposal => proposal.Name)];
        return ProposalTable.Find(name) ?? throw new InputException($"{option}: there is no proposal '{name}'{Hint(name, known)}; they are {string.Join(", ", known)}");
    }

    public static IReadOnlyList<StandardConfiguration> FindConfigurations(string[]? names)
    {
        if (names is not { Length: > 0 })
            return StandardConfigurations.All;
        string[] known = [.. StandardConfigurations.All.Select(configuration => configuration.Name)];
        return [.. names.Select(name => StandardConfigurations.Find(name)
            ?? throw new InputException($"--configuration: there is no '{name}'{Hint(name, known)}; they are {string.Join(", ", known)}"))];
    }

    private static string Hint(string name, string[] known) => ClosestName.Find(name, known) is { } near ? $", did you mean '{near}'?" : "";

    private static int Run(Terminal terminal, ProposalOptions options, bool asJson)
    {
        var run = new ProposalRun(options);
        var text = new ProposalsTable(terminal);
        IReadOnlyList<ProposalReport> reports = asJson ? run.Run() : text.RunLive(run);
        if (asJson)
            ProposalsJson.Write(terminal, reports, run.Elapsed);
        else
            text.Write(reports, run.Elapsed);
        return reports.Any(report => report.Verdict == ProposalVerdict.Unsafe) ? ExitStatus.Broken : ExitStatus.Held;
    }
}
