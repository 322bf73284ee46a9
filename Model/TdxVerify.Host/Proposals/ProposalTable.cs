using System.Collections.Immutable;

namespace TdxVerify.Host.Proposals;

/// <summary>Every proposal made so far, and KVM as it is (facts/retry-proposals.md).</summary>
public static class ProposalTable
{
    /// <summary>In the order in which they were made.</summary>
    public static ImmutableArray<Proposal> All { get; } =
    [
        RetryForever.Proposal,
        Retry16.Proposal,
        FrozenLocalRetry.Proposal,
        KickAndRemove.KickFirst,
        KickAndRemove.KickOnBusy,
        WalkRetry.Proposal,
        FrozenLocalRetry.Threshold10,
        ThreeGroups.Proposal,
        Retry16.MapOnly,
        AvoidZeroStep.Proposal,
        PrefaultAll.Proposal,
        Upstream.V6_16,
        ModuleNoFreeEntryLock.Proposal,
        Upstream.V6_19,
        DemoteLoop.Proposal,
    ];

    /// <summary>The proposal with a name; null: there is none.</summary>
    public static Proposal? Find(string name) => All.FirstOrDefault(proposal => proposal.Name == name);
}
