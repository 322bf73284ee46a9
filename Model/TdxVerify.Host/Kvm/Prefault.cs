using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Kvm;

/// <summary>KVM_PRE_FAULT_MEMORY (facts/kvm.md, 2.4): the fault path over a range, in the vCPU's own thread, SRCU held for all of it.</summary>
internal static class Prefault
{
    public static HostProgram Of(KvmRelease release, HostProgram fault)
    {
        ProgramBuilder program = HostProgram.Named("kvm_vcpu_pre_fault_memory", release.In("kvm_main.c"))
            .State("P0", Lock(KernelLocks.OwnVcpuMutex)).Next("P0 srcu")
            .State("P0 srcu", SrcuReadLock).Next("P1")
            .State("P1", Test(KvmVariables.PreFaultAllowed))
                .On(Yes, "P2")
                .On(No, "leave")
            .State("P2", CheckRequest(BugVmAction.VmDeadRequest), "kvm_tdp_page_prefault")
                .On(Yes, "leave")
                .On(No, "P2 fault")
            .State("P2 fault", Call(fault), "kvm_tdp_page_prefault")
                .On(Returned(KvmCodes.Retry), release == KvmRelease.V6_16 ? "P2" : "P2 slot")
                .On(Returned(KvmCodes.RetryFrozen), "P2")
                .On(Returned(KvmCodes.MemoryFault), "leave")
                .Whatever("P3");
        if (release != KvmRelease.V6_16)
        {
            program.State("P2 slot", Test(KvmVariables.SlotInvalid), "kvm_tdp_page_prefault")
                .On(Yes, "leave")
                .On(No, "P2");
        }

        return program
            .State("P3", NextGpa)
                .On(Yes, "P2")
                .On(No, "leave")
            .State("leave", SrcuReadUnlock).Next("leave mutex")
            .State("leave mutex", Unlock(KernelLocks.OwnVcpuMutex)).Next(HostProgram.Done).Progress("prefaulted")
            .Build();
    }
}
