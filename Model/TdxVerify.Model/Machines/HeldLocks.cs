using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// Locks that a test takes and keeps, as another logical processor in mid-call would (Hardware/README.md, "Locks held
/// by others"). PAMT entries are taken as a PAMT walk: parents shared, the entry where the walk ends in the mode.
/// </summary>
/// <typeparam name="S">The layout of the state.</typeparam>
internal sealed class HeldLocks<S>
    where S : struct, IState
{
    private readonly List<(LockOperation Operation, Grip Grip)> _held = [];

    /// <summary>Locks held, with what they were taken as.</summary>
    public IEnumerable<LockOperation> Held => _held.Select(held => held.Operation);

    /// <summary>Forgets all; the state is reset by its owner.</summary>
    public void Clear() => _held.Clear();

    /// <summary>Takes a lock.</summary>
    public PortResult Lock(ref S s, in LockOperation operation)
    {
        if (!TryFind(ref s, operation, out Grip grip))
            return PortResult.Invalid;
        bool granted = operation.Which switch
        {
            PortLock.OpState => ChangeTd(ref s, grip, operation, TakeHostPriority),
            PortLock.SeptTree or PortLock.Epoch => ChangeTd(ref s, grip, operation, TakePlain),
            PortLock.SeptEntry => TakeEntry(ref s, grip, operation),
            _ => TakePamt(ref s, ref grip, operation),
        };
        if (!granted)
            return PortResult.Busy;
        _held.Add((operation, grip));
        return PortResult.Ok;
    }

    /// <summary>Drops a lock taken before.</summary>
    public PortResult Unlock(ref S s, in LockOperation operation)
    {
        int position = _held.Count - 1;
        while (position >= 0 && _held[position].Operation != operation)
            position--;
        if (position < 0)
            return PortResult.Invalid;
        Grip grip = _held[position].Grip;
        _held.RemoveAt(position);
        switch (operation.Which)
        {
            case PortLock.OpState:
                ChangeTd(ref s, grip, operation, DropHostPriority);
                break;
            case PortLock.SeptTree or PortLock.Epoch:
                ChangeTd(ref s, grip, operation, DropPlain);
                break;
            case PortLock.SeptEntry:
                DropEntry(ref s, grip);
                break;
            default:
                DropPamt(ref s, grip, grip.Size, operation.Exclusive);
                break;
        }

        return PortResult.Ok;
    }

    private delegate bool WordChange(ref ulong word, in LockOperation operation);

    private static bool TakeHostPriority(ref ulong word, in LockOperation operation) => operation.Exclusive
        ? HostPriorityLock.TryExclusive(ref word, operation.Guest)
        : HostPriorityLock.TryShared(ref word, operation.Guest);

    private static bool DropHostPriority(ref ulong word, in LockOperation operation)
    {
        if (operation.Exclusive)
            HostPriorityLock.ReleaseExclusive(ref word);
        else
            HostPriorityLock.ReleaseShared(ref word);
        return true;
    }

    private static bool TakePlain(ref ulong word, in LockOperation operation) =>
        operation.Exclusive ? PlainLock.TryExclusive(ref word) : PlainLock.TryShared(ref word);

    private static bool DropPlain(ref ulong word, in LockOperation operation)
    {
        if (operation.Exclusive)
            PlainLock.ReleaseExclusive(ref word);
        else
            PlainLock.ReleaseShared(ref word);
        return true;
    }

    private static bool ChangeTd(ref S s, Grip grip, in LockOperation operation, WordChange change)
    {
        TdField field = operation.Which switch
        {
            PortLock.OpState => TdField.OpStateLock,
            PortLock.SeptTree => TdField.SeptTreeLock,
            _ => TdField.EpochLock,
        };
        ulong word = s.Td(grip.Td, field);
        bool granted = change(ref word, operation);
        s.SetTd(grip.Td, field, word);
        return granted;
    }

    private static bool TakeEntry(ref S s, Grip grip, in LockOperation operation)
    {
        SeptEntry entry = s.Entry(grip.Entry);
        bool granted = operation.Guest ? EntryLock.TryGuest(ref entry) : EntryLock.TryHost(ref entry);
        s.SetEntry(grip.Entry, entry);
        return granted;
    }

    // A locked FREE entry does not keep its S-EPT page from being removed; then there is nothing left to unlock.
    private static void DropEntry(ref S s, Grip grip)
    {
        if (s.Holder(grip.TablePage) == grip.Entry.Table
            && s.TablePage(grip.Entry.Table) == grip.TablePage
            && (PageType)s.Pamt(new PamtRef(0, grip.TablePage), PamtField.Type) is PageType.PT_EPT or PageType.PT_TDCX)
        {
            s.SetEntry(grip.Entry, s.Entry(grip.Entry).WithLock(false));
        }
    }

    private static bool TakePamt(ref S s, ref Grip grip, in LockOperation operation)
    {
        for (int size = 2; size >= 0; size--)
        {
            PamtRef at = PamtRef.Of(size, grip.Page);
            bool isLast = size == 0 || (PageType)s.Pamt(at, PamtField.Type) == PageType.PT_REG;
            ulong word = s.Pamt(at, PamtField.Lock);
            bool granted = size == 0 && operation.Exclusive
                ? HostPriorityLock.TryExclusive(ref word, operation.Guest)
                : HostPriorityLock.TryShared(ref word, operation.Guest);
            bool promoted = !isLast || size == 0 || !operation.Exclusive;
            if (granted && !promoted)
            {
                promoted = HostPriorityLock.TryPromote(ref word, operation.Guest);
                if (!promoted)
                    HostPriorityLock.ReleaseShared(ref word);
            }

            s.SetPamt(at, PamtField.Lock, word);
            if (!granted || !promoted)
            {
                DropParents(ref s, grip, size);
                return false;
            }

            grip.Size = size;
            if (isLast)
                return true;
        }

        return true;
    }

    private static void DropPamt(ref S s, Grip grip, int size, bool exclusive)
    {
        PamtRef at = PamtRef.Of(size, grip.Page);
        ulong word = s.Pamt(at, PamtField.Lock);
        if (exclusive)
            HostPriorityLock.ReleaseExclusive(ref word);
        else
            HostPriorityLock.ReleaseShared(ref word);
        s.SetPamt(at, PamtField.Lock, word);
        DropParents(ref s, grip, size);
    }

    private static void DropParents(ref S s, Grip grip, int size)
    {
        for (int parent = size + 1; parent <= 2; parent++)
        {
            PamtRef at = PamtRef.Of(parent, grip.Page);
            ulong word = s.Pamt(at, PamtField.Lock);
            HostPriorityLock.ReleaseShared(ref word);
            s.SetPamt(at, PamtField.Lock, word);
        }
    }

    private static bool TryFind(ref S s, in LockOperation operation, out Grip grip)
    {
        grip = default;
        ulong page = (operation.Argument - s.Platform.PageBase) >> Hpa.PageShift;
        if (page >= (ulong)s.Platform.PageCount)
            return false;
        grip.Page = (int)page;
        if (operation.Which == PortLock.Pamt)
            return true;
        var type = (PageType)s.Pamt(new PamtRef(0, grip.Page), PamtField.Type);
        if (operation.Which == PortLock.Tdvps)
            return type == PageType.PT_TDVPR;
        if (type != PageType.PT_TDR)
            return false;
        if (operation.Which == PortLock.Tdr)
            return true;
        grip.Td = s.Holder(grip.Page);
        if (s.Td(grip.Td, TdField.TdcsPages) == 0)
            return false;
        if (operation.Which != PortLock.SeptEntry)
            return true;
        if ((OpState)s.Td(grip.Td, TdField.OpState) == OpState.UNINITIALIZED
            || (TdLifecycle)s.Td(grip.Td, TdField.Lifecycle) == TdLifecycle.TD_TEARDOWN)
        {
            return false;
        }

        var info = new PageInfo(operation.Argument2);
        Call walk = default;
        walk.Td = grip.Td;
        walk.Gpa = info.Gpa;
        if (info.Level > (int)s.Td(grip.Td, TdField.RootLevel))
            return false;
        SeptSteps<S>.Walk(ref s, ref walk, info.Level);
        grip.Entry = walk.Entry;
        grip.TablePage = s.TablePage(walk.Entry.Table);
        return walk.Level == info.Level;
    }

    // What a lock was found to be when it was taken.
    private struct Grip
    {
        public int Page;
        public int Size;
        public int Td;
        public EntryRef Entry;
        public int TablePage;
    }
}
