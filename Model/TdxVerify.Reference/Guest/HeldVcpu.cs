using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// A vCPU named by an operand: TDVPR locked, its owner TDR locked without its parents (facts/checks.md, the common
/// steps of the VP leaves).
/// </summary>
internal unsafe struct HeldVcpu
{
    public PageLock TdvprLock;
    public PamtEntry* TdrEntry;
    public ulong TdrHpa;
    public Tdr* Tdr;
    public Tdcs* Tdcs;
    public Tdvps* Vcpu;

    private LockMode _tdrMode;
    private bool _opStateLocked;

    /// <summary>Locks TDVPR, then its TDR. On failure nothing is held.</summary>
    public static ulong Lock(
        TdxModule module, ulong tdvprHpa, OperandId operand, LockMode mode, LockMode tdrMode, out HeldVcpu held)
    {
        held = default;
        ulong status = ExplicitPage.Lock4K(module, tdvprHpa, operand, mode, PamtPageType.Tdvpr, out held.TdvprLock);
        if (status != Answer.Success)
            return status;
        held.TdrHpa = held.TdvprLock.Entry->OwnerHpa;
        held.TdrEntry = module.Pamt.TryLockImplicit(held.TdrHpa, SeptLevel.Page4K, tdrMode);
        if (held.TdrEntry == null)
        {
            held.TdvprLock.Release();
            return Answer.Busy(OperandId.TDR);
        }

        held._tdrMode = tdrMode;
        held.Tdr = (Tdr*)module.Memory.Find(held.TdrHpa);
        held.Vcpu = (Tdvps*)module.Memory.Find(tdvprHpa);
        return Answer.Success;
    }

    /// <summary>The state checks of the TD; OP_STATE is then locked shared.</summary>
    public ulong CheckTdState(TdxModule module, uint allowed)
    {
        ulong status = HeldTd.CheckState(module, Tdr, lockOpState: true, allowed, out Tdcs);
        _opStateLocked = status == Answer.Success;
        return status;
    }

    /// <summary>
    /// Associates the vCPU with a processor, where it is with none or already with this one.
    /// </summary>
    public readonly ulong Associate(int lp)
    {
        int before = Interlocked.CompareExchange(ref Vcpu->AssociatedLp, lp, Tdvps.NoLp);
        if (before == Tdvps.NoLp)
            Interlocked.Increment(ref Tdcs->AssociatedCount);
        else if (before != lp)
            return Status.TDX_VCPU_ASSOCIATED;
        return Answer.Success;
    }

    public void ReleaseOpState()
    {
        if (_opStateLocked)
            HostPriorityLock.Release(ref Tdcs->OpStateLock, LockMode.Shared);
        _opStateLocked = false;
    }

    public readonly void ReleaseTdr() => HostPriorityLock.Release(ref TdrEntry->Lock, _tdrMode);

    /// <summary>OP_STATE, TDR, TDVPR.</summary>
    public void Release()
    {
        ReleaseOpState();
        ReleaseTdr();
        TdvprLock.Release();
    }
}
