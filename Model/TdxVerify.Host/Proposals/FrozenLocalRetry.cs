using TdxVerify.Abi;
using TdxVerify.Host.Kvm;
using TdxVerify.Host.Modules;

namespace TdxVerify.Host.Proposals;

/// <summary>P2: a fault on a frozen mirror SPTE is tried again on the spot; then nothing is ever busy.</summary>
public static class FrozenLocalRetry
{
    // BUSY is a bug: nothing is tried again but the fault on a frozen SPTE, and TRACK, which meets TDH.VP.ENTER on the epoch lock.
    private static readonly KvmParts s_parts = new()
    {
        MapRetries = null,
        NoFailCall = (leaf, level) => leaf == HostLeaf.TDH_MEM_TRACK ? RetryWrappers.TrackForever(leaf) : Do.Seamcall(leaf, level),
        LocalRetry = LocalRetry.Frozen,
    };

    /// <summary>The proposal.</summary>
    public static Proposal Proposal { get; } = new("frozen-local-retry")
    {
        Author = "Sean Christopherson",
        Date = "2024-09-13",
        Claim = "Without TDH.VP.ENTER on an unresolved fault KVM never triggers zero-step, so BUSY means a bug in KVM.",
        Objection = "Other sources of RET_PF_RETRY exist: mmu_invalidate in progress, attributes, BUSY of AUG and SEPT.ADD themselves.",
        Host = KvmHost.Of(s_parts),
    };

    /// <summary>The same host on a module with a higher threshold.</summary>
    public static Proposal Threshold10 { get; } = new("threshold-10")
    {
        Author = "Sean Christopherson",
        Date = "2024-10",
        Claim = "If zero-step begins after ten faults and not after six, the retries that are left do not reach it.",
        Objection = "A thought, not a patch; it depends on the module.",
        Host = KvmHost.Of(s_parts),
        Leaves = ModuleVariants.Threshold10.Leaves(),
    };
}
