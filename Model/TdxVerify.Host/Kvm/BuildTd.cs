using TdxVerify.Abi;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Kvm;

/// <summary>
/// The ioctls before the TD runs (facts/kvm.md, 4 and 5): KVM_TDX_INIT_MEM_REGION, INIT_VCPU, FINALIZE_VM, GET_CPUID.
/// 6.19 takes all locks of the VM in the first three.
/// </summary>
internal static class BuildTd
{
    /// <summary>What an ioctl reports when it returns to user space, whatever it returns.</summary>
    private const string Returned = "returned to user space";

    private const int MostVcpus = 3;

    private static readonly (Register, Operand)[] s_added = [(Register.Rcx, Operand.TdvpsPage("page")), (Register.Rdx, Operand.Vcpu)];

    /// <summary>
    /// Adds and measures the agent's pages. One TDH.MR.EXTEND stands for the sixteen of a page, which differ in nothing
    /// that others see. Left out: source pages, VP.WR of the shared EPT pointer.
    /// </summary>
    /// <param name="release">6.16 records the page, then adds it without mmu_lock; 6.19 adds it within the map.</param>
    /// <param name="map">kvm_tdp_mmu_map before the TD is finalized.</param>
    /// <param name="locksExtend">A proposed fix: TDH.MR.EXTEND under mmu_lock for write.</param>
    public static HostProgram InitMemRegion(KvmRelease release, HostProgram map, bool locksExtend = false)
    {
        ProgramBuilder program = HostProgram.Named("tdx_vcpu_init_mem_region", release.In("tdx.c"));
        program = release == KvmRelease.V6_16
            ? program
                .State("A1", Lock(KernelLocks.OwnVcpuMutex)).Next("A3")
                .State("A3", Lock(KernelLocks.SlotsLock)).Next("A3 state")
            : Guard(program, "A3 state");
        program
            .State("A3 state", Test(KvmVariables.Runnable))
                .On(Yes, "leave")
                .On(No, "A6")
            .State("A6", Lock(KernelLocks.InvalidateLock), "kvm_gmem_populate").Next("A8")
            .State("A8", ReadLockMmu, "kvm_tdp_map_page").Next("A8 map")
            .State("A8 map", Call(map))
                .On(When.Returned(KvmCodes.Retry), "A8 again")
                .Whatever("A8 unlock")
            .State("A8 again", UnlockMmu).Next("A8")
            .State("A8 unlock", UnlockMmu).Next(release == KvmRelease.V6_16 ? "A9" : locksExtend ? "A10 lock" : "A10");
        if (release == KvmRelease.V6_16)
        {
            program
                .State("A9", Seamcall(HostLeaf.TDH_MEM_PAGE_ADD), "tdx_gmem_post_populate")
                    .On(Success, "A9 count")
                    .Otherwise("A11").Noted("KVM_TDX_INIT_MEM_REGION fails")
                .State("A9 count", Decrement(KvmVariables.NrPremapped), "tdx_gmem_post_populate").Whatever("A10")
                .State("A10", Seamcall(HostLeaf.TDH_MR_EXTEND), "tdx_gmem_post_populate")
                    .On(Success, "A11")
                    .Otherwise("A11").Noted("KVM_TDX_INIT_MEM_REGION fails");
        }
        else
        {
            string after = locksExtend ? "A10 unlock" : "A11";
            if (locksExtend)
                program.State("A10 lock", WriteLockMmu, "tdx_gmem_post_populate").Next("A10");
            program
                .State("A10", Seamcall(HostLeaf.TDH_MR_EXTEND), "tdx_gmem_post_populate")
                    .On(Success, after)
                    .Otherwise("A10 bug")
                .State("A10 bug", BugVm("TDH.MR.EXTEND failed"), "tdx_gmem_post_populate").Next(after);
            if (locksExtend)
                program.State("A10 unlock", UnlockMmu, "tdx_gmem_post_populate").Next("A11");
        }

        program
            .State("A11", Unlock(KernelLocks.InvalidateLock)).Next("next")
            .State("next", NextGpa)
                .On(Yes, "A6")
                .On(No, "leave");
        if (release != KvmRelease.V6_16)
            return DropGuard(program).Build();
        return program
            .State("leave", Unlock(KernelLocks.SlotsLock)).Next("leave mutex")
            .State("leave mutex", Unlock(KernelLocks.OwnVcpuMutex)).Next(HostProgram.Done).Progress(Returned)
            .Build();
    }

