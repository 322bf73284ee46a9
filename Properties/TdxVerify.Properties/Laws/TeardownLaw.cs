using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Laws.Books;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// Teardown gives everything back, in the order that facts/pamt.md asks for: all vCPUs flushed, then VPFLUSHDONE, then the
/// caches written back, then the key id freed, then the pages reclaimed, the TDR last. A key id and a page serve one TD at
/// a time.
/// </summary>
/// <remarks>
/// One gap is known, in the published code itself: a write-back that was interrupted counts for the key ids that were
/// flushed when it began. One of them that is freed, assigned to another TD and flushed again before the write-back is
/// resumed counts as written back then, although part of the caches was written back for its last TD only. The law takes
/// the module's word for it.
/// </remarks>
public sealed class TeardownLaw : Law
{
    private const int TornDown = 0;
    private const int TornDownAfterRunning = 1;
    private const int KeyUsedAgain = 2;
    private const int PageReclaimed = 3;
    private const int ReclaimTooEarly = 4;
    private const int FlushMissing = 5;
    private const int WritebackMissing = 6;
    private const int KeyFlushedDuringWriteback = 7;

    private readonly RunBooks _books;
    private readonly List<TdLife> _lives = [];
    private readonly List<int> _associated = [];
    private KeyLife[] _keys = [];
    private bool[] _covered = [];

    internal TeardownLaw(RunBooks books)
        : base(
            "teardown-returns-everything", "A TD gives back its vCPUs, key id and pages in order and completely; a key id and a page serve one TD at a time.",
            "TD torn down completely", "TD torn down after it ran", "key id used again by another TD", "page reclaimed",
            "TDH.PHYMEM.PAGE.RECLAIM before TD_TEARDOWN refused", "TDH.MNG.VPFLUSHDONE refused: a vCPU is associated",
            "TDH.MNG.KEY.FREEID refused: caches not written back", "key id flushed while an interrupted write-back was open")
    {
        _books = books;
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        _books.Reset();
        _lives.Clear();
        _associated.Clear();
        Array.Clear(_keys);
        Array.Clear(_covered);
    }

    /// <inheritdoc/>
    protected override string? Check(Observation o)
    {
        _books.See(o);
        if (_keys.Length == 0)
        {
            _keys = new KeyLife[o.Platform.HkidFirst + o.Platform.HkidCount];
            _covered = new bool[_keys.Length];
        }

        ref ObservedState s = ref o.State;
        if (_books.ReturnedToHost && CheckReturn(o, ref s) is { } returned)
            return returned;
        if (_books.IsQuiet)
            return null;
        return CheckEntry(o, ref s) ?? CheckPages(o, ref s) ?? CheckEffects(o, ref s);
    }

    // A vCPU runs only on the LP it is associated with, and only while its TD has its key.
    private string? CheckEntry(Observation o, ref ObservedState s)
    {
        Stay visit = _books.Roster.Visit;
        if (!_books.Roster.Entered || !_books.Roster.Exists(visit.Td))
            return null;
        Life(visit.Td).HasRun = true;
        var lifecycle = (TdLifecycle)s.Td(visit.Td, TdField.Lifecycle);
        if (lifecycle != TdLifecycle.TD_KEYS_CONFIGURED)
            return $"{_books.Vcpu(visit.Vcpu)} of {_books.Td(visit.Td)} was entered while the lifecycle is {lifecycle}";
        ulong associated = s.Vcpu(visit.Vcpu, VcpuField.AssociatedLp);
        return associated == (ulong)o.Lp + 1
            ? null
            : $"{_books.Vcpu(visit.Vcpu)} was entered on LP {o.Lp} and is associated with {Lp(associated)}";
    }

