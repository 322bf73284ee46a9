using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>
/// The laws about the module's locks, judged by who holds what and not by the lock words: an observer's record, kept
/// beside them. A refused attempt needs a holder that conflicts, or host priority against a guest; two holders must not
/// conflict; a lock that nobody holds must be free.
/// </summary>
/// <param name="machine">The machine.</param>
internal sealed class LockLaws(HostMachine machine)
{
    private const int PamtLocks = 12;
    private const int ExclusiveShift = 56;

    // Places of the record, so that locks of different kinds of objects do not meet.
    private const int TdPlace = 0x2000;
    private const int EntryPlace = 0x1000;
    private const int GlobalPlace = 0x3000;

    /// <summary>The word of the lock that the agent is about to attempt; null: it attempts none, or only for an instant.</summary>
    public (Cell Lock, ulong Word, LockMode Mode)? Attempt(in HostStep at)
    {
        ref readonly Agent agent = ref at.Thread.Agent;
        if (!agent.CanStep || agent.Phase == AgentPhase.InGuest)
            return null;
        Step<CellState> step = machine.Leaves.All[agent.List].Steps[agent.Step];
        if (step.Kind != StepKind.Lock || step.Lock is not { } use || LockOf(use.Id, agent.Call) is not { } cell)
            return null;
        return (cell, at.Cells.Read(cell), use.Mode);
    }

    /// <summary>Looks at what a step of a call took, dropped and was refused.</summary>
    public void Look(ref HostStep at, in Agent before, (Cell Lock, ulong Word, LockMode Mode)? attempt)
    {
        ref readonly Agent after = ref at.Thread.Agent;
        bool refused = after.Call.FailedStep != 0 && before.Call.FailedStep == 0 && HostEvents.IsBusy(after.Call.Status);
        if (refused && attempt is { } tried && !IsJustified(at, tried.Lock, tried.Word, tried.Mode))
            at.Report(machine.EventOf(HostEvents.BusyUnjustified));
        if (after.Call.Held == before.Call.Held || after.Phase == AgentPhase.InGuest && before.Phase == AgentPhase.HostLeaf)
            return;
        Dictionary<Cell, bool> had = HeldBy(before.Call);
        Dictionary<Cell, bool> has = HeldBy(after.Call);
        foreach ((Cell cell, bool exclusive) in has)
        {
            if (!had.TryGetValue(cell, out bool was) || was != exclusive)
                Take(ref at, cell, exclusive);
        }

        foreach (Cell cell in had.Keys.Where(cell => !has.ContainsKey(cell)))
            Drop(ref at, cell);
    }

    /// <summary>The record of a lock.</summary>
    public static Cell HoldersOf(Cell cell) => cell.Kind switch
    {
        ChangeKind.Td => new Cell(ChangeKind.Holders, cell.Object, cell.Position + TdPlace),
        ChangeKind.Entry => new Cell(ChangeKind.Holders, cell.Object, cell.Position + EntryPlace),
        ChangeKind.Global => new Cell(ChangeKind.Holders, cell.Object, cell.Position + GlobalPlace),
        _ => new Cell(ChangeKind.Holders, cell.Object, cell.Position),
    };

    /// <summary>The lock of a record.</summary>
    public static Cell LockOf(Cell holders) => (holders.Position & 0xF000) switch
    {
        TdPlace => new Cell(ChangeKind.Td, holders.Object, holders.Position - TdPlace),
        EntryPlace => new Cell(ChangeKind.Entry, holders.Object, holders.Position - EntryPlace),
        GlobalPlace => new Cell(ChangeKind.Global, holders.Object, holders.Position - GlobalPlace),
        _ => new Cell(ChangeKind.Pamt, holders.Object, holders.Position),
    };

    /// <summary>A record with agents renamed.</summary>
    public static ulong Rename(ulong holders, Func<int, int> rename)
    {
        ulong renamed = Exclusive(holders) is var exclusive and > 0 ? (ulong)(rename(exclusive - 1) + 1) << ExclusiveShift : 0;
        for (int agent = 0; agent < ExclusiveShift; agent++)
        {
            if ((holders >> agent & 1) != 0)
                renamed |= 1UL << rename(agent);
        }

        return renamed;
    }

