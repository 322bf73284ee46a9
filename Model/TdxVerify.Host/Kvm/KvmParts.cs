using TdxVerify.Abi;

namespace TdxVerify.Host.Kvm;

/// <summary>What makes the EPT-violation handler try again on the spot, without TDH.VP.ENTER (facts/kvm.md, V3 to V9).</summary>
public enum LocalRetry
{
    /// <summary>Nothing: every RET_PF_RETRY goes back to the run loop.</summary>
    Never,

    /// <summary>A frozen mirror SPTE only.</summary>
    Frozen,

    /// <summary>Every RET_PF_RETRY.</summary>
    Always,
}

/// <summary>
/// KVM's paths are the same for all proposals but for a few parts: how SEAMCALLs are made whose answer may be BUSY, and
/// what follows. By default each part is that of the release.
/// </summary>
public sealed record KvmParts
{
    /// <summary>The release whose paths they are.</summary>
    public KvmRelease Release { get; init; } = KvmRelease.V6_19;

    /// <summary>How the fault path makes TDH.MEM.PAGE.AUG, PAGE.ADD and SEPT.ADD: once, by default.</summary>
    public Func<HostLeaf, int, HostAction> MapCall { get; init; } = (leaf, level) => Do.Seamcall(leaf, level);

    /// <summary>The statuses of a map call that become RET_PF_RETRY; all other errors bug the VM. Null: all do.</summary>
    public When? MapRetries { get; init; } = When.Busy;

    /// <summary>How TDH.MEM.RANGE.BLOCK, TRACK, PAGE.REMOVE and PAGE.DEMOTE are made, which must not fail: tdh_do_no_vcpus by default.</summary>
    public Func<HostLeaf, int, HostAction>? NoFailCall { get; init; }

    /// <summary>What the EPT-violation handler tries again itself.</summary>
    public LocalRetry LocalRetry { get; init; } = LocalRetry.Always;

    /// <summary>vcpu_enter_guest, where it is not the release's.</summary>
    public HostProgram? EnterGuest { get; init; }

    /// <summary>The mapping of a page (kvm_tdp_mmu_map), where it is not the release's.</summary>
    public HostProgram? Map { get; init; }

    /// <summary>The EPT-violation handler, made from the fault path, where it is not the release's.</summary>
    public Func<HostProgram, HostProgram>? EptViolation { get; init; }

    /// <summary>The handler of a violation of a pending page, where it is not the release's.</summary>
    public HostProgram? PendingViolation { get; init; }

    /// <summary>The removal of a page (tdx_sept_remove_private_spte), where it is not the release's.</summary>
    public HostProgram? RemovePage { get; init; }
}

/// <summary>What follows a map call whose status is to be tried again.</summary>
internal static class MapRetries
{
    public static ProgramBuilder OnRetry(this ProgramBuilder program, KvmParts parts, string to, string sometimes) =>
        parts.MapRetries is { } test ? program.On(test, to).Noted(sometimes) : program;
}