    private string? CheckPages(Observation o, ref ObservedState s)
    {
        foreach (ref readonly PageChange change in _books.Pamt.Changes)
        {
            if (change.Before.IsAssigned && change.After.IsAssigned)
                return $"{_books.Hpa(change.At)} is in use as {change.Before.Type} of {Owner(change.Before)} and became {change.After.Type} of {Owner(change.After)}";
            if (!change.IsHandedBack)
                continue;
            bool isReclaim = o.IsHostCall && o.Leaf == HostLeaf.TDH_PHYMEM_PAGE_RECLAIM;
            if (change.Before.Type is PageType.PT_TDR or PageType.PT_TDVPR or PageType.PT_TDCX && !isReclaim)
                return $"{o.Leaf.Name()} handed back {_books.Hpa(change.At)} ({change.Before.Type}); only TDH.PHYMEM.PAGE.RECLAIM may";
            if (change.Before.Type == PageType.PT_TDR)
            {
                if (_books.Pamt.Owned(change.At.Index) is not 0 and var owned)
                    return $"{_books.Hpa(change.At)} (PT_TDR) was reclaimed, and its TD still owns {owned} pages of 4 KiB";
                continue;
            }

            int td = _books.Roster.FindTd(change.Before.OwnerTdr);
            if (!isReclaim || td < 0)
                continue;
            Occurred(PageReclaimed);
            if ((TdLifecycle)s.Td(td, TdField.Lifecycle) is not TdLifecycle.TD_TEARDOWN and var lifecycle)
                return $"{_books.Hpa(change.At)} ({change.Before.Type}) of {_books.Td(td)} was reclaimed while the lifecycle is {lifecycle}";
        }

        return null;
    }

    private string? CheckEffects(Observation o, ref ObservedState s)
    {
        int counted = -1;
        foreach (ref readonly Change change in _books.Effects)
        {
            string? wrong = null;
            int td = -1;
            switch (change.Kind)
            {
                case ChangeKind.Td when (TdField)change.Position == TdField.AssociatedVcpus:
                    td = change.Object;
                    break;
                case ChangeKind.Td when (TdField)change.Position == TdField.Lifecycle:
                    wrong = CheckLifecycle(o, ref s, change);
                    break;
                case ChangeKind.Vcpu when (VcpuField)change.Position == VcpuField.AssociatedLp:
                    wrong = Associate(o, change);
                    td = (uint)change.Object < (uint)_books.Roster.Vcpus.Length ? _books.Roster.Vcpus[change.Object].Td : -1;
                    break;
                case ChangeKind.Key when (KeyField)change.Position == KeyField.State:
                    wrong = CheckKey(o, change);
                    break;
                case ChangeKind.NewTd:
                    wrong = Begin(ref s, change);
                    break;
                case ChangeKind.FreeTd:
                    wrong = End(change.Object);
                    break;
                case ChangeKind.NewVcpu:
                    NewVcpu(change.Object);
                    break;
                case ChangeKind.FreeVcpu:
                    wrong = FreeVcpu(change.Object);
                    break;
                default:
                    break;
            }

            if (wrong is not null)
                return wrong;
            if (td != counted && _books.Roster.Exists(td) && CheckAssociations(ref s, counted = td) is { } count)
                return count;
        }

        return null;
    }

    private string? Begin(ref ObservedState s, in Change change)
    {
        int hkid = (int)Math.Min(int.MaxValue, s.Td(change.Object, TdField.Hkid));
        Life(change.Object) = new TdLife { Hkid = hkid, Generation = _books.Roster.Tds[change.Object].Generation };
        if ((uint)hkid >= (uint)_keys.Length)
            return $"{_books.Td(change.Object)} was created with HKID {hkid}, which is no key id of the platform";
        ref KeyLife key = ref _keys[hkid];
        if (key.Generation != 0)
            return $"{_books.Td(change.Object)} was created with HKID {hkid}, which {_books.Td(key.Td)} still has";
        if (key.WasUsed)
            Occurred(KeyUsedAgain);
        key = new KeyLife { Td = change.Object, Generation = _books.Roster.Tds[change.Object].Generation, WasUsed = true };
        return null;
    }

    private string? End(int td)
    {
        TdLife life = Life(td);
        Occurred(TornDown);
        if (life.HasRun)
            Occurred(TornDownAfterRunning);
        if (_books.Roster.IsInside(td))
            return $"{_books.Td(td)} was reclaimed while one of its vCPUs is in the guest";
        return HasKey(td)
            ? $"{_books.Td(td)} was reclaimed and still has HKID {life.Hkid}: no TDH.MNG.KEY.FREEID"
            : null;
    }

