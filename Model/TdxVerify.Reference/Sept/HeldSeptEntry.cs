using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// An entry of the S-EPT that a host leaf works on: the tree locked, the entry reached and locked, its value read
/// again under the lock (facts/checks.md, the common steps of the memory leaves).
/// </summary>
internal unsafe struct HeldSeptEntry
{
    public ulong* Entry;

    /// <summary>The value under the lock, lock bit set.</summary>
    public ulong Value;
    public int Level;
    public ulong Gpa;

    private Tdcs* _tdcs;
    private LockMode _treeMode;
    private bool _entryLocked;

    /// <summary>
    /// Checks the operand, locks the tree, walks, locks the entry. Failures of the walk and of the entry lock fill
    /// RCX and RDX with the entry as the walk read it. On failure nothing is held.
    /// </summary>
    public static ulong Open(
        TdxModule module, in HeldTd td, PageInfo target, int minLevel, int maxLevel, LockMode treeMode,
        ref RegisterFile registers, out HeldSeptEntry held)
    {
        held = default;
        Tdcs* tdcs = td.Tdcs;
        if (!SeptWalk.IsValid(target, minLevel, maxLevel))
            return Answer.Invalid(OperandId.RCX);
        if (!SeptWalk.IsPrivate(tdcs, target.Gpa))
            return Answer.Invalid(OperandId.RCX);
        if (!module.Lacks(RemovedLock.SeptTree) && !SharexLock.TryAcquire(ref tdcs->SeptTreeLock, treeMode))
            return Answer.Busy(OperandId.SEPT_TREE);

        module.Pause?.Invoke();
        int level = target.Level;
        ulong* entry = SeptWalk.Walk(module, tdcs, target.Gpa, ref level, out ulong copy);
        if (level != target.Level)
        {
            SharexLock.Release(ref tdcs->SeptTreeLock, treeMode);
            Describe(copy, level, ref registers);
            return Status.TDX_EPT_WALK_FAILED | (uint)OperandId.RCX;
        }

        if (!SeptEntryLock.TryAcquireHost(entry) && !module.Lacks(RemovedLock.SeptEntry))
        {
            Describe(copy, level, ref registers);
            SharexLock.Release(ref tdcs->SeptTreeLock, treeMode);
            return Answer.Busy(OperandId.RCX);
        }

        held.Entry = entry;
        held.Value = Volatile.Read(ref *entry);
        module.PauseUnder(RemovedLock.SeptEntry);
        held.Level = level;
        held.Gpa = target.Gpa;
        held._tdcs = tdcs;
        held._treeMode = treeMode;
        held._entryLocked = true;
        return Answer.Success;
    }

    /// <summary>The state of the entry under the lock.</summary>
    public readonly ref readonly SeptStateRow State => ref SeptStates.Of(Value);

    /// <summary>TDX_EPT_ENTRY_STATE_INCORRECT, or another status that describes the entry in RCX and RDX.</summary>
    public readonly ulong Refuse(ulong status, ref RegisterFile registers)
    {
        Describe(Value, Level, ref registers);
        return status | (uint)OperandId.RCX;
    }

    /// <summary>Stores a value that keeps the entry locked.</summary>
    public readonly void Store(ulong value) => Volatile.Write(ref *Entry, value);

    /// <summary>Stores a value with bit 11 clear: the store is the release of the entry lock.</summary>
    public void StoreAndUnlock(ulong value)
    {
        Volatile.Write(ref *Entry, value);
        _entryLocked = false;
    }

    /// <summary>
    /// What removing a translation needs while the TD runs: the entry blocked, and the block tracked (facts/epoch.md).
    /// </summary>
    public readonly ulong CheckTracked(PamtEntry* page, ref RegisterFile registers)
    {
        if (!State.Has(SeptTraits.TrackingRequired)
            || !OpStates.Contains(OpStates.TrackingRequired, _tdcs->OpState))
            return Answer.Success;
        if (!State.Has(SeptTraits.AnyBlocked))
            return Refuse(Status.TDX_GPA_RANGE_NOT_BLOCKED, ref registers);
        return _tdcs->Epoch.IsTracked(page->BlockEpoch)
            ? Answer.Success
            : Status.TDX_TLB_TRACKING_NOT_DONE | (uint)OperandId.RCX;
    }

    /// <summary>Drops the entry lock, unless a store did.</summary>
    public void ReleaseEntry()
    {
        if (_entryLocked)
            SeptEntryLock.Release(Entry);
        _entryLocked = false;
    }

    public readonly void ReleaseTree() => SharexLock.Release(ref _tdcs->SeptTreeLock, _treeMode);

    /// <summary>RCX and RDX: the architectural form of an entry, its level and state.</summary>
    public static void Describe(ulong entry, int level, ref RegisterFile registers)
    {
        registers.Rcx = SeptEntry.Architectural(entry);
        registers.Rdx = SeptEntry.ArchitecturalInfo(entry, level);
    }
}