    private static int Exclusive(ulong holders) => (int)(holders >> ExclusiveShift);

    // One holder's own locks on the same entry, by two operands, count as one, the stronger.
    private static Dictionary<Cell, bool> HeldBy(in Call call)
    {
        Dictionary<Cell, bool> held = [];
        foreach (LockId id in Ids())
        {
            if (call.Holds(id) && LockOf(id, call) is { } cell)
                held[cell] = call.HoldsExclusive(id) || held.GetValueOrDefault(cell);
        }

        return held;
    }

    private static IEnumerable<LockId> Ids() => Enumerable.Range(0, PamtLocks).Select(id => (LockId)id).Concat(Enum.GetValues<LockId>());

    // The 512 children of a promotion, and the mutex of the cache, are not followed.
    private static Cell? LockOf(LockId id, in Call call) => id switch
    {
        _ when (int)id < PamtLocks => Cell.Pamt(PamtRef.Of((int)id % 3, call.Page[(int)id / 3]), PamtField.Lock),
        LockId.OpState => Cell.Td(call.Td, TdField.OpStateLock),
        LockId.SeptTree => Cell.Td(call.Td, TdField.SeptTreeLock),
        LockId.Epoch => Cell.Td(call.Td, TdField.EpochLock),
        LockId.SeptEntry => Cell.Entry(call.Entry),
        LockId.Kot => new Cell(ChangeKind.Global, 0, (int)GlobalField.KotLock),
        _ => null,
    };

    private void Take(ref HostStep at, Cell cell, bool exclusive)
    {
        Cell record = HoldersOf(cell);
        ulong holders = at.Cells.Read(record);
        ulong others = holders & ~(1UL << at.Agent) & ((1UL << ExclusiveShift) - 1);
        bool other = Exclusive(holders) > 0 && Exclusive(holders) != at.Agent + 1;
        if (other || (exclusive && others != 0))
            at.Report(machine.EventOf(HostEvents.SectionsConflict));
        at.Cells.Write(record, exclusive ? ((ulong)(at.Agent + 1) << ExclusiveShift) | others : holders | (1UL << at.Agent));
    }

    private void Drop(ref HostStep at, Cell cell)
    {
        Cell record = HoldersOf(cell);
        ulong holders = at.Cells.Read(record) & ~(1UL << at.Agent);
        if (Exclusive(holders) == at.Agent + 1)
            holders &= (1UL << ExclusiveShift) - 1;
        at.Cells.Write(record, holders);
        if (holders == 0 && !IsFree(cell, at.Cells.Read(cell)))
            at.Report(machine.EventOf(HostEvents.LockLeaks));
    }

    private static bool IsFree(Cell cell, ulong word) => cell.Kind switch
    {
        ChangeKind.Entry => !new SeptEntry(word).IsLocked,
        ChangeKind.Pamt => !HostPriorityLock.IsExclusive(word) && HostPriorityLock.Readers(word) == 0,
        ChangeKind.Td when cell.Position == (int)TdField.OpStateLock => !HostPriorityLock.IsExclusive(word) && HostPriorityLock.Readers(word) == 0,
        _ => !PlainLock.IsExclusive(word) && PlainLock.Readers(word) == 0,
    };

    private bool IsJustified(in HostStep at, Cell cell, ulong word, LockMode mode)
    {
        ulong holders = at.Cells.Read(HoldersOf(cell));
        if (cell.Kind == ChangeKind.Entry)
        {
            var entry = new SeptEntry(word);
            return entry.IsLocked || (mode == LockMode.Guest && entry.HasHostPriority);
        }

        return mode == LockMode.Shared ? Exclusive(holders) > 0 : holders != 0 && (mode != LockMode.Promoted || holders != 1UL << at.Agent);
    }
}
