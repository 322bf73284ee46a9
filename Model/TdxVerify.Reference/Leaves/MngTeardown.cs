using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// TDH.MNG.VPFLUSHDONE, KEY.FREEID and KEY.RECLAIMID (facts/checks.md, facts/pamt.md): the key id on its way back.
/// </summary>
internal static unsafe class MngTeardown
{
    public static ulong VpFlushDone(TdxModule module, in RegisterFile registers)
    {
        ulong status = HeldTd.LockTdr(module, registers.Rcx, OperandId.RCX, LockMode.Exclusive, out HeldTd td);
        if (status != Answer.Success)
            return status;
        if (SharexLock.TryAcquireExclusive(ref module.Kot.Lock))
        {
            status = VpFlushDone(module, td.Tdr);
            SharexLock.Release(ref module.Kot.Lock, LockMode.Exclusive);
        }
        else
        {
            status = Answer.Busy(OperandId.KOT);
        }

        td.Release();
        return status;
    }

    private static ulong VpFlushDone(TdxModule module, Tdr* tdr)
    {
        if (tdr->Lifecycle is not (TdLifecycle.KeysConfigured or TdLifecycle.HkidAssigned))
            return Status.TDX_LIFECYCLE_STATE_INCORRECT;
        if (tdr->TdcxCount >= module.Platform.TdcsPages)
        {
            var tdcs = (Tdcs*)module.Memory.Find(tdr->TdcxHpa[0]);
            if (tdcs->OpState != OpState.Uninitialized && Volatile.Read(ref tdcs->AssociatedCount) != 0)
                return Status.TDX_FLUSHVP_NOT_DONE;
        }

        module.Kot.RequestWriteBack(tdr->Hkid, module.Platform.Packages);
        tdr->Lifecycle = TdLifecycle.Blocked;
        module.Kot[tdr->Hkid] = HkidState.Flushed;
        return Answer.Success;
    }

    public static ulong KeyFreeId(TdxModule module, in RegisterFile registers)
    {
        ulong status = HeldTd.LockTdr(module, registers.Rcx, OperandId.RCX, LockMode.Exclusive, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = KeyFreeId(module, td.Tdr);
        td.Release();
        return status;
    }

    private static ulong KeyFreeId(TdxModule module, Tdr* tdr)
    {
        if (tdr->Lifecycle != TdLifecycle.Blocked)
            return Status.TDX_LIFECYCLE_STATE_INCORRECT;
        if (!SharexLock.TryAcquireExclusive(ref module.Kot.Lock))
            return Answer.Busy(OperandId.KOT);
        ulong status = Status.TDX_WBCACHE_NOT_COMPLETE;
        if (module.Kot.WriteBackBitmap(tdr->Hkid) == 0)
        {
            module.Kot[tdr->Hkid] = HkidState.Free;
            tdr->Lifecycle = TdLifecycle.Teardown;
            status = Answer.Success;
        }

        SharexLock.Release(ref module.Kot.Lock, LockMode.Exclusive);
        return status;
    }

    /// <summary>Kept for compatibility: does nothing, whatever the operand.</summary>
    public static ulong KeyReclaimId() => Answer.Success;
}
