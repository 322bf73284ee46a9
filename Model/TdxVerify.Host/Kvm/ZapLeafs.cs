using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Kvm;

/// <summary>
/// tdp_mmu_zap_leafs on the mirror root over the agent's GPAs, mmu_lock held for write (facts/kvm.md, 3.2). The mirror
/// SPTE is none before the first SEAMCALL. Left out: kvm_flush_remote_tlbs after the range (Z6), one more kick that no
/// S-EPT state depends on.
/// </summary>
internal static class ZapLeafs
{
    public static HostProgram Of(KvmRelease release, HostProgram removePage) => HostProgram.Named("tdp_mmu_zap_leafs", release.In("tdp_mmu.c"))
        .State("Z2", FirstGpa).Next("Z4")
        .State("Z4", ReadSpte())
            .On(IsPresent, "R1")
            .Otherwise("Z5")
        .State("R1", WriteSpte(SpteKind.None), "tdp_mmu_set_spte").Next("R3")
        .State("R3", Call(removePage), "remove_external_spte").Next("Z5")
        .State("Z5", NextGpa)
            .On(Yes, "Z3")
            .On(No, HostProgram.Return)
        .State("Z3", IsContended(KernelLocks.MmuLock), "tdp_mmu_iter_cond_resched")
            .On(Yes, "Z3 yield").Noted("a zap yields mmu_lock")
            .On(No, "Z4")
        .State("Z3 yield", UnlockMmu).Next("Z3 again")
        .State("Z3 again", WriteLockMmu).Next("Z4")
        .Build();
}