    private void NewVcpu(int vcpu)
    {
        while (_associated.Count <= vcpu)
            _associated.Add(0);
        _associated[vcpu] = 0;
    }

    private string? FreeVcpu(int vcpu) =>
        vcpu < _associated.Count && _associated[vcpu] != 0
            ? $"{_books.Vcpu(vcpu)} was reclaimed while it is associated with {Lp((ulong)_associated[vcpu])}"
            : null;

    private string? Associate(Observation o, in Change change)
    {
        NewIfUnknown(change.Object);
        _associated[change.Object] = (int)change.New;
        bool leaves = change.New == 0;
        if (leaves && (o.Leaf != HostLeaf.TDH_VP_FLUSH || change.Old != (ulong)o.Lp + 1))
            return $"{_books.Vcpu(change.Object)} lost its association with {Lp(change.Old)} by {o.Leaf.Name()} on LP {o.Lp}";
        if (!leaves && (change.Old != 0 || change.New != (ulong)o.Lp + 1))
            return $"{_books.Vcpu(change.Object)} went from {Lp(change.Old)} to {Lp(change.New)} by {o.Leaf.Name()} on LP {o.Lp}";
        if (!leaves && o.Leaf is not (HostLeaf.TDH_VP_INIT or HostLeaf.TDH_VP_ENTER or HostLeaf.TDH_VP_RD))
            return $"{_books.Vcpu(change.Object)} was associated with {Lp(change.New)} by {o.Leaf.Name()}";
        return null;
    }

    private string? CheckAssociations(ref ObservedState s, int td)
    {
        if ((OpState)s.Td(td, TdField.OpState) == OpState.UNINITIALIZED)
            return null;
        ulong associated = Associated(td);
        return s.Td(td, TdField.AssociatedVcpus) == associated
            ? null
            : $"{_books.Td(td)} counts {s.Td(td, TdField.AssociatedVcpus)} associated vCPUs; {associated} are associated";
    }

    private string? CheckLifecycle(Observation o, ref ObservedState s, in Change change)
    {
        int td = change.Object;
        var after = (TdLifecycle)change.New;
        HostLeaf expected = after switch
        {
            TdLifecycle.TD_KEYS_CONFIGURED => HostLeaf.TDH_MNG_KEY_CONFIG,
            TdLifecycle.TD_BLOCKED => HostLeaf.TDH_MNG_VPFLUSHDONE,
            _ => HostLeaf.TDH_MNG_KEY_FREEID,
        };
        if (change.New <= change.Old || o.Leaf != expected || o.Status.IsError)
            return $"the lifecycle of {_books.Td(td)} went from {(TdLifecycle)change.Old} to {after} by {o.Leaf.Name()}";
        if (after == TdLifecycle.TD_BLOCKED)
            return CheckFlushed(td);
        if (after != TdLifecycle.TD_TEARDOWN)
            return null;
        if ((TdLifecycle)change.Old != TdLifecycle.TD_BLOCKED)
            return $"the HKID of {_books.Td(td)} was freed before TDH.MNG.VPFLUSHDONE";
        int hkid = Life(td).Hkid;
        if ((uint)hkid < (uint)_keys.Length && _keys[hkid] is { IsWrittenBack: false } key && key.Td == td)
            return $"HKID {hkid} of {_books.Td(td)} was freed, and no TDH.PHYMEM.CACHE.WB that began after TDH.MNG.VPFLUSHDONE was completed";
        if ((uint)hkid >= (uint)_keys.Length)
            return null;
        _keys[hkid].Generation = 0;
        _keys[hkid].IsFlushed = false;
        return (HkidState)s.Key(hkid, KeyField.State) == HkidState.HKID_FREE
            ? null
            : $"{_books.Td(td)} is TD_TEARDOWN, and its HKID {hkid} is {(HkidState)s.Key(hkid, KeyField.State)}";
    }

