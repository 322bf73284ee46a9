using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Kvm;

/// <summary>
/// A vCPU's thread: KVM_RUN again and again, and within it the run loop (facts/kvm.md, 1.1 and 1.2). Left out: the
/// ways to user space and back that change nothing here (VMCALL, signals), HLT, emulation, injection (E2), root
/// reloads (E3). User space answers every error of KVM_RUN by calling it again.
/// </summary>
internal static class VcpuRun
{
    /// <summary>The thread stays on its processor.</summary>
    /// <param name="release">The release.</param>
    /// <param name="enterGuest">vcpu_enter_guest.</param>
    /// <param name="violation">What follows an EPT violation.</param>
    /// <param name="acceptViolation">What follows an EPT violation of an ACCEPT of 4 KiB: the same but for 2 MiB pages.</param>
    /// <param name="pendingViolation">What follows an EPT violation of a pending page.</param>
    public static HostProgram Of(
        KvmRelease release, HostProgram enterGuest, HostProgram violation, HostProgram acceptViolation, HostProgram pendingViolation) =>
        Loop(HostProgram.Named("vcpu_run", release.In("x86.c")), "R4", enterGuest, violation, acceptViolation, pendingViolation).Build();

    /// <summary>The scheduler moves the thread between processors 0 and 1: tdx_vcpu_load (facts/kvm.md, 6.1), at the points where it would be preempted.</summary>
    public static HostProgram OfMigrating(
        KvmRelease release, HostProgram enterGuest, HostProgram violation, HostProgram pendingViolation, HostProgram flush) =>
        Loop(HostProgram.Named("vcpu_run, migrating", release.In("x86.c")), "sched", enterGuest, violation, violation, pendingViolation)
            .State("sched", Perhaps(Surroundings.Migration), "kvm_sched_in")
                .On(Yes, "which")
                .On(No, "L1")
            .State("which", Perhaps("to processor 1, not 0"))
                .On(Yes, "to 1")
                .On(No, "to 0")
            .State("to 1", MoveTo(1)).Next("L1")
            .State("to 0", MoveTo(0)).Next("L1")
            .State("L1", IsVcpuCpuHere, "tdx_vcpu_load")
                .On(Yes, "R4")
                .On(No, "L2")
            .State("L2", Call(flush), "tdx_flush_vp_on_cpu")
                .On(Returned(KvmCodes.Dead), "L2 bug")
                .Whatever("L4")
            .State("L2 bug", BugVm("TDH.VP.FLUSH failed")).Next("L4")
            .State("L4", VcpuCpuIsHere, "kvm_arch_vcpu_load").Next("R4")
            .Build();

    private static ProgramBuilder Loop(
        ProgramBuilder program, string loaded, HostProgram enterGuest, HostProgram violation, HostProgram acceptViolation, HostProgram pendingViolation) => program
        .State("R1", Test(BugVmAction.VmDead), "kvm_vcpu_ioctl")
            .On(Yes, HostProgram.Done)
            .On(No, "R2")
        .State("R2", Lock(KernelLocks.OwnVcpuMutex)).Next(loaded)
        .State("R4", SrcuReadLock).Next("R6")
        .State("R6", Test(KvmVariables.Runnable), "tdx_vcpu_pre_run")
            .On(Yes, "E0")
            .On(No, "leave")
        .State("E0", FirstGpa, "the GPA of the last exit is forgotten").Next("E1")
        .State("E1", CheckRequest(BugVmAction.VmDeadRequest), "vcpu_enter_guest")
            .On(Yes, "leave")
            .On(No, "E5")
        .State("E5", Call(enterGuest))
            .On(Returned(KvmCodes.EptViolation), "E17 violation")
            .On(Returned(KvmCodes.AcceptViolation), "E17 accept")
            .On(Returned(KvmCodes.PendingViolation), "E17 pending")
            .On(Returned(KvmCodes.InternalError), "leave").Noted("KVM_EXIT_INTERNAL_ERROR")
            .Whatever("E0")
        .State("E17 violation", Call(violation), "tdx_handle_exit")
            .On(Returned(KvmCodes.Handled), "E0")
            .Whatever("leave").Noted("an EPT violation leaves to user space")
        .State("E17 accept", Call(acceptViolation), "tdx_handle_exit")
            .On(Returned(KvmCodes.Handled), "E0")
            .Whatever("leave").Noted("an EPT violation leaves to user space")
        .State("E17 pending", Call(pendingViolation), "tdx_handle_exit")
            .On(Returned(KvmCodes.Handled), "E0")
            .Whatever("leave")
        .State("leave", SrcuReadUnlock, "kvm_arch_vcpu_ioctl_run").Next("leave mutex")
        .State("leave mutex", Unlock(KernelLocks.OwnVcpuMutex)).Next(HostProgram.Done);
}
