using TdxVerify.Abi;
using TdxVerify.Host.Kvm;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Proposals;

/// <summary>KVM never enters on an unresolved fault: an event is handled, and then the violation is replayed without TDH.VP.ENTER.</summary>
public static class AvoidZeroStep
{
    /// <summary>The proposal.</summary>
    public static Proposal Proposal { get; } = new("avoid-zero-step")
    {
        Author = "Rick Edgecombe, Sean Christopherson (call of 2024-12-17)",
        Date = "2024-12-17",
        Claim = "If synthetic EPT violations hide unresolved faults from exits to user space, zero-step is never triggered, and only TRACK can still be busy.",
        Objection = "An endless battle; a guest that touches memory in a loop triggers zero-step even if KVM resolves each fault at once.",
        Host = KvmHost.Of(new KvmParts
        {
            NoFailCall = (leaf, level) => leaf == HostLeaf.TDH_MEM_TRACK ? Call(NoVcpus.Of(KvmRelease.V6_19, leaf, level)) : Seamcall(leaf, level),
            EptViolation = Violation,
        }),
    };

    private static HostProgram Violation(HostProgram fault) => HostProgram.Named("tdx_handle_ept_violation, replayed", "tdx.c, as discussed 2024-12-17")
        .State("fault", Call(fault))
            .On(Returned(KvmCodes.Retry), "event")
            .On(Returned(KvmCodes.MemoryFault), "event")
            .Whatever($"return {KvmCodes.Handled}")
        .State("event", SrcuReadUnlock).Next("replay").Noted("an unresolved fault is replayed")
        .State("replay", SrcuReadLock).Next("dead")
        .State("dead", CheckRequest(BugVmAction.VmDeadRequest))
            .On(Yes, $"return {KvmCodes.Dead}")
            .On(No, "fault")
        .Build();
}
