using TdxVerify.Abi;
using TdxVerify.Host.Kvm;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Proposals;

/// <summary>P1: the wrapper with a bound, then the error goes to the MMU.</summary>
public static class Retry16
{
    /// <summary>The proposal.</summary>
    public static Proposal Proposal { get; } = new("retry-16")
    {
        Author = "Rick Edgecombe, Yuan Yao",
        Date = "2024-09",
        Subject = "KVM: TDX: Retry seamcall when TDX_OPERAND_BUSY with operand SEPT (09/21)",
        Claim = "Contention on the S-EPT tree ends soon, and a bounded loop cannot lock up.",
        Objection = "Why 16? A lock per VM or a global one? Blind retry is opposed, and mapping must not need mmu_lock for write.",
        Host = KvmHost.Of(new KvmParts
        {
            MapCall = RetryWrappers.Bounded,
            MapRetries = Busy,
            NoFailCall = (leaf, level) => leaf == HostLeaf.TDH_MEM_TRACK ? RetryWrappers.TrackForever(leaf) : RetryWrappers.Bounded(leaf, level),
            LocalRetry = LocalRetry.Never,
        }),
    };

    /// <summary>P5b: the bounded wrapper for mapping only; removal as upstream.</summary>
    public static Proposal MapOnly { get; } = new("retry-16-map-only")
    {
        Author = "Yan Zhao",
        Date = "2024-12-13",
        Claim = "Sixteen retries in place of the local loop are less code, and removal kicks.",
        Objection = "Not taken: the local loop was preferred.",
        Host = KvmHost.Of(new KvmParts { MapCall = RetryWrappers.Bounded, LocalRetry = LocalRetry.Never }),
    };
}
