using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Generation;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Runs;
using Xunit;

namespace TdxVerify.Tests.Laws;

/// <summary>Short sequences that are as they should be: every law holds, and the laws about the state see what they are about.</summary>
public class StateLawScenarioTests
{
    private const ulong Rip = 0x4000;

    private static readonly string[] s_aboutTheState =
    [
        "sept-and-pamt-agree", "no-stale-translation", "epoch-reference-counts", "tlb-tracking", "guest-sees-only-accepted",
        "re-added-needs-accept", "teardown-returns-everything", "no-lock-outlives-its-call",
    ];

    [Fact]
    public void A_page_is_removed_by_the_book_and_its_successor_accepted()
    {
        var td = new LawTd(LawBook.Create(), pages: 1);
        td.Access(Rip, 0);
        td.Succeed(HostLeaf.TDH_MEM_RANGE_BLOCK, LawTd.GpaOf(0), td.Tdr);
        Assert.Equal(Status.TDX_TLB_TRACKING_NOT_DONE + (uint)OperandId.RCX, td.Call(HostLeaf.TDH_MEM_PAGE_REMOVE, LawTd.GpaOf(0), td.Tdr).Rax);
        td.Succeed(HostLeaf.TDH_MEM_TRACK, td.Tdr);
        td.Succeed(HostLeaf.TDH_MEM_PAGE_REMOVE, LawTd.GpaOf(0), td.Tdr);
        td.Succeed(HostLeaf.TDH_MEM_PAGE_AUG, LawTd.GpaOf(0), td.Tdr, td.Page());
        td.Access(Rip, 0);
        td.Accept(Rip, LawTd.GpaOf(0));
        td.Access(Rip, 0);

        Assert.Equal(1, td.Times("no-stale-translation", "page handed back that an idle LP may still hold"));
        Assert.Equal(1, td.Times("no-stale-translation", "INVEPT before the TD runs again where something was held"));
        Assert.Equal(1, td.Times("tlb-tracking", "TDX_TLB_TRACKING_NOT_DONE for want of a track"));
        Assert.Equal(1, td.Times("tlb-tracking", "tracked entry changed"));
        Assert.Equal(1, td.Times("epoch-reference-counts", "BEPOCH written by a block"));
        Assert.Equal(2, td.Times("guest-sees-only-accepted", "access to a page added or accepted"));
        Assert.Equal(1, td.Times("re-added-needs-accept", "page added again where one was removed"));
        Assert.Equal(1, td.Times("re-added-needs-accept", "re-added page accessed before accept"));
        Assert.Equal(1, td.Times("re-added-needs-accept", "re-added page accepted"));
        Assert.Equal(1, td.Times("re-added-needs-accept", "re-added page accessed after accept"));
    }

    [Fact]
    public void A_page_is_not_tracked_until_the_vCPU_that_may_hold_it_has_left()
    {
        var td = new LawTd(LawBook.Create(), pages: 1);
        td.Enter();
        td.Succeed(HostLeaf.TDH_MEM_RANGE_BLOCK, LawTd.GpaOf(0), td.Tdr);
        td.Succeed(HostLeaf.TDH_MEM_TRACK, td.Tdr);
        Assert.Equal(Status.TDX_TLB_TRACKING_NOT_DONE + (uint)OperandId.RCX, td.Call(HostLeaf.TDH_MEM_PAGE_REMOVE, LawTd.GpaOf(0), td.Tdr).Rax);
        Assert.Equal(Status.TDX_PREVIOUS_TLB_EPOCH_BUSY, td.Call(HostLeaf.TDH_MEM_TRACK, td.Tdr).Rax);
        td.Exit();
        td.Enter();
        td.Succeed(HostLeaf.TDH_MEM_PAGE_REMOVE, LawTd.GpaOf(0), td.Tdr);

        Assert.Equal(1, td.Times("tlb-tracking", "TDX_TLB_TRACKING_NOT_DONE because an older vCPU is in the guest"));
        Assert.Equal(1, td.Times("tlb-tracking", "tracked entry changed while newer vCPUs are in the guest"));
        Assert.Equal(1, td.Times("no-stale-translation", "page handed back while its TD is in the guest"));
        Assert.Equal(1, td.Times("epoch-reference-counts", "TDX_PREVIOUS_TLB_EPOCH_BUSY"));
        Assert.Equal(2, td.Times("no-lock-outlives-its-call", "TDH.VP.ENTER keeps TDVPR and TDR shared"));
    }

