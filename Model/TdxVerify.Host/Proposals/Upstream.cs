using TdxVerify.Host.Kvm;

namespace TdxVerify.Host.Proposals;

/// <summary>KVM as it is: the two baselines.</summary>
public static class Upstream
{
    /// <summary>Linux 6.16.</summary>
    public static Proposal V6_16 { get; } = new("upstream-6.16")
    {
        Author = "Sean Christopherson, Yan Zhao",
        Date = "2025-01-13",
        Subject = "[PATCH 0/7] KVM: TDX SEPT SEAMCALL retry",
        Claim = "A VM-wide flag, wait_for_sept_zap, and one kick keep all vCPUs out, so one more call of BLOCK, TRACK or REMOVE succeeds; the fault path returns RET_PF_RETRY and tries again on the spot.",
        Objection = "tdx_vcpu_run returns early without cancel_injection, hence a warning on force_immediate_exit.",
        Host = KvmHost.Of(new KvmParts { Release = KvmRelease.V6_16 }),
    };

    /// <summary>Linux 6.19.</summary>
    public static Proposal V6_19 { get; } = new("upstream-6.19")
    {
        Author = "Sean Christopherson",
        Date = "2025-10-30",
        Subject = "KVM: x86/mmu: TDX post-populate cleanups",
        Claim = "One helper around every call that must not fail, all locks of the VM in the ioctls that build the TD, PAGE.ADD under mmu_lock and mmu_lock for write around VP.INIT: what is left of BUSY is a bug.",
        Host = KvmHost.Of(new KvmParts { Release = KvmRelease.V6_19 }),
    };
}
