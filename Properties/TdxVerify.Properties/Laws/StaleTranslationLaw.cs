using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Laws.Books;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// A page that is handed back, relocated, merged or split is in no ghost TLB. Each translation, of a page or of an S-EPT
/// page (paging-structure caches), that exists while a vCPU of the TD is in the guest on a logical processor may be
/// held there until an INVEPT of that processor and TD.
/// </summary>
/// <remarks>
/// A processor that has left the guest may still hold what was handed back: TLB tracking waits only for vCPUs in the
/// guest (facts/epoch.md). That is safe if and only if INVEPT comes before the TD runs there again; the law holds the
/// module to this, page by page, and also to the way in which it does so: no entry after a TDH.MEM.TRACK without an
/// INVEPT since. After TDH.MNG.VPFLUSHDONE nothing of the TD may be held anywhere, since its root page and key id can be
/// used again. A translation counts as existing from its first moment to its last, times of being blocked included: no
/// correct order of calls can tell the difference, because a hand-back flushes what was held before the last block too.
/// </remarks>
public sealed class StaleTranslationLaw : Law
{
    private const int RunningTd = 0;
    private const int SeptPageInRunningTd = 1;
    private const int RanBefore = 2;
    private const int FlushedBeforeRun = 3;
    private const int LargePage = 4;
    private const int Relocated = 5;
    private const int KeyFlushed = 6;

    private readonly RunBooks _books;
    private readonly PageBook<Window> _windows = new();
    private readonly List<GhostTlb> _tlbs = [];
    private readonly List<long> _lastTracks = [];
    private PlatformInfo? _platform;
    private int _lps;

    internal StaleTranslationLaw(RunBooks books)
        : base(
            "no-stale-translation", "A page handed back to the host is in no TLB that its TD can still use.",
            "page handed back while its TD is in the guest", "S-EPT page handed back while its TD is in the guest",
            "page handed back that an idle LP may still hold",
            "INVEPT before the TD runs again where something was held", "large page handed back or split",
            "page relocated after it could be held", "TD flushed for good after it ran")
    {
        _books = books;
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        _books.Reset();
        _windows.Reset();
        foreach (GhostTlb tlb in _tlbs)
            tlb.Invalidate();
        _lastTracks.Clear();
    }

    /// <inheritdoc/>
    protected override string? Check(Observation o)
    {
        if (!ReferenceEquals(_platform, o.Platform))
        {
            _platform = o.Platform;
            _windows.Fit(o.Platform);
            _lps = o.Platform.LpCount;
        }

        _books.See(o);
        if (_books.IsQuiet)
            return null;
        if (_books.Wrote(ChangeKind.InvalidateEpt) || _books.Wrote(ChangeKind.NewTd))
            Invalidate();
        if (_books.Roster.Entered && Enter(o) is { } wrong)
            return wrong;
        if (_books.Wrote(ChangeKind.Td))
            UpdateTracks();
        if (_books.ReturnedToHost && o.Leaf == HostLeaf.TDH_VP_FLUSH && !o.Status.IsError && CheckFlush(o) is { } flushed)
            return flushed;
        UpdateWindows();
        if (_books.Roster.Left && _books.Roster.Visit.Td >= 0)
            Tlb(o.Lp, _books.Roster.Visit.Td).End(_books.Now);
        return CheckPages(ref o.State) ?? CheckFlushedTd(ref o.State);
    }

    private GhostTlb Tlb(int lp, int td)
    {
        int position = (td * _lps) + lp;
        while (_tlbs.Count <= position)
            _tlbs.Add(new GhostTlb());
        return _tlbs[position];
    }

    private void Invalidate()
    {
        foreach (ref readonly Change change in _books.Effects)
        {
            if (change.Kind == ChangeKind.InvalidateEpt)
            {
                GhostTlb tlb = Tlb(change.Object, change.Position);
                if (tlb.Stale is not null)
                    Occurred(FlushedBeforeRun);
                tlb.Invalidate();
            }
            else if (change.Kind == ChangeKind.NewTd)
            {
                for (int lp = 0; lp < _lps; lp++)
                    Tlb(lp, change.Object).Invalidate();
                if (change.Object < _lastTracks.Count)
                    _lastTracks[change.Object] = 0;
            }
        }
    }

    private string? Enter(Observation o)
    {
        int td = _books.Roster.Visit.Td;
        if (td < 0)
            return null;
        GhostTlb tlb = Tlb(o.Lp, td);
        if (tlb.Stale is { } stale)
        {
            return $"{_books.Vcpu(_books.Roster.Visit.Vcpu)} entered on LP {o.Lp} without INVEPT, and LP {o.Lp} may still hold the translation of "
                + Text(stale, td);
        }

        if (td < _lastTracks.Count && tlb.Oldest < _lastTracks[td])
        {
            return $"{_books.Vcpu(_books.Roster.Visit.Vcpu)} entered on LP {o.Lp} without INVEPT since the last TDH.MEM.TRACK: "
                + $"LP {o.Lp} may still hold translations from before it";
        }

        tlb.Begin(_books.Now);
        return null;
    }

    private void UpdateTracks()
    {
        foreach (ref readonly Change change in _books.Effects)
        {
            if (change.Kind != ChangeKind.Td || (TdField)change.Position != TdField.Epoch)
                continue;
            while (_lastTracks.Count <= change.Object)
                _lastTracks.Add(0);
            _lastTracks[change.Object] = _books.Now;
        }
    }

