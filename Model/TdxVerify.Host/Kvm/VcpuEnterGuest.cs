using TdxVerify.Abi;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Kvm;

/// <summary>
/// The part of the run loop with interrupts off (facts/kvm.md, E5 to E16). Left out, since no S-EPT state and no lock
/// depends on it: preemption, posted interrupts (E9, E12c), FPU and debug registers (E11), the immediate-exit warning
/// (E12a), the dispatch of the host's interrupt (E14). A signal at E10 has the same effect as a request and is left to
/// requests.
/// </summary>
public static class VcpuEnterGuest
{
    /// <summary>What is noted where a vCPU turns back before TDH.VP.ENTER because a host thread keeps it out.</summary>
    public const string BailsOut = "a vCPU bails out before the entry";

    // The level that ACCEPT asked for (facts/guest.md).
    private static readonly When s_wants4K = Output(Register.Rdx, 0x7_0000_0000, 0);

    internal static HostProgram Of(KvmRelease release) => HostProgram.Named("vcpu_enter_guest", release.In("x86.c"))
        .State("E5", IrqOff).Next("E6")
        .State("E6", SetMode(VcpuMode.IN_GUEST_MODE)).Next("E7")
        .State("E7", SrcuReadUnlock).Next("E10 mode")
        .State("E10 mode", ModeIs(VcpuMode.EXITING_GUEST_MODE))
            .On(Yes, "E10 outside")
            .On(No, "E10 requests")
        .State("E10 requests", RequestPending)
            .On(Yes, "E10 outside").Noted(BailsOut)
            .On(No, "E12")
        .State("E10 outside", SetMode(VcpuMode.OUTSIDE_GUEST_MODE)).Next("E10 irq on")
        .State("E10 irq on", IrqOn).Next("E10 srcu")
        .State("E10 srcu", SrcuReadLock).Next($"return {KvmCodes.Handled}")
        .State("E12", Call(TdxVcpuRun(release))).Whatever("E13")
        .State("E13", SetMode(VcpuMode.OUTSIDE_GUEST_MODE)).Next("E15")
        .State("E15", IrqOn).Next("E16")
        .State("E16", SrcuReadLock).Next(HostProgram.ReturnStatus)
        .Build();

    private static HostProgram TdxVcpuRun(KvmRelease release) => HostProgram.Named("tdx_vcpu_run", release.In("tdx.c"))
        .State("E12b", Test(KvmVariables.WaitForSeptZap))
            .On(Yes, $"return {KvmCodes.Handled}").Noted(BailsOut)
            .On(No, "E12d")
        .State("E12d", Seamcall(HostLeaf.TDH_VP_ENTER))
            .On(Busy, $"return {KvmCodes.Handled}").Noted("TDH.VP.ENTER is busy")
            .On(PendingViolation, $"return {KvmCodes.PendingViolation}").TakesGpa()
            .On(AcceptViolation & s_wants4K, $"return {KvmCodes.AcceptViolation}").TakesGpa()
            .On(EptViolation, $"return {KvmCodes.EptViolation}").TakesGpa()
            .On(Error, $"return {KvmCodes.InternalError}")
            .Otherwise($"return {KvmCodes.Handled}")
        .Build();
}
