using TdxVerify.Host.Kvm;
using TdxVerify.Host.Modules;

namespace TdxVerify.Host.Proposals;

/// <summary>A change of the module: guest calls do not lock entries that are FREE. The host is upstream's.</summary>
public static class ModuleNoFreeEntryLock
{
    /// <summary>The proposal.</summary>
    public static Proposal Proposal { get; } = new("module-no-free-entry-lock")
    {
        Author = "Rick Edgecombe, Sean Christopherson",
        Date = "2024-12",
        Claim = "A BUSY that a guest causes can be told from one that KVM causes, and AUG is faster.",
        Objection = "Not needed once upstream-6.16 is in; whether the module will change is not known.",
        Host = KvmHost.Of(new KvmParts()),
        Leaves = ModuleVariants.NoFreeEntryLock.Leaves(),
    };
}
