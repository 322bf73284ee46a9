using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Laws.Books;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// No lock that a call acquires outlives it. After each event a lock word says exactly what is held: by another agent
/// that the run stands in for, by vCPUs in the guest (their TDVPR's PAMT entries of all sizes and the TDR's 4 KiB entry,
/// shared), and by known residue (facts/lock-types.csv): a refused shared attempt leaves its reader until the exclusive
/// release; a refused host attempt raises host priority, and the next granted one, or a write of a whole S-EPT entry,
/// takes it back.
/// </summary>
public sealed class LockLaw : Law
{
    private const int EnterKeeps = 0;
    private const int ExitReleases = 1;
    private const int ResidueReader = 2;
    private const int ResidueDropped = 3;
    private const int PriorityRaised = 4;
    private const int PriorityTakenBack = 5;
    private const int EntryPriorityRaised = 6;
    private const int EntryPriorityTakenBack = 7;

    private const int LocksOfTd = 3;
    private const ulong EntryLockBits = SeptEntry.LockBit | SeptEntry.HostPriorityBit;

    private readonly RunBooks _books;
    private readonly PageBook<Word> _pages = new();
    private readonly List<Word[]> _tds = [];
    private readonly List<Hold> _holds = [];
    private readonly List<EntryRef> _priorities = [];
    private PlatformInfo? _platform;
    private bool _hasRefusal;

    internal LockLaw(RunBooks books)
        : base(
            "no-lock-outlives-its-call", "After each event, lock words say what others hold, what TDH.VP.ENTER keeps, and known residue; nothing else.",
            "TDH.VP.ENTER keeps TDVPR and TDR shared", "TD exit releases them", "reader left behind by a refused shared attempt",
            "left reader dropped by the exclusive release", "host priority raised", "host priority taken back",
            "host priority raised on an S-EPT entry", "host priority taken back from an S-EPT entry")
    {
        _books = books;
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        _books.Reset();
        _pages.Reset();
        _holds.Clear();
        _priorities.Clear();
    }

    /// <inheritdoc/>
    protected override string? Check(Observation o)
    {
        if (!ReferenceEquals(_platform, o.Platform))
        {
            _platform = o.Platform;
            _pages.Fit(o.Platform);
        }

        _books.See(o);
        if (_books.Wrote(ChangeKind.NewTd) || _books.Wrote(ChangeKind.NewTable))
            ForgetNewObjects();
        _hasRefusal = false;
        ref ObservedState s = ref o.State;
        string? wrong = o.Kind switch
        {
            TraceEventKind.Lock when o.LockGranted => Take(o, ref s),
            TraceEventKind.Unlock => Drop(o),
            TraceEventKind.Enter when o.Running => Keep(o, ref s, _books.Roster.Visit, 1),
            TraceEventKind.Exit when _books.Roster.Left => Keep(o, ref s, _books.Roster.Visit, -1),
            _ => null,
        };
        return wrong ?? CheckWords(o, ref s);
    }

    private string? CheckWords(Observation o, ref ObservedState s)
    {
        foreach (ref readonly Change change in o.Changes)
        {
            switch (change.Kind)
            {
                case ChangeKind.Pamt when change.PamtField == PamtField.Lock:
                    PamtRef at = change.PamtAt;
                    ulong now = s.Pamt(at, PamtField.Lock);
                    if (now != _pages.Read(at).Seen && CheckHostPriorityLock(o, now, ref _pages.At(at)) is { } page)
                        return $"PAMT lock of {_books.Hpa(at)}: {page}";
                    break;
                case ChangeKind.Td when TdLock(change.Position) is >= 0 and var which:
                    if (s.Td(change.Object, (TdField)change.Position) is var td && td != Words(change.Object)[which].Seen
                        && CheckTdLock(o, td, (TdField)change.Position, ref Words(change.Object)[which]) is { } ofTd)
                    {
                        return $"{(TdField)change.Position} of {_books.Td(change.Object)}: {ofTd}";
                    }

                    break;
                case ChangeKind.Entry:
                    if (CheckEntry(o, ref s, change) is { } entry)
                        return entry;
                    break;
                case ChangeKind.Global when (GlobalField)change.Position is GlobalField.KotLock or GlobalField.WritebackMutex:
                    if (s.Global((GlobalField)change.Position) is not 0 and var global)
                        return $"{(GlobalField)change.Position} is 0x{global:x} after the call; nobody else can hold it";
                    break;
                default:
                    break;
            }
        }

        return null;
    }