    /// <summary>TDH.VP.CREATE, ADDCX and INIT (version 1). Left out: the three VP.WR (I5).</summary>
    /// <param name="release">6.16: only the vCPU's own mutex; 6.19: all locks, and mmu_lock for write around VP.INIT.</param>
    /// <param name="locksInit">6.19 without mmu_lock around VP.INIT if false: facts/retry-proposals.md, bug 13.</param>
    public static HostProgram InitVcpu(KvmRelease release, bool locksInit = true)
    {
        bool underMmuLock = release != KvmRelease.V6_16 && locksInit;
        ProgramBuilder program = HostProgram.Named("tdx_td_vcpu_init", release.In("tdx.c"));
        program = release == KvmRelease.V6_16 ? program.State("I0", Lock(KernelLocks.OwnVcpuMutex)).Next("I1") : Guard(program, "I1");
        program
            .State("I1", Test(KvmVariables.Runnable), "tdx_vcpu_ioctl")
                .On(Yes, "leave")
                .On(No, "I2")
            .State("I2", Seamcall(HostLeaf.TDH_VP_CREATE))
                .On(Success, "I3 first")
                .Otherwise("I2 bug")
            .State("I2 bug", BugVm("TDH.VP.CREATE failed")).Next("leave")
            .State("I3 first", SetCounter("page")).Next("I3")
            .State("I3", Seamcall(HostLeaf.TDH_VP_ADDCX, operands: s_added))
                .On(Success, "I3 next")
                .Otherwise("I3 bug")
            .State("I3 next", CountBelow("page", new PlatformInfo().TdvpxPages - 1))
                .On(Yes, "I3")
                .On(No, underMmuLock ? "I4 lock" : "I4")
            .State("I3 bug", BugVm("TDH.VP.ADDCX failed")).Next("leave");
        string after = underMmuLock ? "I4 unlock" : "leave";
        if (underMmuLock)
            program.State("I4 lock", WriteLockMmu).Next("I4");
        program
            .State("I4", Seamcall(HostLeaf.TDH_VP_INIT, version: 1, operands: (Register.R8, Operand.X2ApicId)))
                .On(Success, after)
                .Otherwise("I4 bug")
            .State("I4 bug", BugVm("TDH.VP.INIT failed")).Next(after);
        if (underMmuLock)
            program.State("I4 unlock", UnlockMmu).Next("leave");
        return release == KvmRelease.V6_16
            ? program.State("leave", Unlock(KernelLocks.OwnVcpuMutex)).Next(HostProgram.Done).Progress(Returned).Build()
            : DropGuard(program).Build();
    }

