using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Contention;

/// <summary>A pair whose outcomes are not the recorded ones.</summary>
/// <param name="Pair">The pair.</param>
/// <param name="Missing">Recorded, and not found in the model.</param>
/// <param name="Extra">Found in the model, and not recorded.</param>
public sealed record PairDifference(RecordedPair Pair, IReadOnlyList<string> Missing, IReadOnlyList<string> Extra);

/// <summary>What counts as one visible step (contention.md, "Visible steps").</summary>
public enum Granularity
{
    /// <summary>STD: an attempt at a lock as a whole.</summary>
    Standard,

    /// <summary>ALL: each atomic instruction of it.</summary>
    All,
}

/// <summary>Explores every recorded pair on the model and compares the sets of outcomes.</summary>
public static class ContentionComparison
{
    /// <summary>Compares all pairs that a filter lets through.</summary>
    /// <param name="recordings">The recordings.</param>
    /// <param name="profile">The module profile of the model.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="granularity">What counts as one visible step.</param>
    /// <param name="done">Called after each pair.</param>
    public static ContentionResult Run(
        ContentionRecordings recordings, ModuleProfile profile, int workers, Granularity granularity = Granularity.Standard, Action? done = null) =>
        Run(recordings, LeafSet<BranchingState>.Of(profile), workers, granularity, done);

    /// <summary>The same with other leaves, for example with one step changed.</summary>
    public static ContentionResult Run(
        ContentionRecordings recordings, LeafSet<BranchingState> leaves, int workers, Granularity granularity = Granularity.Standard, Action? done = null)
    {
        var differences = new PairDifference?[recordings.Pairs.Count];
        long states = 0;
        int next = -1;
        Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, _ =>
        {
            using var explorers = new SetupExplorers(recordings, leaves, splitsLocks: granularity == Granularity.All);
            while (Interlocked.Increment(ref next) is var i && i < recordings.Pairs.Count)
            {
                RecordedPair pair = recordings.Pairs[i];
                PairResult result = explorers.Of(pair.Scenario).Explore(
                    recordings.Instances[(pair.Scenario, pair.A)], pair.LpA, recordings.Instances[(pair.Scenario, pair.B)], pair.LpB);
                Interlocked.Add(ref states, result.States);
                IReadOnlySet<string> recorded = granularity == Granularity.All ? pair.Outcomes.Union(pair.OnlyWithSplitLocks).ToHashSet() : pair.Outcomes;
                if (!result.Outcomes.SetEquals(recorded))
                    differences[i] = new PairDifference(pair, [.. recorded.Except(result.Outcomes)], [.. result.Outcomes.Except(recorded)]);
                done?.Invoke();
            }
        });
        return new ContentionResult(recordings.Pairs.Count, states, [.. differences.OfType<PairDifference>()]);
    }
}

/// <summary>What a comparison found.</summary>
/// <param name="Pairs">Pairs compared.</param>
/// <param name="States">States explored.</param>
/// <param name="Differences">Pairs that differ.</param>
public sealed record ContentionResult(int Pairs, long States, IReadOnlyList<PairDifference> Differences);