    private string? CheckTdLock(Observation o, ulong now, TdField field, ref Word word) =>
        field == TdField.OpStateLock ? CheckHostPriorityLock(o, now, ref word) : CheckPlainLock(o, now, ref word);

    // Bit 0 exclusive, bit 1 host priority, then readers (facts/lock-types.csv).
    private string? CheckHostPriorityLock(Observation o, ulong now, ref Word word)
    {
        ulong before = word.Seen;
        bool had = (before & 2) != 0;
        bool has = (now & 2) != 0;
        int residue = word.Residue;
        word.Seen = now;
        if (CheckHolders(o, (now & 1) != 0, (int)(now >> 2), ref word) is { } holders)
            return $"the word went from 0x{before:x} to 0x{now:x}: {holders}";
        if (has && !had)
        {
            Occurred(PriorityRaised);
            if (!IsRefusedHostAttempt(o) || (word.Residue <= residue && !Refuse()))
                return $"the word went from 0x{before:x} to 0x{now:x}: host priority was raised, and no host attempt was refused here";
        }

        if (had && !has)
        {
            Occurred(PriorityTakenBack);
            if (!IsHostAttempt(o) || (before & 1) != 0)
                return $"the word went from 0x{before:x} to 0x{now:x}: host priority was taken back, and no host attempt can have been granted here";
        }

        return null;
    }

    // Bit 0 exclusive, then readers.
    private string? CheckPlainLock(Observation o, ulong now, ref Word word)
    {
        ulong before = word.Seen;
        word.Seen = now;
        return CheckHolders(o, (now & 1) != 0, (int)(now >> 1), ref word) is { } holders
            ? $"the word went from 0x{before:x} to 0x{now:x}: {holders}"
            : null;
    }

    private string? CheckHolders(Observation o, bool exclusive, int readers, ref Word word)
    {
        if (exclusive != word.IsExclusive)
            return exclusive ? "it is held exclusively, and nobody holds it" : "it is not held exclusively, and another agent holds it so";
        if (!exclusive && word.Residue != 0)
        {
            Occurred(ResidueDropped);
            word.Residue = 0;
        }

        int residue = readers - word.Shared;
        if (residue == word.Residue)
            return null;
        if (exclusive && residue == word.Residue + 1 && IsRefused(o) && Refuse())
        {
            Occurred(ResidueReader);
            word.Residue++;
            return null;
        }

        return $"it counts {readers} readers; {word.Shared} hold it shared"
            + (word.Residue == 0 ? "" : $", and {word.Residue} readers were left behind by refused attempts");
    }