    /// <summary>TDH.MR.FINALIZE. Then the TD may run.</summary>
    /// <param name="release">6.16: kvm->lock and slots_lock; 6.19: all locks. Neither takes mmu_lock.</param>
    /// <param name="locksFinalize">A proposed fix: mmu_lock for write around TDH.MR.FINALIZE.</param>
    public static HostProgram FinalizeVm(KvmRelease release, bool locksFinalize = false)
    {
        ProgramBuilder program = HostProgram.Named("tdx_td_finalize", release.In("tdx.c"));
        program = release == KvmRelease.V6_16
            ? program
                .State("H1", Lock(KernelLocks.KvmLock)).Next("H1 slots")
                .State("H1 slots", Lock(KernelLocks.SlotsLock)).Next("H1 state")
            : Guard(program, "H1 state");
        string call = locksFinalize ? "H3 lock" : "H3";
        string after = locksFinalize ? "H3 unlock" : "leave";
        program
            .State("H1 state", Test(KvmVariables.Runnable))
                .On(Yes, "leave")
                .On(No, release == KvmRelease.V6_16 ? "H2" : call);
        if (release == KvmRelease.V6_16)
        {
            program.State("H2", Test(KvmVariables.NrPremapped, 0))
                .On(Yes, call)
                .On(No, "leave").Noted("FINALIZE_VM refuses: a recorded page was not added");
        }

        if (locksFinalize)
            program.State("H3 lock", WriteLockMmu).Next("H3");
        program
            .State("H3", Seamcall(HostLeaf.TDH_MR_FINALIZE))
                .On(Success, "H4")
                .On(Busy, after).Noted("FINALIZE_VM is busy")
                .Otherwise("H3 bug")
            .State("H3 bug", BugVm("TDH.MR.FINALIZE failed")).Next(after)
            .State("H4", Set(KvmVariables.Runnable)).Next("H4 allow")
            .State("H4 allow", Set(KvmVariables.PreFaultAllowed)).Next(after);
        if (locksFinalize)
            program.State("H3 unlock", UnlockMmu).Next("leave");
        return release == KvmRelease.V6_16
            ? program
                .State("leave", Unlock(KernelLocks.SlotsLock)).Next("leave kvm")
                .State("leave kvm", Unlock(KernelLocks.KvmLock)).Next(HostProgram.Done).Progress(Returned)
                .Build()
            : DropGuard(program).Build();
    }

    /// <summary>TDH.MNG.RD of one CPUID field; an error is only reported to user space. Both releases: the vCPU's own mutex.</summary>
    public static HostProgram GetCpuid(KvmRelease release) => HostProgram.Named("tdx_vcpu_get_cpuid", release.In("tdx.c"))
        .State("G1", Lock(KernelLocks.OwnVcpuMutex)).Next("G2")
        .State("G2", Seamcall(HostLeaf.TDH_MNG_RD), "tdx_read_cpuid").Whatever("G3")
        .State("G3", Unlock(KernelLocks.OwnVcpuMutex)).Next(HostProgram.Done).Progress(Returned)
        .Build();

    // tdx_acquire_vm_state_locks (facts/kvm.md, 0.7); every vCPU that is created is online.
    private static ProgramBuilder Guard(ProgramBuilder program, string then)
    {
        program.State("G1", Lock(KernelLocks.KvmLock), "tdx_acquire_vm_state_locks").Next("G3 0");
        for (int vcpu = 0; vcpu < MostVcpus; vcpu++)
        {
            program.State($"G3 {vcpu}", Lock(KernelLocks.VcpuMutex(vcpu)), "tdx_acquire_vm_state_locks")
                .Next(vcpu + 1 < MostVcpus ? $"G3 {vcpu + 1}" : "G4");
        }

        return program.State("G4", Lock(KernelLocks.SlotsLock), "tdx_acquire_vm_state_locks").Next(then);
    }

    private static ProgramBuilder DropGuard(ProgramBuilder program)
    {
        program.State("leave", Unlock(KernelLocks.SlotsLock), "tdx_release_vm_state_locks").Next("leave 0");
        for (int vcpu = 0; vcpu < MostVcpus; vcpu++)
        {
            program.State($"leave {vcpu}", Unlock(KernelLocks.VcpuMutex(vcpu)), "tdx_release_vm_state_locks")
                .Next(vcpu + 1 < MostVcpus ? $"leave {vcpu + 1}" : "leave kvm");
        }

        return program.State("leave kvm", Unlock(KernelLocks.KvmLock), "tdx_release_vm_state_locks").Next(HostProgram.Done).Progress(Returned);
    }
}
