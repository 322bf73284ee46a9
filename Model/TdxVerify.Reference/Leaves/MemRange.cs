using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>TDH.MEM.RANGE.BLOCK, RANGE.UNBLOCK and TRACK (facts/checks.md, facts/epoch.md).</summary>
internal static unsafe class MemRange
{
    public static ulong Block(TdxModule module, ref RegisterFile registers)
    {
        var target = new PageInfo(registers.Rcx);
        ulong tdrHpa = registers.Rdx;
        registers.Rcx = 0;
        registers.Rdx = 0;
        ulong status = HeldTd.Open(
            module, tdrHpa, OperandId.RDX, LockMode.Shared, OpStates.RangeBlock, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = HeldSeptEntry.Open(
            module, td, target, SeptLevel.Page4K, td.Tdcs->RootLevel, LockMode.Exclusive, ref registers,
            out HeldSeptEntry entry);
        if (status == Answer.Success)
        {
            status = Block(module, td, entry, ref registers);
            entry.ReleaseEntry();
            entry.ReleaseTree();
        }

        td.Release();
        return status;
    }

    private static ulong Block(TdxModule module, in HeldTd td, in HeldSeptEntry entry, ref RegisterFile registers)
    {
        if (!entry.State.Has(SeptTraits.RangeBlock))
        {
            ulong status = entry.State.Has(SeptTraits.AnyBlocked)
                ? Status.TDX_GPA_RANGE_ALREADY_BLOCKED
                : Status.TDX_EPT_ENTRY_STATE_INCORRECT;
            return entry.Refuse(status, ref registers);
        }

        // The entry first, TD_EPOCH after it, and neither the PAMT lock nor the epoch lock.
        entry.Store(SeptEntry.Block(SeptEntry.WithoutAcceptCounter(entry.Value, entry.Level)));
        MappedPage(module, entry)->BlockEpoch = td.Tdcs->Epoch.Epoch;
        return Answer.Success;
    }

    public static ulong Unblock(TdxModule module, ref RegisterFile registers)
    {
        var target = new PageInfo(registers.Rcx);
        ulong tdrHpa = registers.Rdx;
        registers.Rcx = 0;
        registers.Rdx = 0;
        ulong status = HeldTd.Open(
            module, tdrHpa, OperandId.RDX, LockMode.Shared, OpStates.RangeUnblock, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = HeldSeptEntry.Open(
            module, td, target, SeptLevel.Page4K, td.Tdcs->RootLevel, LockMode.Exclusive, ref registers,
            out HeldSeptEntry entry);
        if (status == Answer.Success)
        {
            status = Unblock(module, td, ref entry, ref registers);
            entry.ReleaseEntry();
            entry.ReleaseTree();
        }

        td.Release();
        return status;
    }

    private static ulong Unblock(
        TdxModule module, in HeldTd td, ref HeldSeptEntry entry, ref RegisterFile registers)
    {
        if (!entry.State.Has(SeptTraits.RangeUnblock))
            return entry.Refuse(Status.TDX_EPT_ENTRY_STATE_INCORRECT, ref registers);
        if (OpStates.Contains(OpStates.TrackingRequired, td.Tdcs->OpState)
            && !td.Tdcs->Epoch.IsTracked(MappedPage(module, entry)->BlockEpoch))
        {
            OperandId operand = module.Is1505 ? OperandId.RCX : OperandId.SEPT_TREE;
            return Status.TDX_TLB_TRACKING_NOT_DONE | (uint)operand;
        }

        entry.StoreAndUnlock(SeptEntry.Unblock(entry.Value) & ~SeptEntryLock.LockBit);
        return Answer.Success;
    }

    /// <summary>Where BEPOCH is kept: the mapped page at its size, or the S-EPT page that the entry points to.</summary>
    private static PamtEntry* MappedPage(TdxModule module, in HeldSeptEntry entry) =>
        SeptEntry.IsLeaf(entry.Value)
            ? module.Pamt.Implicit(SeptEntry.LeafHpa(entry.Value, entry.Level), entry.Level)
            : module.Pamt.Implicit(SeptEntry.TableHpa(entry.Value), SeptLevel.Page4K);

    public static ulong Track(TdxModule module, in RegisterFile registers)
    {
        ulong status = HeldTd.Open(
            module, registers.Rcx, OperandId.RCX, LockMode.Shared, OpStates.Track, out HeldTd td);
        if (status != Answer.Success)
            return status;
        Tdcs* tdcs = td.Tdcs;
        if (module.Lacks(RemovedLock.Epoch) || SharexLock.TryAcquireExclusive(ref tdcs->EpochLock))
        {
            module.Pause?.Invoke();
            if (tdcs->Epoch.PreviousCount == 0)
                tdcs->Epoch.Advance();
            else
                status = Status.TDX_PREVIOUS_TLB_EPOCH_BUSY;
            SharexLock.Release(ref tdcs->EpochLock, LockMode.Exclusive);
        }
        else
        {
            status = Answer.Busy(OperandId.TD_EPOCH);
        }

        td.Release();
        return status;
    }
}
