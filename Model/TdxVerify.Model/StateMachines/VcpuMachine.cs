using static TdxVerify.Model.Trigger;
using static TdxVerify.Model.VcpuState;

namespace TdxVerify.Model;

/// <summary>
/// The state of a vCPU (facts/op-states.csv). VCPU_DISABLED is never reached: no modelled TD exit is non-recoverable
/// for its vCPU alone. VCPU_IMPORT belongs to migration and is left out.
/// </summary>
public static class VcpuMachine
{
    /// <summary>The machine.</summary>
    public static StateMachine<VcpuState, Trigger> Declared { get; } = new("vCPU",
    [
        new(null, TDH_VP_CREATE, VCPU_UNINITIALIZED),
        new(VCPU_UNINITIALIZED, TDH_VP_ADDCX, VCPU_UNINITIALIZED),
        new(VCPU_UNINITIALIZED, TDH_VP_INIT, VCPU_READY, new Guard("6 TDVPS pages, vCPU count within MAX_VCPUS")),
        new(VCPU_READY, TDH_VP_ENTER, VCPU_ACTIVE, new Guard("associated with no LP or this one")),
        new(VCPU_READY, TDH_VP_ENTER, VCPU_READY, new Guard("zero-step: a listed GPA still faults, the EPT violation is emulated")),
        new(VCPU_ACTIVE, TD_EXIT, VCPU_READY),
        new(VCPU_READY, TDH_VP_RD, VCPU_READY, new Guard("associated with no LP or this one")),
        new(VCPU_DISABLED, TDH_VP_RD, VCPU_DISABLED, new Guard("associated with no LP or this one")),
        new(VCPU_READY, TDH_VP_FLUSH, VCPU_READY, new Guard("associated with this LP")),
        new(VCPU_UNINITIALIZED, TDH_PHYMEM_PAGE_RECLAIM, null, new Guard("of the TDVPR, lifecycle TD_TEARDOWN")),
        new(VCPU_READY, TDH_PHYMEM_PAGE_RECLAIM, null, new Guard("of the TDVPR, lifecycle TD_TEARDOWN")),
    ]);
}
