using TdxVerify.Abi;
using TdxVerify.Host.Kvm;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Proposals;

/// <summary>P4: the map function walks again itself when a cmpxchg fails, twice at each level.</summary>
public static class WalkRetry
{
    private const int Walks = 2;

    /// <summary>The proposal.</summary>
    public static Proposal Proposal { get; } = new("walk-retry")
    {
        Author = "Sean Christopherson",
        Date = "2024-10-10",
        Claim = "Two walks more inside kvm_tdp_mmu_map make RET_PF_RETRY so rare that zero-step is not reached.",
        Objection = "It does not cover a BUSY of TDH.MEM.PAGE.AUG.",
        Host = KvmHost.Of(new KvmParts { Map = Map(), LocalRetry = LocalRetry.Never }),
    };

    private static HostProgram Map() => HostProgram.Named("kvm_tdp_mmu_map, walks again", "tdp_mmu.c, as proposed 2024-10-10")
        .State("table first", SetCounter("walks")).Next("table")
        .State("table", ReadSpte(SeptLevel.Page2M))
            .On(IsFrozen, "table again")
            .On(IsPresent, "leaf first")
            .On(IsNone, "freeze table")
        .State("table again", CountBelow("walks", Walks))
            .On(Yes, "table")
            .On(No, $"return {KvmCodes.Retry}")
        .State("freeze table", CompareExchangeSpte(SpteKind.None, SpteKind.Frozen, SeptLevel.Page2M))
            .On(Yes, "add table")
            .On(No, "table again")
        .State("add table", Seamcall(HostLeaf.TDH_MEM_SEPT_ADD, SeptLevel.Page2M))
            .On(Success, "link table")
            .On(Busy, "table back")
            .Otherwise("table bug")
        .State("table bug", BugVm("TDH.MEM.SEPT.ADD failed")).Next("table back")
        .State("link table", WriteSpte(SpteKind.Present, SeptLevel.Page2M)).Next("leaf first")
        .State("table back", WriteSpte(SpteKind.None, SeptLevel.Page2M)).Next($"return {KvmCodes.Retry}")
        .State("leaf first", SetCounter("walks")).Next("leaf")
        .State("leaf", ReadSpte())
            .On(IsFrozen, "leaf again")
            .On(IsPresent, $"return {KvmCodes.Spurious}")
            .On(IsNone, "freeze")
        .State("leaf again", CountBelow("walks", Walks))
            .On(Yes, "leaf").Noted("the map function walks again")
            .On(No, $"return {KvmCodes.Retry}").Noted("the map function gives up")
        .State("freeze", CompareExchangeSpte(SpteKind.None, SpteKind.Frozen))
            .On(Yes, "aug")
            .On(No, "leaf again")
        .State("aug", Seamcall(HostLeaf.TDH_MEM_PAGE_AUG))
            .On(Success, "present")
            .On(Busy, "back").Noted("TDH.MEM.PAGE.AUG is busy")
            .Otherwise("bug")
        .State("bug", BugVm("TDH.MEM.PAGE.AUG failed")).Next("back")
        .State("present", WriteSpte(SpteKind.Present)).Next($"return {KvmCodes.Fixed}")
        .State("back", WriteSpte(SpteKind.None)).Next($"return {KvmCodes.Retry}")
        .Build();
}
