using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Contention;
using TdxVerify.Properties.Lanes;
using Xunit;

namespace TdxVerify.Tests.Contention;

/// <summary>Each OPERAND_BUSY and each anomaly of the matrix has a schedule with the fewest switches, told as lanes.</summary>
public sealed class WitnessTests
{
    private const int MostEvents = 12;

    private static readonly ContentionRecordings s_recordings = ContentionRecordings.BuiltIn();
    private static readonly LeafSet<BranchingState> s_leaves = LeafSet<BranchingState>.Of(ModuleProfile.V1_5_01);

    [Fact]
    public void Every_busy_and_every_anomaly_has_a_witness_and_nothing_else_has()
    {
        ContentionMatrix matrix = Explore(pair => pair.Scenario == "run" && IsAt(pair.A, 0x3000) && IsAt(pair.B, 0x3000));

        Assert.Contains(matrix.Pairs, pair => pair.HaltsModule);
        Assert.Contains(matrix.Pairs, pair => !pair.IsSerializable);
        Assert.All(matrix.Pairs, pair => Assert.Equal(
            [
                .. pair.BusyA.Select(operand => (WitnessOf.BusyA, operand)), .. pair.BusyB.Select(operand => (WitnessOf.BusyB, operand)),
                .. pair.Result.NotSerializableOutcomes.Select(outcome => (WitnessOf.NotSerializable, outcome)),
                .. pair.HaltsModule ? [(WitnessOf.Halt, PairResult.Fatal)] : Array.Empty<(WitnessOf, string)>(),
            ],
            pair.Result.Witnesses.Select(witness => (witness.Of, witness.What))));
    }

    // The three contentions of the mailing list, and the anomalies with the numbers of switches that anomalies.md found.
    public static TheoryData<string, string, WitnessOf, string, int> Known => new()
    {
        { "TRACK", "VP.ENTER idle v0", WitnessOf.BusyA, "TD_EPOCH", 1 },
        { "TRACK", "VP.ENTER idle v0", WitnessOf.BusyB, "TD_EPOCH", 1 },
        { "PAGE.AUG e000/0", "VP.ENTER zs-missing v3", WitnessOf.BusyA, "SEPT_TREE", 1 },
        { "PAGE.AUG e000/0", "VP.ENTER zs-missing v3", WitnessOf.BusyB, "SEPT_TREE", 1 },
        { "RANGE.BLOCK 2000/0", "TDG.ACCEPT 2000/0 v0 (in guest)", WitnessOf.BusyA, "RCX", 1 },
        { "RANGE.BLOCK 2000/0", "TDG.ACCEPT 2000/0 v0 (in guest)", WitnessOf.BusyB, "RCX", 1 },
        { "PAGE.AUG 3000/0", "PAGE.REMOVE 3000/0", WitnessOf.Halt, "fatal", 1 },
        { "PAGE.AUG 3000/0", "TDG.ACCEPT 3000/0 v0 (in guest)", WitnessOf.NotSerializable, "TDX_SUCCESS|exit77[TDX_PAGE_SIZE_MISMATCH(level0)]|nonser", 2 },
        { "PAGE.DEMOTE 400000/1", "TDG.ACCEPT 400000/1 v1 (in guest)", WitnessOf.NotSerializable, "TDX_SUCCESS|exit48[-]|nonser", 2 },
        { "VM-EXIT #VE pending 2000 v0 (in guest)", "TDG.ACCEPT 2000/0 v1 (in guest)", WitnessOf.NotSerializable, "exit48|exit77[TDX_SUCCESS]|nonser", 2 },
    };

    [Theory]
    [MemberData(nameof(Known))]
    public void A_witness_is_as_short_as_is_known_and_is_told_as_lanes(string a, string b, WitnessOf of, string what, int switches)
    {
        ContentionPair pair = Assert.Single(Explore(planned => planned.Scenario == "run" && planned.A.Name == a && planned.B.Name == b).Pairs);
        PairWitness witness = Assert.Single(pair.Result.Witnesses, witness => witness.Of == of && witness.What == what);
        LaneDiagram lanes = PairStory.Tell(s_recordings, s_leaves, pair, witness);
        var last = Assert.IsType<LaneEvent>(lanes.Items[^1]);

        Assert.Equal(switches, witness.ContextSwitches);
        Assert.Equal(switches + 1, lanes.EventCount);
        Assert.True(lanes.EventCount <= MostEvents);
        Assert.Contains(of switch { WitnessOf.Halt => "the module halts", WitnessOf.NotSerializable => "=", _ => $"TDX_OPERAND_BUSY({what})" }, last.Text, StringComparison.Ordinal);
        Assert.Equal(of switch { WitnessOf.BusyA => 0, WitnessOf.BusyB => 1, _ => last.Lane }, last.Lane);
    }

    [Fact]
    public void A_witness_names_the_step_that_refuses_and_what_the_other_call_holds()
    {
        ContentionPair pair = Explore(planned => planned.Scenario == "run" && planned.A.Name == "PAGE.AUG e000/0" && planned.B.Name == "VP.ENTER zs-missing v3").Pairs[0];
        LaneDiagram lanes = PairStory.Tell(s_recordings, s_leaves, pair, pair.Result.Witnesses.Single(witness => witness.Of == WitnessOf.BusyA));
        LaneEvent[] events = [.. lanes.Items.OfType<LaneEvent>()];

        Assert.Equal(["LP 0: PAGE.AUG e000/0", "LP 6: VP.ENTER zs-missing v3"], lanes.Lanes);
        Assert.Contains("S-EPT tree exclusive", events[0].Detail, StringComparison.Ordinal);
        Assert.Contains("refused at TDH.MEM.PAGE.AUG step", events[1].Detail, StringComparison.Ordinal);
        Assert.Contains("S-EPT tree SHARED", events[1].Detail, StringComparison.Ordinal);
    }

    private static ContentionMatrix Explore(Func<PlannedPair, bool> wanted) => ContentionMatrix.Compute(s_recordings, s_leaves, 1, wanted, witnesses: true);

    private static bool IsAt(Instance instance, ulong gpa) => instance.Gpa == gpa;
}