    private string? CheckEntry(Observation o, ref ObservedState s, in Change change)
    {
        // The locks of an S-EPT page go with it, for example those of the 512 entries that a promotion merges.
        EntryRef at = change.EntryAt;
        if (!_books.Sept.Table(at.Table).IsLinked)
            return null;
        SeptEntry now = s.Entry(at);
        bool isWrite = ((change.Old ^ change.New) & ~EntryLockBits) != 0;
        if (_holds.Count > 0 && isWrite && !now.IsLocked && o.Leaf == HostLeaf.TDH_MEM_PAGE_ADD)
            ForgetHolds(at);
        bool isHeld = _holds.Count > 0 && IsHeld(at);
        if (now.IsLocked != isHeld)
        {
            return $"the lock of S-EPT entry {at.Index} in {_books.Hpa(_books.Sept.Table(at.Table).Page)} is "
                + (isHeld ? "free, and another agent holds it" : "still taken after the call");
        }

        if (!now.HasHostPriority && _priorities.Count == 0)
            return null;
        int place = _priorities.IndexOf(at);
        if (now.HasHostPriority == (place >= 0))
            return null;
        if (now.HasHostPriority)
        {
            Occurred(EntryPriorityRaised);
            _priorities.Add(at);
            return isHeld && IsRefusedHostAttempt(o)
                ? null
                : $"host priority was raised on S-EPT entry {at.Index} in {_books.Hpa(_books.Sept.Table(at.Table).Page)}, and no host attempt was refused there";
        }

        Occurred(EntryPriorityTakenBack);
        _priorities.RemoveAt(place);
        return IsHostAttempt(o) || isWrite
            ? null
            : $"host priority was taken back from S-EPT entry {at.Index} in {_books.Hpa(_books.Sept.Table(at.Table).Page)}, and no host attempt was granted there";
    }

    // Only one attempt of a call is refused: it ends the call.
    private bool Refuse()
    {
        bool isFirst = !_hasRefusal;
        _hasRefusal = true;
        return isFirst;
    }

    private bool IsRefused(Observation o) => o.Kind switch
    {
        TraceEventKind.Lock => !o.LockGranted,
        TraceEventKind.Seamcall or TraceEventKind.Enter => _books.ReturnedToHost && o.Status.Base.Value == Status.TDX_OPERAND_BUSY,
        _ => false,
    };

    private static bool IsHostAttempt(Observation o) => o.IsHostCall || (o.Kind == TraceEventKind.Lock && !o.Lock.Guest);

    private bool IsRefusedHostAttempt(Observation o) => IsRefused(o) && IsHostAttempt(o);

    private string? Keep(Observation o, ref ObservedState s, Stay visit, int sign)
    {
        if ((uint)visit.Vcpu >= (uint)_books.Roster.Vcpus.Length || !_books.Roster.Exists(visit.Td))
            return null;
        Occurred(sign > 0 ? EnterKeeps : ExitReleases);
        int tdvpr = _books.Roster.Vcpus[visit.Vcpu].Page;
        for (int size = 0; size <= 2; size++)
            _pages.At(PamtRef.Of(size, tdvpr)).Shared += sign;
        int tdr = _books.Roster.Tds[visit.Td].TdrPage;
        _pages.At(new PamtRef(0, tdr)).Shared += sign;
        for (int size = 0; size <= 2; size++)
        {
            if (CheckHeldPage(o, ref s, PamtRef.Of(size, tdvpr)) is { } wrong)
                return wrong;
        }

        return CheckHeldPage(o, ref s, new PamtRef(0, tdr));
    }

    // Also where the event did not write the word.
    private string? CheckHeldPage(Observation o, ref ObservedState s, PamtRef at) =>
        CheckHostPriorityLock(o, s.Pamt(at, PamtField.Lock), ref _pages.At(at)) is { } wrong
            ? $"PAMT lock of {_books.Hpa(at)}, which TDH.VP.ENTER keeps shared until the TD exit: {wrong}"
            : null;

    private string? Take(Observation o, ref ObservedState s)
    {
        LockOperation operation = o.Lock;
        int page = RunBooks.Page(o, operation.Argument);
        var hold = new Hold { Operation = operation, Page = page, Td = _books.Roster.FindTd(page) };
        switch (operation.Which)
        {
            case PortLock.SeptEntry:
                foreach (ref readonly Change change in o.Changes)
                {
                    if (change.Kind == ChangeKind.Entry)
                        hold.Entry = change.EntryAt;
                }

                break;
            case PortLock.OpState or PortLock.SeptTree or PortLock.Epoch:
                if (hold.Td >= 0)
                    Grip(ref Words(hold.Td)[WordOf(operation.Which)], operation.Exclusive, 1);
                break;
            default:
                hold.Size = 2;
                while (hold.Size > 0 && (PageType)s.Pamt(PamtRef.Of(hold.Size, page), PamtField.Type) != PageType.PT_REG)
                    hold.Size--;
                HoldPages(hold, 1);
                break;
        }

        _holds.Add(hold);
        return null;
    }

