using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Contention;

/// <summary>What one pair of calls can do to each other.</summary>
/// <param name="Scenario">The prepared platform.</param>
/// <param name="A">The first call.</param>
/// <param name="B">The second.</param>
/// <param name="Relation">What they have in common.</param>
/// <param name="Result">All that they can end in.</param>
public sealed record ContentionPair(string Scenario, Instance A, Instance B, string Relation, PairResult Result)
{
    /// <summary>Operands with which A, or its TDCALL, returns OPERAND_BUSY.</summary>
    public IReadOnlyList<string> BusyA => BusyOf(0);

    /// <summary>Operands with which B, or its TDCALL, returns OPERAND_BUSY.</summary>
    public IReadOnlyList<string> BusyB => BusyOf(1);

    /// <summary>No outcome is one that neither order of the two calls gives.</summary>
    public bool IsSerializable => !Result.Outcomes.Any(outcome => outcome.Contains("|nonser", StringComparison.Ordinal));

    /// <summary>Some interleaving halts the module.</summary>
    public bool HaltsModule => Result.Outcomes.Contains("fatal");

    private List<string> BusyOf(int which)
    {
        const string Busy = "TDX_OPERAND_BUSY(";
        var operands = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string outcome in Result.Outcomes.Where(outcome => outcome.Contains('|')))
        {
            string text = outcome.Split('|')[which];
            int start = text.IndexOf(Busy, StringComparison.Ordinal);
            if (start >= 0)
                operands.Add(text[(start + Busy.Length)..text.IndexOf(')', start)]);
        }

        return [.. operands];
    }
}

/// <summary>Who can make whom return OPERAND_BUSY, with which operand: found by going through all interleavings of all pairs.</summary>
public sealed class ContentionMatrix
{
    private ContentionMatrix(ModuleProfile profile, IReadOnlyList<ContentionPair> pairs, long states)
    {
        Profile = profile;
        Pairs = pairs;
        States = states;
    }

    /// <summary>The module version.</summary>
    public ModuleProfile Profile { get; }

    /// <summary>All pairs.</summary>
    public IReadOnlyList<ContentionPair> Pairs { get; }

    /// <summary>States explored.</summary>
    public long States { get; }

    /// <summary>How many pairs there are.</summary>
    public static int Count(ContentionRecordings recordings) => Scenarios(recordings).Sum(scenario => ContentionPairs.Of(scenario.Instances).Count());

    /// <summary>Explores all pairs.</summary>
    /// <param name="recordings">The set-ups and instances.</param>
    /// <param name="profile">The module version.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="done">Called after each pair.</param>
    public static ContentionMatrix Compute(ContentionRecordings recordings, ModuleProfile profile, int workers, Action? done = null)
    {
        LeafSet<BranchingState> leaves = LeafSet<BranchingState>.Of(profile);
        (string Scenario, Instance A, int LpA, Instance B, int LpB)[] pairs =
        [
            .. from scenario in Scenarios(recordings)
               from pair in ContentionPairs.Of(scenario.Instances)
               select (scenario.Name, pair.A, pair.LpA, pair.B, pair.LpB),
        ];
        var results = new ContentionPair[pairs.Length];
        int next = -1;
        Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, _ =>
        {
            using var explorers = new SetupExplorers(recordings, leaves);
            while (Interlocked.Increment(ref next) is var i && i < pairs.Length)
            {
                (string scenario, Instance a, int lpA, Instance b, int lpB) = pairs[i];
                results[i] = new ContentionPair(scenario, a, b, PairRelation.Of(a, b, recordings.FirstTdrOf(scenario)), explorers.Of(scenario).Explore(a, lpA, b, lpB));
                done?.Invoke();
            }
        });
        return new ContentionMatrix(profile, results, results.Sum(result => (long)result.Result.States));
    }

    /// <summary>Leaf, operand and the leaves that make it BUSY.</summary>
    public IEnumerable<(string Leaf, string Operand, IReadOnlyCollection<string> Makers)> ByLeaf() =>
        from pair in Pairs
        from row in pair.BusyA.Select(operand => (pair.A.Leaf, Operand: operand, Maker: pair.B.Leaf))
            .Concat(pair.BusyB.Select(operand => (pair.B.Leaf, Operand: operand, Maker: pair.A.Leaf)))
        group row.Maker by (row.Leaf, row.Operand) into makers
        orderby makers.Key.Leaf, makers.Key.Operand
        select (makers.Key.Leaf, makers.Key.Operand, (IReadOnlyCollection<string>)new SortedSet<string>(makers, StringComparer.Ordinal));

    private static IEnumerable<(string Name, IReadOnlyList<Instance> Instances)> Scenarios(ContentionRecordings recordings) =>
        recordings.Setups.Keys.Select(name => (name, (IReadOnlyList<Instance>)[.. recordings.InstancesOf(name)]));
}
