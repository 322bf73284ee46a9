using TdxVerify.Abi;
using TdxVerify.Model;
using Xunit;

namespace TdxVerify.Tests.Stepping;

/// <summary>States that no later step tells apart are one: calls and locks forget what is dead.</summary>
public class CallTrimmerTests
{
    private static readonly SeptEntry s_free = SeptEntry.Of(SeptState.FREE);
    private static readonly SeptEntry s_pending = SeptEntry.Of(SeptState.PENDING, 7);
    private static readonly LeafSet<CellState> s_leaves = LeafSet<CellState>.Of(ModuleProfile.V1_5_05);

    [Theory]
    [InlineData("S-EPT entry, host flavour", true)]
    [InlineData("entry = S-EPT entry, read again under the lock", false)]
    [InlineData("entry state in {FREE}", true)]
    public void An_entry_that_is_read_again_is_forgotten_until_then(string step, bool isKept) =>
        Assert.Equal(isKept, Kept(s_free, step) != Kept(s_pending, step));

    [Theory]
    [InlineData(FailureDetail.SeptEntry, true)]
    [InlineData(FailureDetail.LevelInStatus, false)]
    [InlineData(FailureDetail.None, false)]
    public void A_call_that_failed_keeps_the_entry_only_for_an_answer_that_shows_it(FailureDetail detail, bool isKept)
    {
        SeptEntry kept = Kept(s_pending, "S-EPT tree", c => c with { FailedStep = 9, Detail = detail });

        Assert.Equal(isKept ? s_pending : default, kept);
    }

    [Fact]
    public void A_walk_that_is_under_way_keeps_where_it_is()
    {
        const string Walk = "S-EPT walk reaches the level";

        Assert.Equal(default, Kept(s_pending, Walk));
        Assert.Equal(s_pending, Kept(s_pending, Walk, c => c with { Progress = 1 }));
    }

    [Theory]
    [InlineData(TdField.SeptTreeLock, 0b1011, 0b0001)]
    [InlineData(TdField.EpochLock, 0b0011, 0b0001)]
    [InlineData(TdField.EpochLock, 0b0110, 0b0110)]
    [InlineData(TdField.OpStateLock, 0b0111, 0b0011)]
    [InlineData(TdField.OpStateLock, 0b1110, 0b1110)]
    public void An_exclusive_holder_is_not_told_apart_by_the_readers_that_were_refused(TdField field, ulong written, ulong kept)
    {
        var state = new CellState(new PlatformInfo(), new StoredCells()) { OldestEpoch = 1 };

        state.SetTd(0, field, written);

        Assert.Equal(kept, state.Td(0, field));
    }

    // TDH.MEM.PAGE.AUG before one of its steps.
    private static SeptEntry Kept(SeptEntry entry, string step, Func<Call, Call>? change = null)
    {
        Leaf<CellState> leaf = s_leaves.Host((ulong)HostLeaf.TDH_MEM_PAGE_AUG)!;
        var agent = new Agent { Phase = AgentPhase.HostLeaf, List = (short)leaf.Index };
        agent.Step = (short)Enumerable.Range(0, leaf.Steps.Length).Last(i => leaf.Steps[i].Text == step);
        agent.Call.Value = entry;
        if (change is not null)
            agent.Call = change(agent.Call);
        new CallTrimmer<CellState>(s_leaves).Trim(ref agent);
        return agent.Call.Value;
    }
}