    private string? Drop(Observation o)
    {
        LockOperation operation = o.Lock;
        int place = _holds.Count - 1;
        while (place >= 0 && _holds[place].Operation != operation)
            place--;
        if (place < 0)
            return null;
        Hold hold = _holds[place];
        _holds.RemoveAt(place);
        switch (operation.Which)
        {
            case PortLock.SeptEntry:
                ForgetHolds(hold.Entry);
                break;
            case PortLock.OpState or PortLock.SeptTree or PortLock.Epoch:
                if (hold.Td >= 0)
                    Grip(ref Words(hold.Td)[WordOf(operation.Which)], operation.Exclusive, -1);
                break;
            default:
                HoldPages(hold, -1);
                break;
        }

        return null;
    }

    private void HoldPages(in Hold hold, int sign)
    {
        for (int size = 2; size > hold.Size; size--)
            _pages.At(PamtRef.Of(size, hold.Page)).Shared += sign;
        Grip(ref _pages.At(PamtRef.Of(hold.Size, hold.Page)), hold.Operation.Exclusive, sign);
    }

    private static void Grip(ref Word word, bool exclusive, int sign)
    {
        if (exclusive)
            word.IsExclusive = sign > 0;
        else
            word.Shared += sign;
    }

    private bool IsHeld(EntryRef at)
    {
        foreach (Hold hold in _holds)
        {
            if (hold.Operation.Which == PortLock.SeptEntry && hold.Entry == at)
                return true;
        }

        return false;
    }

    // One bit is the whole lock: the first to clear it clears it for all.
    private void ForgetHolds(EntryRef at)
    {
        for (int i = 0; i < _holds.Count; i++)
        {
            if (_holds[i].Operation.Which == PortLock.SeptEntry && _holds[i].Entry == at)
                _holds[i] = _holds[i] with { Entry = new EntryRef(-1, 0) };
        }
    }

    private void ForgetNewObjects()
    {
        foreach (ref readonly Change change in _books.Effects)
        {
            if (change.Kind == ChangeKind.NewTd)
                Array.Clear(Words(change.Object));
            else if (change.Kind == ChangeKind.NewTable)
                ForgetTable(change.Object);
        }
    }

    private void ForgetTable(int table)
    {
        for (int i = _priorities.Count - 1; i >= 0; i--)
        {
            if (_priorities[i].Table == table)
                _priorities.RemoveAt(i);
        }

        for (int i = 0; i < _holds.Count; i++)
        {
            if (_holds[i].Operation.Which == PortLock.SeptEntry && _holds[i].Entry.Table == table)
                _holds[i] = _holds[i] with { Entry = new EntryRef(-1, 0) };
        }
    }

    private static int TdLock(int position) => (TdField)position switch
    {
        TdField.OpStateLock => 0,
        TdField.SeptTreeLock => 1,
        TdField.EpochLock => 2,
        _ => -1,
    };

    private static int WordOf(PortLock which) => which switch { PortLock.OpState => 0, PortLock.SeptTree => 1, _ => 2 };

    private Word[] Words(int td)
    {
        while (_tds.Count <= td)
            _tds.Add(new Word[LocksOfTd]);
        return _tds[td];
    }

    // A lock word as last seen, and who holds the lock by the law's own count.
    private struct Word
    {
        public ulong Seen;
        public int Shared;
        public int Residue;
        public bool IsExclusive;
    }

    // A lock that another agent holds.
    private struct Hold
    {
        public LockOperation Operation;
        public int Page;
        public int Size;
        public int Td;
        public EntryRef Entry;
    }
}
