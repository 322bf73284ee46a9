using TdxVerify.Abi;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Kvm;

/// <summary>TDH.VP.FLUSH on the processor that last ran the agent's vCPU (facts/kvm.md, 6.2, 6.3). Left out: the lists of vCPUs by processor.</summary>
internal static class FlushVcpu
{
    /// <summary>tdx_flush_vp_on_cpu: the function is sent there by IPI. Returns -EIO where TDH.VP.FLUSH failed.</summary>
    public static HostProgram OnItsProcessor(KvmRelease release) => HostProgram.Named("tdx_flush_vp_on_cpu", release.In("tdx.c"))
        .State("L2", SmpCallBegin)
            .On(Yes, "X1")
            .On(No, $"return {KvmCodes.Handled}")
        .State("X1", IsVcpuCpuHere, "tdx_flush_vp")
            .On(Yes, "X2")
            .On(No, "X4")
        .State("X2", Seamcall(HostLeaf.TDH_VP_FLUSH), "tdx_flush_vp")
            .On(Success, "X3")
            .On(Exactly(Status.TDX_VCPU_NOT_ASSOCIATED), "X3")
            .Otherwise("X3 failed")
        .State("X3", VcpuCpuIsNone, "tdx_flush_vp").Next("X4")
        .State("X4", SmpCallEnd).Next($"return {KvmCodes.Handled}")
        .State("X3 failed", VcpuCpuIsNone, "tdx_flush_vp").Next("X4 failed")
        .State("X4 failed", SmpCallEnd).Next($"return {KvmCodes.Dead}")
        .Build();

    /// <summary>The vCPU's processor goes offline (tdx_disable_virtualization_cpu): the same function, its error dropped.</summary>
    public static HostProgram Offline(KvmRelease release, HostProgram flush) =>
        HostProgram.Named("tdx_disable_virtualization_cpu", release.In("tdx.c"))
            .State("X0", Lock(KernelLocks.CpuHotplugLock), "cpus_write_lock").Next("X0 flush")
            .State("X0 flush", Call(flush))
                .On(Returned(KvmCodes.Dead), "X5").Noted("a processor goes offline with its vCPU still associated")
                .Otherwise("X5")
            .State("X5", Unlock(KernelLocks.CpuHotplugLock), "cpus_write_unlock").Next(HostProgram.Done).Progress("went offline")
            .Build();
}
