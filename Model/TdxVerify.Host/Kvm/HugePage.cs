using TdxVerify.Abi;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Kvm;

/// <summary>2 MiB pages, as the series of January 2026 has them (facts/kvm.md, 9): AUG at 2 MiB, split by DEMOTE under mmu_lock for write.</summary>
internal static class HugePage
{
    /// <summary>kvm_tdp_mmu_map of a 2 MiB leaf. A present table there means that the page was split: it is mapped already.</summary>
    public static HostProgram Map(KvmParts parts) => HostProgram.Named("kvm_tdp_mmu_map(2M)", "tdp_mmu.c, series of 2026-01")
        .State("M6", ReadSpte(SeptLevel.Page2M))
            .On(IsFrozen, $"return {KvmCodes.Retry}")
            .On(IsPresent, $"return {KvmCodes.Spurious}")
            .On(IsNone, "S1")
        .State("S1", CompareExchangeSpte(SpteKind.None, SpteKind.Frozen, SeptLevel.Page2M), "set_external_spte_present")
            .On(Yes, "M7")
            .On(No, $"return {KvmCodes.Retry}")
        .State("M7", parts.MapCall(HostLeaf.TDH_MEM_PAGE_AUG, SeptLevel.Page2M), "tdx_sept_set_private_spte")
            .On(Success, "S3")
            .OnRetry(parts, "S3 back", "TDH.MEM.PAGE.AUG of 2 MiB is busy")
            .Otherwise("M7 bug")
        .State("M7 bug", BugVm("TDH.MEM.PAGE.AUG failed"), "tdx_sept_set_private_spte").Next("S3 back")
        .State("S3", WriteSpte(SpteKind.Present, SeptLevel.Page2M), "set_external_spte_present").Next($"return {KvmCodes.Fixed}")
        .State("S3 back", WriteSpte(SpteKind.None, SeptLevel.Page2M), "set_external_spte_present").Next($"return {KvmCodes.Retry}")
        .Build();

    /// <summary>tdx_sept_split_private_spte, mmu_lock held for write: BLOCK, TRACK, kick, DEMOTE, unless there is a table already. No UNBLOCK: DEMOTE unblocks the pages.</summary>
    public static HostProgram Split(Func<HostLeaf, int, HostAction> call) => HostProgram.Named("tdx_sept_split_private_spte", "tdx.c, series of 2026-01")
        .State("P0", ReadSpte(), "tdp_mmu_split_huge_pages_root")
            .On(IsPresent, HostProgram.Return).Noted("a page was split already")
            .Otherwise("P1")
        .State("P1", call(HostLeaf.TDH_MEM_RANGE_BLOCK, SeptLevel.Page2M))
            .On(Success, "P2")
            .Otherwise("P bug")
        .State("P2", call(HostLeaf.TDH_MEM_TRACK, SeptLevel.Page4K), "tdx_track")
            .On(Success, "P2 kick")
            .Otherwise("P bug")
        .State("P2 kick", Kick(), "tdx_track").Next("P3")
        .State("P3", call(HostLeaf.TDH_MEM_PAGE_DEMOTE, SeptLevel.Page2M))
            .On(Success, "P4").Noted("a 2 MiB page is split")
            .Otherwise("P bug")
        .State("P4", WriteSpte(SpteKind.Present), "tdp_mmu_split_huge_page").Next(HostProgram.Return)
        .State("P bug", BugVm("a page could not be split")).Next(HostProgram.Return)
        .Build();

    /// <summary>
    /// The EPT-violation handler of a TD with 2 MiB pages: an ACCEPT of a smaller page splits what is there, once for the GPA;
    /// then the fault is handled at 4 KiB. What the handler of 4 KiB pages does besides is as there.
    /// </summary>
    public static HostProgram AcceptViolation(HostProgram split, HostProgram fault) => HostProgram.Named("tdx_handle_mismatched_accept", "tdx.c, series of 2026-01")
        .State("V3", Test(KvmVariables.GuestInhibit))
            .On(Yes, "V4")
            .On(No, "V3 lock")
        .State("V3 lock", WriteLockMmu).Next("V3 leaf")
        .State("V3 leaf", ReadSpte(SeptLevel.Page2M))
            .On(IsPresent, "V3 split")
            .Otherwise("V3 inhibit")
        .State("V3 split", Call(split)).Next("V3 inhibit")
        .State("V3 inhibit", Set(KvmVariables.GuestInhibit)).Next("V3 unlock")
        .State("V3 unlock", UnlockMmu).Next("V4")
        .State("V4", Call(fault)).Whatever($"return {KvmCodes.Handled}")
        .Build();

    /// <summary>kvm_split_cross_boundary_leafs: the page of the agent's GPA is split before a part of it is converted.</summary>
    public static HostProgram SplitForConversion(HostProgram split) => HostProgram.Named("kvm_split_cross_boundary_leafs", "tdp_mmu.c, series of 2026-01")
        .State("W1", WriteLockMmu).Next("W2")
        .State("W2", ReadSpte(SeptLevel.Page2M))
            .On(IsPresent, "W3")
            .Otherwise("W4")
        .State("W3", Test(KvmVariables.GuestInhibit))
            .On(Yes, "W4")
            .On(No, "W3 split")
        .State("W3 split", Call(split)).Next("W3 inhibit")
        .State("W3 inhibit", Set(KvmVariables.GuestInhibit)).Next("W4")
        .State("W4", UnlockMmu).Next(HostProgram.Done).Progress("split")
        .Build();
}
