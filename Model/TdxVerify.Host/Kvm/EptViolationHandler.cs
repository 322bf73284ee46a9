using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Kvm;

/// <summary>
/// tdx_handle_ept_violation for a private GPA (facts/kvm.md, 2.1): the fault path, tried again on the spot until
/// something else wants the vCPU. Shared GPAs (V1) are not in the model.
/// </summary>
internal static class EptViolationHandler
{
    /// <summary>V4 to V9; the memslot check V8 is in 6.18 and later.</summary>
    public static HostProgram Of(KvmRelease release, LocalRetry retry, HostProgram fault)
    {
        ProgramBuilder program = HostProgram.Named("tdx_handle_ept_violation", release.In("tdx.c"))
            .State("V4", Call(fault), "__vmx_handle_ept_violation")
                .On(Returned(KvmCodes.Retry), retry == LocalRetry.Always ? "V6" : $"return {KvmCodes.Handled}").Noted(KvmCodes.Retry)
                .On(Returned(KvmCodes.RetryFrozen), retry == LocalRetry.Never ? $"return {KvmCodes.Handled}" : "V6").Noted(KvmCodes.RetryFrozen)
                .On(Returned(KvmCodes.MemoryFault), $"return {KvmCodes.MemoryFault}")
                .Whatever($"return {KvmCodes.Handled}");
        if (retry == LocalRetry.Never)
            return program.Build();
        program
            .State("V6", Perhaps(Surroundings.EventPending), "kvm_vcpu_has_events")
                .On(Yes, $"return {KvmCodes.Handled}").Noted("an event ends the local retry")
                .On(No, "V7")
            .State("V7", CheckRequest(BugVmAction.VmDeadRequest))
                .On(Yes, $"return {KvmCodes.Dead}")
                .On(No, release == KvmRelease.V6_16 ? "V4" : "V8");
        if (release != KvmRelease.V6_16)
        {
            program.State("V8", Test(KvmVariables.SlotInvalid))
                .On(Yes, $"return {KvmCodes.Handled}")
                .On(No, "V4");
        }

        return program.Build();
    }

    /// <summary>V2: the guest touched a page that it has not accepted, so the VM is killed.</summary>
    public static HostProgram Pending(KvmRelease release) => HostProgram.Named("kvm_vm_dead", release.In("tdx.c tdx_handle_ept_violation"))
        .State("V2", Set(BugVmAction.VmDead)).Next("V2 kick").Noted("the VM is killed: a pending page was touched")
        .State("V2 kick", Kick(BugVmAction.VmDeadRequest)).Next($"return {KvmCodes.Dead}")
        .Build();
}