    // TDH.VP.FLUSH is the last thing that the LP does for a vCPU that moves away.
    private string? CheckFlush(Observation o)
    {
        int vcpu = _books.Roster.FindVcpu(RunBooks.Page(o, o.Input.Rcx));
        if (vcpu < 0 || !_books.Roster.Exists(_books.Roster.Vcpus[vcpu].Td))
            return null;
        return Tlb(o.Lp, _books.Roster.Vcpus[vcpu].Td).IsEmpty
            ? null
            : $"TDH.VP.FLUSH of {_books.Vcpu(vcpu)} on LP {o.Lp} left translations of {_books.Td(_books.Roster.Vcpus[vcpu].Td)} there: no INVEPT";
    }

    private void UpdateWindows()
    {
        foreach (ref readonly EntryChange change in _books.Sept.Changes)
        {
            bool was = change.Before.State is SeptState.MAPPED or SeptState.NL_MAPPED;
            bool isNow = change.After.State is SeptState.MAPPED or SeptState.NL_MAPPED;
            if (was && (!isNow || change.IsOtherPage))
                Close(change);
            if (isNow && (!was || change.IsOtherPage))
            {
                ref Window window = ref _windows.At(change.PageAfter);
                if (window.From == 0)
                    window.From = _books.Now;
                window.To = long.MaxValue;
            }
        }
    }

    // What went with its S-EPT page could not be reached since that page was blocked.
    private void Close(in EntryChange change)
    {
        long end = _books.Now;
        if (change.ByTable)
            end = Math.Min(end, _windows.Read(new PamtRef(0, _books.Sept.Table(change.At.Table).Page)).To);
        ref Window window = ref _windows.At(change.PageBefore);
        window.To = Math.Min(window.To, end);
    }

    private string? CheckPages(ref ObservedState s)
    {
        foreach (ref readonly PageChange change in _books.Pamt.Changes)
        {
            if (!change.IsHandedBack || change.Before.Type is not (PageType.PT_REG or PageType.PT_EPT))
                continue;
            Window window = _windows.Read(change.At);
            if (window.From == 0)
                continue;
            _windows.At(change.At) = default;
            int td = _books.Roster.FindTd(change.Before.OwnerTdr);
            if (td >= 0 && CheckPage(ref s, change, window, td) is { } wrong)
                return wrong;
        }

        return null;
    }

    private string? CheckPage(ref ObservedState s, in PageChange change, Window window, int td)
    {
        bool isAlive = (TdLifecycle)s.Td(td, TdField.Lifecycle) is TdLifecycle.TD_HKID_ASSIGNED or TdLifecycle.TD_KEYS_CONFIGURED;
        bool isInside = false;
        bool ran = false;
        for (int lp = 0; lp < _lps; lp++)
        {
            GhostTlb tlb = Tlb(lp, td);
            if (tlb.IsEmpty)
                continue;
            ran = true;
            bool isRunning = _books.Roster.Stays[lp].Entered != 0 && _books.Roster.Stays[lp].Td == td;
            isInside |= isRunning;
            if (!tlb.MayHold(window.From, window.To))
                continue;
            if (isRunning)
            {
                return $"{Text(change, td)} went to PT_NDA while {_books.Vcpu(_books.Roster.Stays[lp].Vcpu)} is in the guest on LP {lp}, "
                    + "which may hold its translation: no INVEPT since";
            }

            if (!isAlive)
                return $"{Text(change, td)} was reclaimed, and LP {lp} may still hold its translation: no INVEPT since the TD ran there";
            tlb.Stale ??= change;
            Occurred(RanBefore);
        }

        if (ran)
            Count(change, isInside);
        return null;
    }

    private void Count(in PageChange change, bool isInside)
    {
        if (isInside)
        {
            Occurred(RunningTd);
            if (change.Before.Type == PageType.PT_EPT)
                Occurred(SeptPageInRunningTd);
        }

        if (change.At.Size > 0)
            Occurred(LargePage);
        foreach (ref readonly EntryChange entry in _books.Sept.Changes)
        {
            if (entry.PageBefore == change.At && entry.After.IsLeaf && entry.PageAfter.Size == 0 && entry.PageAfter != change.At)
                Occurred(Relocated);
            if (entry.ByTable)
                break;
        }
    }

    private string Text(in PageChange change, int td) => $"{_books.Hpa(change.At)} ({change.Before.Type}) of {_books.Td(td)}";

    // From TDH.MNG.VPFLUSHDONE on the TD never runs again, and its key id and root page may go to another TD.
    private string? CheckFlushedTd(ref ObservedState s)
    {
        if (!_books.Wrote(ChangeKind.Td))
            return null;
        foreach (ref readonly Change change in _books.Effects)
        {
            if (change.Kind != ChangeKind.Td || (TdField)change.Position != TdField.Lifecycle || (TdLifecycle)change.New != TdLifecycle.TD_BLOCKED)
                continue;
            if ((OpState)s.Td(change.Object, TdField.OpState) == OpState.RUNNABLE)
                Occurred(KeyFlushed);
            for (int lp = 0; lp < _lps; lp++)
            {
                if (!Tlb(lp, change.Object).IsEmpty)
                    return $"{_books.Td(change.Object)} is TD_BLOCKED, and LP {lp} may still hold translations of it: no INVEPT since it ran there";
            }
        }

        return null;
    }

    // When the translation of a page existed: from its first moment to its last; From 0: never.
    private struct Window
    {
        public long From;
        public long To;
    }
}
