using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Contention;
using Xunit;

namespace TdxVerify.Tests.Contention;

/// <summary>All interleavings of two calls end as they do inside the real module's code, and in nothing else.</summary>
public sealed class ContentionTests
{
    private static readonly ContentionRecordings s_recordings = ContentionRecordings.BuiltIn();

    [Fact]
    public void Every_recorded_pair_has_the_recorded_outcomes_or_a_stated_reason_why_not()
    {
        ContentionResult result = ContentionComparison.Run(s_recordings, ModuleProfile.V1_5_01, Environment.ProcessorCount);

        Assert.Equal(8228, result.Pairs);
        Assert.Empty(result.Differences.Where(difference => StatedLimits.Explain(difference) is null).Select(Describe));
        Assert.Equal(2, result.Differences.Count);
    }

    [Fact]
    public void With_each_atomic_instruction_of_a_lock_as_a_step_the_outcomes_are_those_recorded_so()
    {
        int index = 0;
        ContentionRecordings some = s_recordings.Only(pair => pair.OnlyWithSplitLocks.Count > 0 || index++ % 16 == 0);
        LeafSet<BranchingState> leaves = LeafSet<BranchingState>.Of(ModuleProfile.V1_5_01);

        Assert.Equal(98, some.Pairs.Count(pair => pair.OnlyWithSplitLocks.Count > 0));
        Assert.Empty(ContentionComparison.Run(some, leaves, Environment.ProcessorCount, Granularity.All)
            .Differences.Where(difference => StatedLimits.Explain(difference) is null).Select(Describe));
        // Without: all of these are missing, so the finer steps are what shows them.
        ContentionRecordings finer = some.Only(pair => pair.OnlyWithSplitLocks.Count > 0);
        Assert.Empty(ContentionComparison.Run(finer, leaves, Environment.ProcessorCount).Differences);
    }

    [Fact]
    public void The_pairs_are_those_that_were_recorded_with_processors_and_relation()
    {
        (string, string, string, int, int, string)[] recorded =
        [
            .. s_recordings.Pairs.Select(pair => (pair.Scenario, pair.A, pair.B, pair.LpA, pair.LpB,
                IsOpen(s_recordings.Instances[(pair.Scenario, pair.A)], s_recordings.Instances[(pair.Scenario, pair.B)]) ? "" : pair.Relation)).Order(),
        ];
        (string, string, string, int, int, string)[] ours =
        [
            .. s_recordings.Setups.Keys
                .SelectMany(scenario => ContentionPairs.Of([.. s_recordings.InstancesOf(scenario)])
                    .Select(pair => (scenario, pair.A.Name, pair.B.Name, pair.LpA, pair.LpB,
                        IsOpen(pair.A, pair.B) ? "" : PairRelation.Of(pair.A, pair.B, s_recordings.FirstTdrOf(scenario))))).Order(),
        ];

        Assert.Equal(recorded, ours);
    }

    public static TheoryData<string, string, string> Faults => new()
    {
        { "TDH.MEM.PAGE.REMOVE", "page is neither PT_NDA nor PT_RSVD (else the module halts)", "the module no longer halts" },
        { "TDH.MEM.TRACK", "TD epoch EXCLUSIVE", "no more BUSY with TDH.VP.ENTER" },
        { "TDG.MEM.PAGE.ACCEPT", "S-EPT entry, guest flavour", "host calls are no longer BUSY" },
        { "TDH.MEM.RANGE.BLOCK", "S-EPT tree EXCLUSIVE", "no more BUSY on the tree" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_leaf_without_one_of_its_steps_differs_from_the_recording(string leaf, string step, string because)
    {
        LeafSet<BranchingState> leaves = LeafSet<BranchingState>.Of(ModuleProfile.V1_5_01);
        Leaf<BranchingState> right = leaves.All.First(candidate => candidate.Id.Name == leaf);
        LeafSet<BranchingState> faulty = leaves.With(right.With(right.Steps.Where(candidate => candidate.Text != step)));
        Assert.Equal(right.Steps.Length - 1, faulty.All.First(candidate => candidate.Id.Name == leaf).Steps.Length);
        ContentionRecordings some = s_recordings.Only(pair => pair.Scenario == "run" && (pair.A.StartsWith("PAGE.AUG 3000", StringComparison.Ordinal)
            || pair.A.StartsWith("RANGE.BLOCK 2000", StringComparison.Ordinal) || pair.B.StartsWith("VP.ENTER idle", StringComparison.Ordinal)));

        Assert.Empty(ContentionComparison.Run(some, leaves, 1).Differences);
        Assert.True(ContentionComparison.Run(some, faulty, 1).Differences.Count > 0, because);
    }

    // The recording counts a call without a TD as one on some TD of the platform, and does not say which.
    private static bool IsOpen(Instance a, Instance b) => a.Tdr == 0 || b.Tdr == 0;

    private static string Describe(PairDifference difference) =>
        $"{difference.Pair.Scenario}: {difference.Pair.A} x {difference.Pair.B}: missing {string.Join(';', difference.Missing)}; extra {string.Join(';', difference.Extra)}";
}