    private string? CheckFlushed(int td)
    {
        if (_books.Roster.IsInside(td))
            return $"{_books.Td(td)} is TD_BLOCKED while one of its vCPUs is in the guest";
        if (Life(td).IsInitialised && Associated(td) is not 0 and var associated)
            return $"{_books.Td(td)} is TD_BLOCKED, and {associated} of its vCPUs are associated with an LP";
        int hkid = Life(td).Hkid;
        if ((uint)hkid < (uint)_keys.Length)
        {
            _keys[hkid].IsFlushed = true;
            _keys[hkid].IsWrittenBack = false;
        }

        return null;
    }

    private string? CheckKey(Observation o, in Change change)
    {
        HostLeaf expected = (HkidState)change.New switch
        {
            HkidState.HKID_ASSIGNED => HostLeaf.TDH_MNG_CREATE,
            HkidState.HKID_FLUSHED => HostLeaf.TDH_MNG_VPFLUSHDONE,
            _ => HostLeaf.TDH_MNG_KEY_FREEID,
        };
        return o.Leaf == expected && !o.Status.IsError
            ? null
            : $"HKID {change.Object} went from {(HkidState)change.Old} to {(HkidState)change.New} by {o.Leaf.Name()}";
    }

    private string? CheckReturn(Observation o, ref ObservedState s)
    {
        StatusCode status = o.Status;
        switch (o.Leaf)
        {
            case HostLeaf.TDH_MNG_INIT when !status.IsError:
                if (_books.Roster.FindTd(RunBooks.Page(o, o.Input.Rcx)) is >= 0 and var initialised)
                    Life(initialised).IsInitialised = true;
                return null;
            case HostLeaf.TDH_MNG_CREATE when !status.IsError:
                return CheckCreated(o, ref s);
            case HostLeaf.TDH_PHYMEM_CACHE_WB:
                return CheckWriteback(o);
            case HostLeaf.TDH_MNG_KEY_CONFIG when !status.IsError && o.Platform.Packages == 1:
                return CheckReached(o, ref s, TdLifecycle.TD_KEYS_CONFIGURED, HkidState.HKID_ASSIGNED);
            case HostLeaf.TDH_MNG_VPFLUSHDONE when !status.IsError:
                return CheckReached(o, ref s, TdLifecycle.TD_BLOCKED, HkidState.HKID_FLUSHED);
            case HostLeaf.TDH_MNG_KEY_FREEID when !status.IsError:
                return CheckReached(o, ref s, TdLifecycle.TD_TEARDOWN, HkidState.HKID_FREE);
            case HostLeaf.TDH_MNG_VPFLUSHDONE when status.Base.Value == Status.TDX_FLUSHVP_NOT_DONE:
                Occurred(FlushMissing);
                return _books.Roster.FindTd(RunBooks.Page(o, o.Input.Rcx)) is >= 0 and var flushed && Associated(flushed) == 0
                    ? $"TDH.MNG.VPFLUSHDONE returned {status}, and no vCPU of {_books.Td(flushed)} is associated with an LP"
                    : null;
            case HostLeaf.TDH_MNG_KEY_FREEID when status.Base.Value == Status.TDX_WBCACHE_NOT_COMPLETE:
                Occurred(WritebackMissing);
                return _books.Roster.FindTd(RunBooks.Page(o, o.Input.Rcx)) is >= 0 and var td && HasKey(td) && _keys[Life(td).Hkid].IsWrittenBack
                    ? $"TDH.MNG.KEY.FREEID returned {status}, and the caches were written back since {_books.Td(td)} was flushed"
                    : null;
            case HostLeaf.TDH_PHYMEM_PAGE_RECLAIM when status.Base.Value == Status.TDX_LIFECYCLE_STATE_INCORRECT:
                Occurred(ReclaimTooEarly);
                return null;
            case HostLeaf.TDH_PHYMEM_PAGE_RECLAIM when !status.IsError:
                return _books.Pamt.Changes.Length == 1 && _books.Pamt.Changes[0].IsHandedBack
                    ? null
                    : $"TDH.PHYMEM.PAGE.RECLAIM of HPA 0x{o.Input.Rcx:x} succeeded, and no page became PT_NDA";
            default:
                return null;
        }
    }

