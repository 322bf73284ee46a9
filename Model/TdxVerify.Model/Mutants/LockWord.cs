namespace TdxVerify.Model.Mutants;

/// <summary>
/// The word behind a <see cref="LockId"/>: where it is in the state, and what it looks like when the step that takes
/// it cannot be refused. This is what allows a mutant to replace the lock and keep what else the step does.
/// </summary>
internal static class LockWord<S>
    where S : struct, IState
{
    private const ulong OneReader = 4;

    /// <summary>The lock that the call means: a mapped page's entry is locked at the page's own size.</summary>
    public static LockId Resolve(ref Call c, LockId id) =>
        IsPamt(id) && Slot(id) == PageSlot.Mapped ? Call.PamtLock(PageSlot.Mapped, c.Size[(int)PageSlot.Mapped]) : id;

    public static bool IsPamt(LockId id) => id < LockId.OpState;

    /// <summary>The lock has a host-priority flag beside the word's holders: PAMT entries and OP_STATE.</summary>
    public static bool HasHostPriorityWord(LockId id) => id <= LockId.OpState;

    public static ulong Read(ref S s, ref Call c, LockId id) => id switch
    {
        LockId.OpState => s.Td(c.Td, TdField.OpStateLock),
        LockId.SeptTree => s.Td(c.Td, TdField.SeptTreeLock),
        LockId.Epoch => s.Td(c.Td, TdField.EpochLock),
        LockId.SeptEntry => s.Entry(c.Entry).Word,
        LockId.Kot => s.Global(GlobalField.KotLock),
        LockId.WritebackMutex => s.Global(GlobalField.WritebackMutex),
        _ => s.Pamt(PamtAt(ref c, id), PamtField.Lock),
    };

    public static void Write(ref S s, ref Call c, LockId id, ulong word)
    {
        switch (id)
        {
            case LockId.OpState:
                s.SetTd(c.Td, TdField.OpStateLock, word);
                break;
            case LockId.SeptTree:
                s.SetTd(c.Td, TdField.SeptTreeLock, word);
                break;
            case LockId.Epoch:
                s.SetTd(c.Td, TdField.EpochLock, word);
                break;
            case LockId.SeptEntry:
                s.SetEntry(c.Entry, new SeptEntry(word));
                break;
            case LockId.Kot:
                s.SetGlobal(GlobalField.KotLock, word);
                break;
            case LockId.WritebackMutex:
                s.SetGlobal(GlobalField.WritebackMutex, word);
                break;
            default:
                s.SetPamt(PamtAt(ref c, id), PamtField.Lock, word);
                break;
        }
    }

    /// <summary>The word with which the step is granted: free, or one reader where it promotes its own.</summary>
    public static ulong Grantable(LockUse use, ulong word) => use switch
    {
        { Mode: LockMode.Promoted } => OneReader,
        { Id: LockId.SeptEntry } => new SeptEntry(word).WithoutLockBits.Word,
        _ => 0,
    };

    private static PageSlot Slot(LockId id) => (PageSlot)((int)id / 3);

    private static PamtRef PamtAt(ref Call c, LockId id) => PamtRef.Of((int)id % 3, c.Page[(int)Slot(id)]);
}
