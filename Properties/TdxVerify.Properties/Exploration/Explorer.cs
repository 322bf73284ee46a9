using TdxVerify.Host;
using TdxVerify.Model;
using TdxVerify.Properties.Exploration.Liveness;
using TdxVerify.Properties.Exploration.Reports;
using Thread = TdxVerify.Host.Thread;

namespace TdxVerify.Properties.Exploration;

/// <summary>Explores a configuration: all its states, every law in each of them, and whether every agent gets on.</summary>
public static class Explorer
{
    /// <summary>Explores.</summary>
    /// <param name="configuration">What.</param>
    /// <param name="options">How far and with what.</param>
    /// <param name="progress">Told every second how far the search is; null: nobody.</param>
    /// <param name="witnesses">The run up to the first occurrence of each case is kept too.</param>
    /// <param name="cancel">Ends the search early.</param>
    public static ExploreReport Run(
        Configuration configuration, SearchOptions options, Action<SearchProgress>? progress = null, bool witnesses = false, CancellationToken cancel = default)
    {
        var machine = new HostMachine(configuration);
        using var search = new Search<Thread>(machine, options, new HostSymmetry(machine));
        using (Timer? timer = progress is null ? null : new Timer(_ => progress(search.Progress), null, 1000, 1000))
            search.Run(cancel);
        var lanes = new HostLanes(machine);
        List<Counterexample> violations = [.. Violations(search, lanes)];
        string? notJudged = WhyLivenessIsNotJudged(search, options, violations);
        IReadOnlyList<LivenessReport> liveness = notJudged is null ? Liveness(search, machine, lanes) : [];
        return new ExploreReport(
            configuration.Name, configuration.Profile, Judge(search, violations, liveness), search.Progress, options.Workers, options.Symmetry, options.PartialOrder,
            violations, liveness, notJudged, WhyStopped(search, options, cancel), [.. Sometimes(search, lanes, witnesses)]);
    }

    private static string? WhyLivenessIsNotJudged(Search<Thread> search, SearchOptions options, List<Counterexample> violations)
    {
        SearchProgress size = search.Progress;
        int agents = search.System.System.Agents.Count;
        if (violations.Count > 0)
            return "a law is broken";
        if (!search.IsComplete)
            return "not everything was explored";
        if (options.Symmetry || options.PartialOrder)
            return "a reduction leaves out steps that a cycle may need; explore without --symmetry and --partial-order";
        if (StateGraph.IsTooLarge(size.States, size.Transitions, agents))
            return "the graph of its steps has more of them than can be numbered";
        return size.Bytes + StateGraph.BytesFor(size.States, size.Transitions, agents) > options.MemoryLimit
            ? $"the graph of its steps needs {StateGraph.BytesFor(size.States, size.Transitions, agents) / 1e9:0.0} GB more than the states themselves; give more with --memory"
            : null;
    }

    private static string? WhyStopped(Search<Thread> search, SearchOptions options, CancellationToken cancel)
    {
        if (search.IsComplete)
            return null;
        if (search.FoundViolation && !options.GoesOn)
            return "a law is broken; --keep-going explores the rest too";
        if (search.IsOutOfMemory)
            return $"states and table reached the limit of {options.MemoryLimit / 1e9:0.0} GB; --memory sets it";
        return cancel.IsCancellationRequested ? "interrupted" : $"all runs of up to {search.Depth} steps were explored, as --depth asked";
    }

    private static Verdict Judge(Search<Thread> search, List<Counterexample> violations, IReadOnlyList<LivenessReport> liveness)
    {
        if (violations.Count > 0)
            return Verdict.Violated;
        if (!search.IsComplete)
            return Verdict.Incomplete;
        if (liveness.Any(finding => finding.UnderStrongFairness && finding.IsLivelock))
            return Verdict.Livelock;
        return liveness.Any(finding => finding.UnderStrongFairness) ? Verdict.Starvation : Verdict.Held;
    }

    /// <summary>The laws that are broken, each with a run.</summary>
    internal static IEnumerable<Counterexample> Violations(Search<Thread> search, HostLanes lanes)
    {
        IReadOnlyList<SystemEvent> events = search.System.System.Events;
        for (int e = 0; e < events.Count; e++)
        {
            if (events[e].Kind == EventKind.Violation && search.First(e) is not null)
                yield return lanes.Draw(events[e].Name, Trail<Thread>.To(search, e));
        }

        if (search.Stuck is { } stuck)
            yield return lanes.Draw("somebody can always go on", Trail<Thread>.To(search, stuck));
    }

    private static IEnumerable<SometimesReport> Sometimes(Search<Thread> search, HostLanes lanes, bool witnesses)
    {
        IReadOnlyList<SystemEvent> events = search.System.System.Events;
        for (int e = 0; e < events.Count; e++)
        {
            if (events[e].Kind is EventKind.Violation or EventKind.Progress)
                continue;
            FirstEvent? first = search.First(e);
            Counterexample? witness = first is not null && witnesses ? lanes.Draw(events[e].Name, Trail<Thread>.To(search, e)) : null;
            yield return new SometimesReport(events[e].Name, first?.Depth, events[e].Kind == EventKind.Sometimes, witness);
        }
    }

    private static List<LivenessReport> Liveness(Search<Thread> search, HostMachine machine, HostLanes lanes)
    {
        StateGraph graph = StateGraph.Of(search);
        return [.. LivenessCheck.Of(machine, graph).Select(finding => Report(search, graph, machine, lanes, finding))];
    }

    /// <summary>A finding about who gets on, with its run.</summary>
    internal static LivenessReport Report(Search<Thread> search, StateGraph graph, HostMachine machine, HostLanes lanes, LivenessFinding finding)
    {
        string agent = finding.Agent < 0 ? "" : machine.Agents[finding.Agent];
        bool strong = finding.Fault == LivenessFault.Trapped || finding.Fairness == Fairness.Strong;
        string property = finding.Fault switch
        {
            LivenessFault.Livelock => "all agents go round for ever and none makes progress",
            LivenessFault.Starvation => $"{agent} goes round for ever without progress",
            _ => $"{agent} is trapped: whatever happens, it never makes progress again",
        };
        return new LivenessReport(property, strong, finding.Fault == LivenessFault.Livelock, Draw(search, graph, lanes, finding, property));
    }

    private static Counterexample Draw(Search<Thread> search, StateGraph graph, HostLanes lanes, LivenessFinding finding, string property)
    {
        StateId start = graph.Id(finding.State);
        if (finding.Lasso is not { } lasso)
            return lanes.Draw(property, Trail<Thread>.To(search, start));
        (IReadOnlyList<TrailStep<Thread>> steps, int loop) = Trail<Thread>.Through(search, start, graph.StepsOf(search, lasso));
        return lanes.Draw(property, steps, loop);
    }
}
