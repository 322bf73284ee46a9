using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>TDG.MEM.PAGE.ACCEPT (facts/guest.md). No tree lock, no OP_STATE lock, no PAMT lock.</summary>
internal static unsafe class PageAccept
{
    private const int Chunks = 512;

    public static TdcallOutcome Execute(
        TdxModule module, LogicalProcessor lp, in RegisterFile guest, ref ulong status, ref RegisterFile host)
    {
        var target = new PageInfo(guest.Rcx);
        if (!SeptWalk.IsValid(target, SeptLevel.Page4K, SeptLevel.Page2M)
            || !SeptWalk.IsPrivate(lp.Tdcs, target.Gpa))
        {
            status = Answer.Invalid(OperandId.RCX);
            return TdcallOutcome.Returned;
        }

        int level = target.Level;
        ulong* entry = SeptWalk.Walk(module, lp.Tdcs, target.Gpa, ref level, out ulong copy);
        if (level != target.Level)
        {
            if (!SeptStates.Of(copy).Has(SeptTraits.GuestAccessibleLeaf))
                return AcceptViolation.Exit(lp, AcceptViolation.Accept, target, copy, level, out host);
            status = Status.TDX_PAGE_ALREADY_ACCEPTED | (uint)level;
            return TdcallOutcome.Returned;
        }

        // Leaf or not is judged by the entry as it was before the lock, all else by the entry under it.
        bool wasLeaf = SeptEntry.IsLeaf(copy);
        if (!SeptEntryLock.TryAcquireGuest(entry) && !module.Lacks(RemovedLock.SeptEntry))
        {
            status = Answer.Busy(OperandId.RCX);
            return TdcallOutcome.Returned;
        }

        copy = Volatile.Read(ref *entry);
        module.PauseUnder(RemovedLock.SeptEntry);
        SeptStateRow state = SeptStates.Of(copy);
        if (!SeptEntry.IsFree(copy) && !wasLeaf)
        {
            status = Status.TDX_PAGE_SIZE_MISMATCH | (uint)level;
        }
        else if (state.Has(SeptTraits.GuestAccessibleLeaf))
        {
            status = Status.TDX_PAGE_ALREADY_ACCEPTED | (uint)level;
        }
        else if (!state.Has(SeptTraits.Accept))
        {
            SeptEntryLock.Release(entry);
            return AcceptViolation.Exit(lp, AcceptViolation.Accept, target, copy, level, out host);
        }
        else
        {
            return Accept(module, lp, entry, copy, level, ref status, ref host);
        }

        SeptEntryLock.Release(entry);
        return TdcallOutcome.Returned;
    }

    private static TdcallOutcome Accept(
        TdxModule module, LogicalProcessor lp, ulong* entry, ulong copy, int level, ref ulong status,
        ref RegisterFile host)
    {
        bool interrupted = false;
        if (level == SeptLevel.Page4K)
            module.Memory.Clear(SeptEntry.LeafHpa(copy, level));
        else
            copy = AcceptChunks(module, copy, out interrupted);

        // The whole local copy is stored: host priority raised meanwhile is gone.
        Volatile.Write(ref *entry, interrupted ? copy : SeptEntry.Accept(copy));
        SeptEntryLock.Release(entry);
        if (interrupted)
        {
            ZeroStep.OnVmExit(lp);
            TdExit.ExternalInterrupt(lp, out host);
            return TdcallOutcome.LeftForRepeat;
        }

        status = Answer.Success;
        return TdcallOutcome.Returned;
    }

    /// <summary>
    /// A 2 MiB page, chunk by chunk from the counter in the entry; an interrupt can end it after each but the last.
    /// </summary>
    private static ulong AcceptChunks(TdxModule module, ulong entry, out bool interrupted)
    {
        ulong page = SeptEntry.LeafHpa(entry, SeptLevel.Page2M);
        int chunk = SeptEntry.AcceptCounter(entry);
        while (true)
        {
            module.Memory.Clear(page + ((ulong)chunk << Hpa.PageShift));
            chunk++;
            interrupted = chunk < Chunks && module.InterruptPending;
            if (chunk == Chunks || interrupted)
                return SeptEntry.WithAcceptCounter(entry, chunk % Chunks);
        }
    }
}
