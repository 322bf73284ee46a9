using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>TDG.MEM.PAGE.ATTR.RD and ATTR.WR (facts/guest.md), for TDs without L2 VMs: all attributes are 0.</summary>
internal static unsafe class PageAttributes
{
    private const ulong PendingBit = 1UL << 62;
    private const int Vms = 4;
    private const int BitsPerVm = 16;

    public static TdcallOutcome Read(
        TdxModule module, LogicalProcessor lp, ref RegisterFile guest, ref ulong status, ref RegisterFile host)
    {
        ulong gpa = guest.Rcx;
        guest.Rcx = 0;
        guest.Rdx = 0;
        if (!SeptWalk.IsPrivate(lp.Tdcs, gpa))
        {
            status = Answer.Invalid(OperandId.RCX);
            return TdcallOutcome.Returned;
        }

        int level = SeptLevel.Page4K;
        ulong* entry = SeptWalk.Walk(module, lp.Tdcs, gpa, ref level, out _);
        if (!SeptEntryLock.TryAcquireGuest(entry) && !module.Lacks(RemovedLock.SeptEntry))
        {
            status = Answer.Busy(OperandId.RCX);
            return TdcallOutcome.Returned;
        }

        module.Pause?.Invoke();
        SeptStateRow state = SeptStates.Of(Volatile.Read(ref *entry));
        SeptEntryLock.Release(entry);
        if (!state.Has(SeptTraits.AttrRd))
        {
            TdExit.EptViolation(lp, gpa, qualification: 0, extendedQualification: 0, out host);
            return TdcallOutcome.LeftForRepeat;
        }

        guest.Rcx = (gpa & ~(SeptLevel.Size(level) - 1)) | (uint)level | (state.Has(SeptTraits.AnyPending) ? PendingBit : 0);
        return TdcallOutcome.Returned;
    }

    public static TdcallOutcome Write(
        TdxModule module, LogicalProcessor lp, ref RegisterFile guest, ref ulong status, ref RegisterFile host)
    {
        var target = new PageInfo(guest.Rcx);
        ulong attributes = guest.Rdx;
        ulong flags = guest.R8;
        guest.Rcx = 0;
        guest.Rdx = 0;

        // No VM but L1 exists, and L1 has no attributes that could be written.
        for (int vm = 0; vm < Vms; vm++)
        {
            status = (ushort)(attributes >> (vm * BitsPerVm)) != 0 ? Answer.Invalid(OperandId.RDX)
                : (ushort)(flags >> (vm * BitsPerVm)) != 0 ? Answer.Invalid(OperandId.R8)
                : Answer.Success;
            if (status != Answer.Success)
                return TdcallOutcome.Returned;
        }

        if (!SeptWalk.IsValid(target, SeptLevel.Page4K, SeptLevel.Page1G)
            || !SeptWalk.IsPrivate(lp.Tdcs, target.Gpa))
        {
            status = Answer.Invalid(OperandId.RCX);
            return TdcallOutcome.Returned;
        }

        int level = target.Level;
        ulong* entry = SeptWalk.Walk(module, lp.Tdcs, target.Gpa, ref level, out ulong value);
        if (level != target.Level)
            return AcceptViolation.Exit(lp, AcceptViolation.AttributesWrite, target, value, level, out host);
        if (!SeptEntryLock.TryAcquireGuest(entry) && !module.Lacks(RemovedLock.SeptEntry))
        {
            status = Answer.Busy(OperandId.RCX);
            return TdcallOutcome.Returned;
        }

        module.Pause?.Invoke();
        value = Volatile.Read(ref *entry);
        SeptEntryLock.Release(entry);
        if (!SeptEntry.IsLeaf(value) && !SeptEntry.IsFree(value))
        {
            status = Status.TDX_PAGE_SIZE_MISMATCH | (uint)level;
            return TdcallOutcome.Returned;
        }

        SeptStateRow state = SeptStates.Of(value);
        if (!state.Has(SeptTraits.AttrWr))
            return AcceptViolation.Exit(lp, AcceptViolation.AttributesWrite, target, value, level, out host);
        guest.Rcx = target.Value | (state.Has(SeptTraits.AnyPending) ? PendingBit : 0);
        return TdcallOutcome.Returned;
    }
}