    [Fact]
    public void A_refused_call_leaves_its_reader_and_host_priority_until_they_are_taken_back()
    {
        var td = new LawTd(LawBook.Create(), pages: 1);
        var exclusive = new LockOperation(PortLock.OpState, Exclusive: true, Guest: false, td.Tdr);
        td.Step(TraceEvent.OfLock(exclusive, ok: true));
        Assert.Equal(Status.TDX_OPERAND_BUSY + (uint)OperandId.OP_STATE, td.Call(HostLeaf.TDH_MEM_TRACK, td.Tdr).Rax);
        td.Step(TraceEvent.OfUnlock(exclusive, ok: true));
        td.Succeed(HostLeaf.TDH_MEM_TRACK, td.Tdr);

        Assert.Equal(1, td.Times("no-lock-outlives-its-call", "reader left behind by a refused shared attempt"));
        Assert.Equal(1, td.Times("no-lock-outlives-its-call", "left reader dropped by the exclusive release"));
        Assert.Equal(1, td.Times("no-lock-outlives-its-call", "host priority raised"));
        Assert.Equal(1, td.Times("no-lock-outlives-its-call", "host priority taken back"));
    }

    [Fact]
    public void A_TD_that_ran_is_torn_down_and_its_key_id_used_again()
    {
        var td = new LawTd(LawBook.Create(), pages: 2);
        td.Access(Rip, 0);
        Assert.Equal(Status.TDX_FLUSHVP_NOT_DONE, td.Call(HostLeaf.TDH_MNG_VPFLUSHDONE, td.Tdr).Rax);
        td.Succeed(HostLeaf.TDH_VP_FLUSH, td.Tdvpr);
        td.Succeed(HostLeaf.TDH_MNG_VPFLUSHDONE, td.Tdr);
        Assert.Equal(Status.TDX_WBCACHE_NOT_COMPLETE, td.Call(HostLeaf.TDH_MNG_KEY_FREEID, td.Tdr).Rax);
        td.Succeed(HostLeaf.TDH_PHYMEM_CACHE_WB, 0);
        td.Succeed(HostLeaf.TDH_MNG_KEY_FREEID, td.Tdr);
        for (ulong page = td.Tdr + Hpa.PageSize; page < td.NextPage; page += Hpa.PageSize)
            td.Call(HostLeaf.TDH_PHYMEM_PAGE_RECLAIM, page);
        td.Succeed(HostLeaf.TDH_PHYMEM_PAGE_RECLAIM, td.Tdr);
        td.Succeed(HostLeaf.TDH_MNG_CREATE, td.Page(), (ulong)new PlatformInfo().HkidFirst);

        Assert.Equal(1, td.Times("teardown-returns-everything", "TD torn down after it ran"));
        Assert.Equal(1, td.Times("teardown-returns-everything", "key id used again by another TD"));
        Assert.Equal(1, td.Times("teardown-returns-everything", "TDH.MNG.VPFLUSHDONE refused: a vCPU is associated"));
        Assert.Equal(1, td.Times("teardown-returns-everything", "TDH.MNG.KEY.FREEID refused: caches not written back"));
        Assert.Equal(1, td.Times("no-stale-translation", "TD flushed for good after it ran"));
    }

    [Fact]
    public void Random_runs_reach_every_case_of_the_laws_about_the_state_and_break_none()
    {
        Law[] laws = [.. LawBook.Create().Where(law => s_aboutTheState.Contains(law.Name))];
        Assert.Equal(s_aboutTheState.Length, laws.Length);
        var runner = new SequenceRunner(new EventRunner(ModelPorts.Observed(new PlatformInfo()), null, laws), GenerationLimits.None);
        for (int i = 0; i < 4000 && (i < 300 || laws.Any(law => law.Sometimes.Any(c => c.Count == 0))); i++)
            Assert.Null(runner.Run(ChoiceStream.FromSeed((ulong)i, 1000)));
        Assert.Empty(laws.SelectMany(law => law.Sometimes.Where(c => c.Count == 0).Select(c => $"{law.Name}: {c.Case}")));
    }

    [Theory]
    [InlineData("sept-and-pamt-agree")]
    [InlineData("no-stale-translation")]
    [InlineData("epoch-reference-counts")]
    [InlineData("tlb-tracking")]
    [InlineData("guest-sees-only-accepted")]
    [InlineData("re-added-needs-accept")]
    [InlineData("teardown-returns-everything")]
    [InlineData("no-lock-outlives-its-call")]
    public void Each_law_holds_alone_in_1_5_05(string law) =>
        Assert.Null(FaultyModel.Run(law, new PlatformInfo { Profile = ModuleProfile.V1_5_05 }, set => set, sequences: 20));
}