    private string? CheckCreated(Observation o, ref ObservedState s)
    {
        int td = _books.Roster.FindTd(RunBooks.Page(o, o.Input.Rcx));
        if (td < 0)
            return $"TDH.MNG.CREATE of HPA 0x{o.Input.Rcx:x} succeeded, and there is no TD";
        ulong hkid = s.Td(td, TdField.Hkid);
        if (hkid != o.Input.Rdx || hkid >= (ulong)_keys.Length || (HkidState)s.Key((int)hkid, KeyField.State) != HkidState.HKID_ASSIGNED)
            return $"{_books.Td(td)} was created with HKID {o.Input.Rdx}; it has HKID {hkid}, and the KOT does not say HKID_ASSIGNED";
        return null;
    }

    private string? CheckReached(Observation o, ref ObservedState s, TdLifecycle lifecycle, HkidState state)
    {
        int td = _books.Roster.FindTd(RunBooks.Page(o, o.Input.Rcx));
        if (td < 0)
            return $"{o.Leaf.Name()} of HPA 0x{o.Input.Rcx:x} succeeded, and there is no TD";
        if ((TdLifecycle)s.Td(td, TdField.Lifecycle) != lifecycle)
            return $"{o.Leaf.Name()} succeeded, and the lifecycle of {_books.Td(td)} is {(TdLifecycle)s.Td(td, TdField.Lifecycle)}, not {lifecycle}";
        int hkid = Life(td).Hkid;
        return (uint)hkid >= (uint)_keys.Length || (HkidState)s.Key(hkid, KeyField.State) == state
            ? null
            : $"{o.Leaf.Name()} of {_books.Td(td)} succeeded, and its HKID {hkid} is {(HkidState)s.Key(hkid, KeyField.State)}, not {state}";
    }

    // A write-back covers the key ids that were flushed when it began.
    private string? CheckWriteback(Observation o)
    {
        StatusCode status = o.Status;
        bool isInterrupted = status.Base.Value == Status.TDX_INTERRUPTED_RESUMABLE;
        if (status.IsError && !isInterrupted)
            return null;
        for (int hkid = 0; hkid < _keys.Length; hkid++)
        {
            ref KeyLife key = ref _keys[hkid];
            if (o.Input.Rcx == 0)
                _covered[hkid] = key.IsFlushed;
            else if (isInterrupted && key.IsFlushed && !_covered[hkid])
                Occurred(KeyFlushedDuringWriteback);
            if (!isInterrupted && _covered[hkid])
                key.IsWrittenBack = true;
        }

        return null;
    }

    private ulong Associated(int td)
    {
        ulong count = 0;
        ReadOnlySpan<VcpuRecord> vcpus = _books.Roster.Vcpus;
        for (int vcpu = 0; vcpu < vcpus.Length && vcpu < _associated.Count; vcpu++)
        {
            if (vcpus[vcpu].Exists && vcpus[vcpu].Td == td && _associated[vcpu] != 0)
                count++;
        }

        return count;
    }

    private bool HasKey(int td)
    {
        TdLife life = Life(td);
        return (uint)life.Hkid < (uint)_keys.Length && _keys[life.Hkid].Td == td && _keys[life.Hkid].Generation == life.Generation && life.Generation != 0;
    }

    private ref TdLife Life(int td)
    {
        while (_lives.Count <= td)
            _lives.Add(default);
        return ref CollectionsMarshal.AsSpan(_lives)[td];
    }

    private void NewIfUnknown(int vcpu)
    {
        if (_associated.Count <= vcpu)
            NewVcpu(vcpu);
    }

    private string Owner(PageUse use) => use.OwnerField == 0 ? "no TD" : $"TD {_books.Hpa(use.OwnerTdr)}";

    private static string Lp(ulong associated) => associated == 0 ? "no LP" : $"LP {associated - 1}";

    private struct TdLife
    {
        public int Hkid;
        public int Generation;
        public bool IsInitialised;
        public bool HasRun;
    }

    // Generation 0: no TD has it. Flushed: since TDH.MNG.VPFLUSHDONE.
    private struct KeyLife
    {
        public int Td;
        public int Generation;
        public bool WasUsed;
        public bool IsFlushed;
        public bool IsWrittenBack;
    }
}
