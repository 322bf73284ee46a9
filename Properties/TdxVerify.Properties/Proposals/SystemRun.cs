using System.Diagnostics;
using TdxVerify.Host;
using TdxVerify.Model;
using TdxVerify.Properties.Exploration;
using TdxVerify.Properties.Exploration.Liveness;
using TdxVerify.Properties.Exploration.Reports;
using Thread = TdxVerify.Host.Thread;

namespace TdxVerify.Properties.Proposals;

/// <summary>
/// Looks at a system as far as it can be: all states; else all up to renaming and order; else what is found on the way and
/// by random schedules.
/// </summary>
/// <remarks>One worker: several systems are looked at at the same time instead.</remarks>
internal static class SystemRun
{
    /// <summary>Looks at a system.</summary>
    /// <param name="configuration">The system.</param>
    /// <param name="limits">How far.</param>
    /// <param name="isLarge">It is known that not all states can be looked at without reductions: no attempt is made.</param>
    /// <param name="cancel">Ends it early.</param>
    public static SystemResult Of(Configuration configuration, SystemLimits limits, bool isLarge = false, CancellationToken cancel = default)
    {
        var watch = Stopwatch.StartNew();
        var machine = new HostMachine(configuration);
        var options = new SearchOptions { Workers = 1, GoesOn = true, EndsRuns = true, StateLimit = limits.States };
        SystemResult? all = isLarge ? null : Search(machine, options, cancel);
        if (all is { Coverage: Coverage.Complete })
            return all with { Seconds = watch.Elapsed.TotalSeconds };
        SystemResult reduced = Search(machine, options with { PartialOrder = true, Symmetry = true, StateLimit = isLarge ? limits.LargeStates : limits.ReducedStates }, cancel);
        SystemResult best = all is null ? reduced : Joined(all, reduced);
        if (best.Coverage == Coverage.Partial && !cancel.IsCancellationRequested)
            best = Sampled(machine, best, limits, cancel);
        return best with { Seconds = watch.Elapsed.TotalSeconds };
    }

    // What the search without reductions found is shorter.
    private static SystemResult Joined(SystemResult all, SystemResult reduced) => reduced with
    {
        States = Math.Max(all.States, reduced.States),
        Findings = [.. all.Findings, .. reduced.Findings.Where(finding => all.Findings.All(known => known.Property != finding.Property))],
    };

    private static SystemResult Sampled(HostMachine machine, SystemResult known, SystemLimits limits, CancellationToken cancel)
    {
        var sampler = new PctSampler<Thread>(machine, limits.Schedules, limits.StepsOfSchedule);
        sampler.Run(cancel);
        var lanes = new HostLanes(machine);
        IEnumerable<ProposalFinding> found = sampler.Violations.Select(
            violation => Broken(lanes.Draw(machine.Events[violation.Event].Name, violation.Steps), isShortest: false));
        return known with
        {
            Coverage = Coverage.Sampled,
            Findings = OncePerProperty(known.Findings.Concat(found)),
            Sample = new SampleReport(sampler.Schedules, sampler.Steps),
        };
    }

    private static SystemResult Search(HostMachine machine, SearchOptions options, CancellationToken cancel)
    {
        using var search = new Search<Thread>(machine, options, new HostSymmetry(machine));
        search.Run(cancel);
        var lanes = new HostLanes(machine);
        bool isReduced = options.PartialOrder || options.Symmetry;
        IEnumerable<ProposalFinding> findings = Explorer.Violations(search, lanes).Select(run => Broken(run, isShortest: !isReduced));
        Bounds bounds = Bounds.Unknown;
        if (search.IsComplete && !isReduced)
        {
            StateGraph graph = StateGraph.Of(search);
            findings = findings.Concat(LivenessCheck.Of(machine, graph)
                .SelectMany(finding => Unfair(finding, Explorer.Report(search, graph, machine, lanes, finding))));
            bounds = new BoundsFinder(machine, graph).Find();
        }

        Coverage coverage = !search.IsComplete ? Coverage.Partial : isReduced ? Coverage.Reduced : Coverage.Complete;
        return new SystemResult(
            coverage, search.Progress.States, 0, OncePerProperty(findings), bounds, null, machine.Events.Any(happened => happened.Kind == EventKind.Progress));
    }

    private static ProposalFinding Broken(Counterexample run, bool isShortest) => new(PropertyOf(run.Property), OnlyWeakly: false, isShortest, run);

    // Where nobody gets on, no single agent does.
    private static IEnumerable<ProposalFinding> Unfair(LivenessFinding finding, LivenessReport report)
    {
        bool weakly = !report.UnderStrongFairness;
        if (report.IsLivelock)
            yield return new ProposalFinding(ProposalProperty.LivelockFree, weakly, IsShortest: false, report.Run);
        if (finding.Fault != LivenessFault.Livelock)
            yield return new ProposalFinding(ProposalProperty.StarvationFree, weakly, IsShortest: false, report.Run);
    }

    private static ProposalProperty PropertyOf(string law) => law switch
    {
        HostEvents.HostBug => ProposalProperty.BugFree,
        HostEvents.MirrorDisagrees => ProposalProperty.MirrorAgrees,
        HostEvents.PageExposed or HostEvents.ModuleHalt or HostEvents.LockLeaks => ProposalProperty.TlbSafe,
        HostEvents.NotModelled => throw new ProgramException("a call does what the model does not have; the configuration cannot be judged."),
        _ => ProposalProperty.LivelockFree,
    };

    private static IReadOnlyList<ProposalFinding> OncePerProperty(IEnumerable<ProposalFinding> findings) =>
        [.. findings.GroupBy(finding => (finding.Property, finding.OnlyWeakly)).Select(group => group.MinBy(finding => finding.Run.Steps)!)];
}
