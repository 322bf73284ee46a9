using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Kvm;

/// <summary>
/// The fault path (facts/kvm.md, 2.2): kvm_tdp_page_fault, kvm_mmu_faultin_pfn. Left out: page caches (F2), a GPA
/// without memslot (F5), guest_memfd's own work (F8), and F9, which repeats F7: what leaves at F9 would leave at F11.
/// </summary>
internal static class FaultPath
{
    public static HostProgram Of(KvmRelease release, HostProgram map) => HostProgram.Named("kvm_tdp_page_fault", release.In("mmu.c"))
        .State("F3", SnapshotInvalidateSeq).Next("F4")
        .State("F4", Test(KvmVariables.IsShared), "kvm_mmu_faultin_pfn")
            .On(Yes, $"return {KvmCodes.MemoryFault}")
            .On(No, "F6")
        .State("F6", Test(KvmVariables.SlotInvalid), "kvm_mmu_faultin_pfn")
            .On(Yes, $"return {KvmCodes.Retry}").Noted("a fault meets an INVALID memslot")
            .On(No, "F7")
        .State("F7", InvalidateRetry, "mmu_invalidate_retry_gfn_unsafe")
            .On(Yes, $"return {KvmCodes.Retry}")
            .On(No, "F10")
        .State("F10", ReadLockMmu, "kvm_tdp_mmu_page_fault").Next("F11")
        .State("F11", InvalidateRetry, "is_page_fault_stale")
            .On(Yes, "F11 unlock").Noted("an invalidation makes the fault stale")
            .On(No, "F12")
        .State("F11 unlock", UnlockMmu).Next($"return {KvmCodes.Retry}")
        .State("F12", Call(map)).Whatever("F13")
        .State("F13", UnlockMmu).Next(HostProgram.ReturnStatus)
        .Build();
}
