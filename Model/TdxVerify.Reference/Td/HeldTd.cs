using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// A TD named by an operand: TDR locked and, for the leaves that look at OP_STATE, the state checks done
/// (facts/checks.md, the common steps of the memory leaves).
/// </summary>
internal unsafe struct HeldTd
{
    public ulong TdrHpa;
    public Tdr* Tdr;
    public Tdcs* Tdcs;

    private PageLock _tdrLock;
    private bool _opStateLocked;

    /// <summary>Locks the TDR and nothing else.</summary>
    public static ulong LockTdr(TdxModule module, ulong tdrHpa, OperandId operand, LockMode mode, out HeldTd td)
    {
        td = default;
        ulong status = ExplicitPage.Lock4K(module, tdrHpa, operand, mode, PamtPageType.Tdr, out td._tdrLock);
        if (status != Answer.Success)
            return status;
        td.TdrHpa = tdrHpa;
        td.Tdr = (Tdr*)module.Memory.Find(tdrHpa);
        return Answer.Success;
    }

    /// <summary>
    /// Locks the TDR, checks FATAL, lifecycle and TDCS pages, and OP_STATE against those allowed. OP_STATE is locked
    /// shared with a shared TDR; an exclusive TDR implies that lock. On failure nothing is held.
    /// </summary>
    public static ulong Open(
        TdxModule module, ulong tdrHpa, OperandId operand, LockMode mode, uint allowed, out HeldTd td)
    {
        ulong status = LockTdr(module, tdrHpa, operand, mode, out td);
        if (status != Answer.Success)
            return status;
        status = CheckState(module, td.Tdr, lockOpState: mode == LockMode.Shared, allowed, out td.Tdcs);
        if (status == Answer.Success)
            td._opStateLocked = mode == LockMode.Shared;
        else
            td._tdrLock.Release();
        return status;
    }

    /// <summary>The state checks of a TD whose TDR is locked. On failure OP_STATE is not locked.</summary>
    public static ulong CheckState(TdxModule module, Tdr* tdr, bool lockOpState, uint allowed, out Tdcs* tdcs)
    {
        tdcs = null;
        if (tdr->Fatal)
            return Status.TDX_TD_FATAL;
        if (tdr->Lifecycle != TdLifecycle.KeysConfigured)
            return Status.TDX_TD_KEYS_NOT_CONFIGURED;
        if (tdr->TdcxCount < module.Platform.TdcsPages)
            return Status.TDX_TDCS_NOT_ALLOCATED;
        tdcs = (Tdcs*)module.Memory.Find(tdr->TdcxHpa[0]);
        if (lockOpState && !HostPriorityLock.TryAcquireShared(ref tdcs->OpStateLock, guest: false))
            return Answer.Busy(OperandId.OP_STATE);
        if (OpStates.Contains(allowed, tdcs->OpState))
            return Answer.Success;
        if (lockOpState)
            HostPriorityLock.Release(ref tdcs->OpStateLock, LockMode.Shared);
        return Status.TDX_OP_STATE_INCORRECT;
    }

    /// <summary>Drops OP_STATE, then the TDR.</summary>
    public readonly void Release()
    {
        if (_opStateLocked)
            HostPriorityLock.Release(ref Tdcs->OpStateLock, LockMode.Shared);
        _tdrLock.Release();
    }
}
