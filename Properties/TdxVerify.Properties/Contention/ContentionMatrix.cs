using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Contention;

/// <summary>Who can make whom return OPERAND_BUSY, with which operand: found by going through all interleavings of all pairs.</summary>
public sealed class ContentionMatrix
{
    private ContentionMatrix(ModuleProfile profile, IReadOnlyList<ContentionPair> pairs)
    {
        Profile = profile;
        Pairs = pairs;
    }

    /// <summary>The module version.</summary>
    public ModuleProfile Profile { get; }

    /// <summary>All pairs.</summary>
    public IReadOnlyList<ContentionPair> Pairs { get; }

    /// <summary>States explored.</summary>
    public long States => Pairs.Sum(pair => (long)pair.Result.States);

    /// <summary>How many pairs there are.</summary>
    public static int Count(ContentionRecordings recordings) => Planned(recordings, _ => true).Count();

    /// <summary>Explores all pairs.</summary>
    /// <param name="recordings">The set-ups and instances.</param>
    /// <param name="profile">The module version.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="witnesses">A shortest schedule for each OPERAND_BUSY and each anomaly too.</param>
    /// <param name="done">Called after each pair.</param>
    public static ContentionMatrix Compute(
        ContentionRecordings recordings, ModuleProfile profile, int workers, bool witnesses = false, Action? done = null) =>
        Compute(recordings, LeafSet<BranchingState>.Of(profile), workers, _ => true, witnesses, done);

    /// <summary>Explores the pairs that a filter lets through, with any leaves.</summary>
    public static ContentionMatrix Compute(
        ContentionRecordings recordings, LeafSet<BranchingState> leaves, int workers, Func<PlannedPair, bool> wanted, bool witnesses = false, Action? done = null)
    {
        PlannedPair[] pairs = [.. Planned(recordings, wanted)];
        var results = new ContentionPair[pairs.Length];
        int next = -1;
        Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, _ =>
        {
            using var explorers = new SetupExplorers(recordings, leaves);
            while (Interlocked.Increment(ref next) is var i && i < pairs.Length)
            {
                (string scenario, Instance a, int lpA, Instance b, int lpB) = pairs[i];
                results[i] = new ContentionPair(
                    scenario, a, lpA, b, lpB, PairRelation.Of(a, b, recordings.FirstTdrOf(scenario)), explorers.Of(scenario).Explore(a, lpA, b, lpB, witnesses));
                done?.Invoke();
            }
        });
        return new ContentionMatrix(leaves.Profile, results);
    }

    /// <summary>Leaf, operand and the leaves that make it BUSY.</summary>
    public IEnumerable<(string Leaf, string Operand, IReadOnlyCollection<string> Makers)> ByLeaf() => BusyTable.Of(Pairs.SelectMany(pair => pair.Busy));

    /// <summary>The names of the calls that are paired.</summary>
    /// <param name="recordings">The set-ups and instances.</param>
    /// <param name="scenario">The prepared platform; null: all.</param>
    public static IEnumerable<string> Names(ContentionRecordings recordings, string? scenario) => recordings.Setups.Keys
        .Where(each => scenario is null || each == scenario).SelectMany(each => InstancesOf(recordings, each)).Select(instance => instance.Name).Distinct();

    private static Instance[] InstancesOf(ContentionRecordings recordings, string scenario)
    {
        Instance[] recorded = [.. recordings.InstancesOf(scenario)];
        return [.. recorded, .. AddedInstances.From(recorded)];
    }

    private static IEnumerable<PlannedPair> Planned(ContentionRecordings recordings, Func<PlannedPair, bool> wanted) =>
        from scenario in recordings.Setups.Keys
        from pair in ContentionPairs.Of(InstancesOf(recordings, scenario))
        let planned = new PlannedPair(scenario, pair.A, pair.LpA, pair.B, pair.LpB)
        where wanted(planned)
        select planned;
}

/// <summary>A pair that is to be explored.</summary>
/// <param name="Scenario">The prepared platform.</param>
/// <param name="A">The first call.</param>
/// <param name="LpA">Its processor.</param>
/// <param name="B">The second.</param>
/// <param name="LpB">Its processor.</param>
public readonly record struct PlannedPair(string Scenario, Instance A, int LpA, Instance B, int LpB);
