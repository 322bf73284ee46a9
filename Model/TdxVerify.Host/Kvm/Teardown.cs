using TdxVerify.Abi;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Kvm;

/// <summary>
/// The end of a VM (facts/kvm.md, 7): guest_memfd's pages are removed, the HKID is released, all that the TD held is
/// reclaimed. One vCPU, one 2 MiB region, one package; CACHE.WB is not interrupted.
/// </summary>
internal static class Teardown
{
    private static readonly (Register, Operand)[] s_tdvpsPage = [(Register.Rcx, Operand.TdvpsPage("page"))];
    private static readonly (Register, Operand)[] s_tdvpr = [(Register.Rcx, Operand.Vcpu)];
    private static readonly (Register, Operand)[] s_table = [(Register.Rcx, Operand.Table)];
    private static readonly (Register, Operand)[] s_tdcsPage = [(Register.Rcx, Operand.TdcsPage("page"))];
    private static readonly (Register, Operand)[] s_tdr = [(Register.Rcx, Operand.Td)];

    public static HostProgram Of(KvmRelease release, HostProgram zapLeafs, HostProgram flush)
    {
        var platform = new PlatformInfo();
        ProgramBuilder program = HostProgram.Named("kvm_destroy_vm", release.In("kvm_main.c"))
            .State("T1", Lock(KernelLocks.SlotsLock), "kvm_gmem_release").Next("T1 invalidate")
            .State("T1 invalidate", Lock(KernelLocks.InvalidateLock), "kvm_gmem_release").Next("T1 mmu")
            .State("T1 mmu", WriteLockMmu, "kvm_gmem_release").Next("T1 begin")
            .State("T1 begin", InvalidateBegin, "kvm_gmem_release").Next("T1 zap")
            .State("T1 zap", Call(zapLeafs), "kvm_gmem_release").Next("T1 end")
            .State("T1 end", InvalidateEnd, "kvm_gmem_release").Next("T1 unlock mmu")
            .State("T1 unlock mmu", UnlockMmu, "kvm_gmem_release").Next("T1 unlock invalidate")
            .State("T1 unlock invalidate", Unlock(KernelLocks.InvalidateLock), "kvm_gmem_release").Next("T1 unlock slots")
            .State("T1 unlock slots", Unlock(KernelLocks.SlotsLock), "kvm_gmem_release").Next("T3 cpus")
            .State("T3 cpus", LockShared(KernelLocks.CpuHotplugLock), "tdx_mmu_release_hkid").Next("T3")
            .State("T3", Call(flush), "tdx_mmu_release_hkid")
                .On(Returned(KvmCodes.Dead), "T3 bug")
                .Otherwise("T3 lock")
            .State("T3 bug", BugVm("TDH.VP.FLUSH failed"), "tdx_mmu_release_hkid").Next("T3 lock")
            .State("T3 lock", Lock(KernelLocks.TdxLock), "tdx_mmu_release_hkid").Next("T3 flushed")
            .State("T3 flushed", Seamcall(HostLeaf.TDH_MNG_VPFLUSHDONE), "tdx_mmu_release_hkid")
                .On(Success, "T3 cache")
                .On(Exactly(Status.TDX_FLUSHVP_NOT_DONE), "T3 leaked").Noted("the HKID is leaked")
                .Otherwise("T3 flushed bug")
            .State("T3 flushed bug", BugVm("TDH.MNG.VPFLUSHDONE failed"), "tdx_mmu_release_hkid").Next("T3 leaked")
            .State("T3 leaked", Unlock(KernelLocks.TdxLock), "tdx_mmu_release_hkid").Next("T3 leaked cpus")
            .State("T3 leaked cpus", Unlock(KernelLocks.CpuHotplugLock), "tdx_mmu_release_hkid").Next("leaked")
            .State("T3 cache", Seamcall(HostLeaf.TDH_PHYMEM_CACHE_WB), "smp_func_do_phymem_cache_wb").Whatever("T3 free")
            .State("T3 free", Seamcall(HostLeaf.TDH_MNG_KEY_FREEID), "tdx_mmu_release_hkid")
                .On(Success, "T3 unlock")
                .Otherwise("T3 free bug")
            .State("T3 free bug", BugVm("TDH.MNG.KEY.FREEID failed"), "tdx_mmu_release_hkid").Next("T3 leaked")
            .State("T3 unlock", Unlock(KernelLocks.TdxLock), "tdx_mmu_release_hkid").Next("T3 unlock cpus")
            .State("T3 unlock cpus", Unlock(KernelLocks.CpuHotplugLock), "tdx_mmu_release_hkid").Next("T4 first")
            .State("T4 first", SetCounter("page")).Next("T4");
        Reclaim(program, "T4", s_tdvpsPage, "tdx_vcpu_free", "T4 next");
        program
            .State("T4 next", CountBelow("page", platform.TdvpxPages - 1))
                .On(Yes, "T4")
                .On(No, "T4 tdvpr");
        Reclaim(program, "T4 tdvpr", s_tdvpr, "tdx_vcpu_free", "T5 lock");
        program.State("T5 lock", WriteLockMmu, "kvm_mmu_uninit_tdp_mmu").Next($"T5 level {SeptLevel.Page2M}");
        for (int level = SeptLevel.Page2M; level <= SeptLevel.Pml4; level++)
        {
            program.State($"T5 level {level}", Seamcall(HostLeaf.TDH_PHYMEM_PAGE_RECLAIM, level, operands: s_table), "tdx_sept_free_private_spt")
                .On(Success, level == SeptLevel.Pml4 ? "T5 unlock" : $"T5 level {level + 1}")
                .Otherwise("T5 leaked");
        }

        program.State("T5 leaked", UnlockMmu, "kvm_mmu_uninit_tdp_mmu").Next("leaked");
        program.State("T5 unlock", UnlockMmu, "kvm_mmu_uninit_tdp_mmu").Next("T6 first");
        program.State("T6 first", SetCounter("page")).Next("T6");
        Reclaim(program, "T6", s_tdcsPage, "tdx_reclaim_td_control_pages", "T6 next");
        return program
            .State("T6 next", CountBelow("page", platform.TdcsPages - 1))
                .On(Yes, "T6")
                .On(No, "T6 tdr")
            .State("T6 tdr", Seamcall(HostLeaf.TDH_PHYMEM_PAGE_RECLAIM, operands: s_tdr), "tdx_reclaim_td_control_pages")
                .On(Success, HostProgram.Done).Progress("destroyed the VM")
                .Otherwise("leaked")
            .State("leaked", Goto).Next(HostProgram.Done).Progress("destroyed the VM").Noted("pages of a destroyed VM are leaked")
            .Build();
    }

    private static void Reclaim(ProgramBuilder program, string state, (Register, Operand)[] page, string from, string then) => program
        .State(state, Seamcall(HostLeaf.TDH_PHYMEM_PAGE_RECLAIM, operands: page), from)
            .On(Success, then)
            .Otherwise("leaked");
}
