using TdxVerify.Abi;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Kvm;

/// <summary>
/// kvm_tdp_mmu_map on the mirror root (facts/kvm.md, 2.3): the walk from the entry above the 4 KiB table down, SEPT.ADD
/// where the table is missing, then the leaf. Tables above are there from the start.
/// </summary>
internal static class MapPage
{
    /// <summary>The walk and the leaf, mapped by a SEAMCALL: PAGE.AUG, or PAGE.ADD before the TD is finalized.</summary>
    /// <param name="parts">How calls are made, and which statuses are tried again.</param>
    /// <param name="leaf">The SEAMCALL.</param>
    public static HostProgram Of(KvmParts parts, HostLeaf leaf)
    {
        string frozen = parts.LocalRetry == LocalRetry.Frozen ? KvmCodes.RetryFrozen : KvmCodes.Retry;
        return Walk(HostProgram.Named($"kvm_tdp_mmu_map({leaf.Name()})", parts.Release.In("tdp_mmu.c")), parts, frozen)
            .State("M6", ReadSpte())
                .On(IsFrozen, $"return {frozen}").Noted("the mirror SPTE is frozen")
                .On(IsPresent, $"return {KvmCodes.Spurious}").Noted("another vCPU mapped the page")
                .On(IsNone, "S1")
            .State("S1", CompareExchangeSpte(SpteKind.None, SpteKind.Frozen), "set_external_spte_present")
                .On(Yes, "M7")
                .On(No, $"return {frozen}").Noted("the mirror SPTE changed before it could be frozen")
            .State("M7", parts.MapCall(leaf, SeptLevel.Page4K), "tdx_sept_set_private_spte")
                .On(Success, "S3")
                .OnRetry(parts, "S3 back", $"{leaf.Name()} is busy")
                .Otherwise("M7 bug")
            .State("M7 bug", BugVm($"{leaf.Name()} failed"), "tdx_sept_set_private_spte").Next("S3 back")
            .State("S3", WriteSpte(SpteKind.Present), "set_external_spte_present").Next($"return {KvmCodes.Fixed}")
            .State("S3 back", WriteSpte(SpteKind.None), "set_external_spte_present").Next($"return {KvmCodes.Retry}")
            .Build();
    }

    /// <summary>6.16 before the TD is finalized: the leaf is only recorded in the mirror (facts/kvm.md, M7, A8).</summary>
    public static HostProgram Recorded(KvmParts parts) =>
        Walk(HostProgram.Named("kvm_tdp_mmu_map(premap)", parts.Release.In("tdp_mmu.c")), parts, KvmCodes.Retry)
            .State("M6", ReadSpte())
                .On(IsFrozen, $"return {KvmCodes.Retry}")
                .On(IsPresent, $"return {KvmCodes.Spurious}")
                .On(IsNone, "S1")
            .State("S1", CompareExchangeSpte(SpteKind.None, SpteKind.Frozen), "set_external_spte_present")
                .On(Yes, "M7")
                .On(No, $"return {KvmCodes.Retry}")
            .State("M7", Increment(KvmVariables.NrPremapped), "tdx_mem_page_record_premap_cnt").Whatever("S3")
            .State("S3", WriteSpte(SpteKind.Present), "set_external_spte_present").Next($"return {KvmCodes.Fixed}")
            .Build();

    private static ProgramBuilder Walk(ProgramBuilder program, KvmParts parts, string frozen) => program
        .State("M1", ReadSpte(SeptLevel.Page2M))
            .On(IsFrozen, $"return {frozen}")
            .On(IsPresent, "M6")
            .On(IsNone, "M4")
        .State("M4", CompareExchangeSpte(SpteKind.None, SpteKind.Frozen, SeptLevel.Page2M), "set_external_spte_present")
            .On(Yes, "M4 add")
            .On(No, $"return {frozen}")
        .State("M4 add", parts.MapCall(HostLeaf.TDH_MEM_SEPT_ADD, SeptLevel.Page2M), "tdx_sept_link_private_spt")
            .On(Success, "M4 link")
            .OnRetry(parts, "M4 back", "TDH.MEM.SEPT.ADD is busy")
            .Otherwise("M4 bug")
        .State("M4 bug", BugVm("TDH.MEM.SEPT.ADD failed"), "tdx_sept_link_private_spt").Next("M4 back")
        .State("M4 link", WriteSpte(SpteKind.Present, SeptLevel.Page2M), "set_external_spte_present").Next("M1")
        .State("M4 back", WriteSpte(SpteKind.None, SeptLevel.Page2M), "set_external_spte_present").Next($"return {KvmCodes.Retry}");
}
