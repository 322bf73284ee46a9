using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Proposals;
using TdxVerify.Properties.UserProposals;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary><c>proposals check FILE</c>: a user's own proposal, proven or refuted, and compared with Linux 6.19.</summary>
internal static class ProposalsCheckCommand
{
    private const string NoLimit = "no limit";
    private const int MostRefusals = 20;

    public static Command Create(Terminal terminal)
    {
        var file = new Argument<string>("FILE") { Description = "a C# file that declares one proposal; proposals new NAME writes one to begin with" };
        Option<string[]> configurations = ProposalsCommand.ConfigurationOption();
        Option<int> workers = ProposalsCommand.WorkersOption();
        Option<long> large = ProposalsCommand.LargeStatesOption();
        Option<string> time = Durations.Option("--time", "how long it may take; what is not done then is not decided", NoLimit);
        Option<bool> json = CommonOptions.Json();
        var command = new CliCommand("check", "a proposal of your own, proven or refuted, and compared with Linux 6.19")
        {
            Details = "Compiles the file, refuses it with all reasons if its programs are not well formed, and explores it on the configurations of all proposals, small ones first. "
                + "What Linux 6.19 does there is not explored again: it is pinned, and the tests check it. With --json the document is that of proposals --json with one element, and "
                + "comparedWith: name, verdict, the six properties, bounds; cells that differ (configuration, property, there, here, steps; held, heldStrongly, undecided or refuted); "
                + "boundCells that differ (configuration, bound, there, here). Exit status: 0 safe; 1 unsafe; 2 not decided, or the file is refused.",
            Examples =
            [
                ("kick-later.cs", "on all configurations"),
                ("kick-later.cs --configuration fault-and-zap build-and-zap", "on two of them"),
                ("kick-later.cs --time 30s --json", "what is known after 30 seconds, as JSON"),
            ],
        };
        command.Add(file);
        command.Add(configurations);
        command.Add(workers);
        command.Add(large);
        command.Add(time);
        command.Add(json);
        command.SetAction(parsed => Run(
            terminal,
            parsed.GetRequiredValue(file),
            new ProposalOptions
            {
                Configurations = ProposalComparison.SmallFirst(ProposalsCommand.FindConfigurations(parsed.GetValue(configurations)).Distinct()),
                Workers = ProposalsCommand.ParseWorkers(parsed.GetValue(workers)),
                Limits = new SystemLimits { LargeStates = parsed.GetValue(large) },
            },
            parsed.GetRequiredValue(time) is var limit && limit == NoLimit ? Timeout.InfiniteTimeSpan : Durations.Parse("--time", limit),
            parsed.GetValue(json)));
        return command;
    }

    private static int Run(Terminal terminal, string file, ProposalOptions options, TimeSpan time, bool asJson)
    {
        Proposal proposal;
        try
        {
            proposal = UserProposal.Load(file);
        }
        catch (RefusedException refused) when (refused.Refusals.Count > 0)
        {
            return Refuse(terminal, file, refused.Refusals);
        }

        using var cancel = new CancellationTokenSource();
        if (time != Timeout.InfiniteTimeSpan)
            cancel.CancelAfter(time);
        var run = new ProposalRun(options with { Proposals = [proposal] }, cancel.Token);
        var text = new CheckText(terminal);
        ProposalReport report = Explore(file, () => (asJson ? run.Run() : text.RunLive(proposal, run))[0]);
        ProposalComparison comparison = ProposalComparison.WithUpstream(report);
        if (asJson)
            ProposalsJson.Write(terminal, [report], run.Elapsed, json => CheckJson.WriteComparison(json, comparison));
        else
            text.Write(report, comparison, run.Elapsed);
        return report.Verdict switch
        {
            ProposalVerdict.Safe => ExitStatus.Held,
            ProposalVerdict.Unsafe => ExitStatus.Broken,
            _ => ExitStatus.CouldNotRun,
        };
    }

    // What is only met while it runs, such as a lock that is dropped twice in some schedule.
    private static ProposalReport Explore(string file, Func<ProposalReport> explore)
    {
        try
        {
            return explore();
        }
        catch (Exception caught) when (UserProposal.FaultIn(file, caught) is { } fault)
        {
            throw new InputException($"{file}: it cannot be explored to the end: {fault}", caught);
        }
    }

    private static int Refuse(Terminal terminal, string file, IReadOnlyList<Refusal> refusals)
    {
        foreach (Refusal refusal in refusals.Take(MostRefusals))
        {
            terminal.Error.WriteLine(refusal.Message);
            if (refusal.Source.Trim().Length == 0)
                continue;
            string source = refusal.Source.TrimEnd();
            int indent = source.Length - source.TrimStart().Length;
            terminal.Error.WriteLine($"    {source[indent..].Replace('\t', ' ')}");
            if (refusal.Column > indent)
                terminal.Error.WriteLine($"    {new string(' ', refusal.Column - 1 - indent)}^");
        }

        if (refusals.Count > MostRefusals)
            terminal.Error.WriteLine($"... and {refusals.Count - MostRefusals} more");
        terminal.Error.WriteLine($"{CommandLine.Name}: {file} is refused for {(refusals.Count == 1 ? "one reason" : $"{refusals.Count} reasons")}; nothing was explored");
        return ExitStatus.CouldNotRun;
    }
}
