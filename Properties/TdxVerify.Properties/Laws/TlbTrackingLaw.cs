using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Laws.Books;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// TLB tracking, by the law's own clock instead of epochs: in a RUNNABLE TD an entry loses what it points to, or its
/// blocked state, only if it was blocked, TDH.MEM.TRACK succeeded since, and every vCPU that was in the guest before that
/// has left. TDX_TLB_TRACKING_NOT_DONE is the answer if and only if this is not so (facts/epoch.md).
/// </summary>
public sealed class TlbTrackingLaw : Law
{
    private const int Tracked = 0;
    private const int TrackedWhileInside = 1;
    private const int NoTrack = 2;
    private const int StillInside = 3;
    private const int NotBlocked = 4;
    private const int BlockedWhileBuilt = 5;
    private const int BlockedAgain = 6;
    private const int TreeTracked = 7;

    private readonly RunBooks _books;
    private readonly PageBook<BlockRecord> _blocked = new();
    private readonly List<List<long>> _tracks = [];
    private PlatformInfo? _platform;

    internal TlbTrackingLaw(RunBooks books)
        : base(
            "tlb-tracking", "A translation of a running TD is taken away, or a range unblocked, only after block, track and the exit of older vCPUs.",
            "tracked entry changed", "tracked entry changed while newer vCPUs are in the guest", "TDX_TLB_TRACKING_NOT_DONE for want of a track",
            "TDX_TLB_TRACKING_NOT_DONE because an older vCPU is in the guest", "TDX_GPA_RANGE_NOT_BLOCKED",
            "entry blocked before TDH.MR.FINALIZE and changed after it", "entry blocked again after an unblock", "tracked S-EPT page removed or merged")
    {
        _books = books;
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        _books.Reset();
        _blocked.Reset();
        foreach (List<long> tracks in _tracks)
            tracks.Clear();
    }

    /// <inheritdoc/>
    protected override string? Check(Observation o)
    {
        if (!ReferenceEquals(_platform, o.Platform))
        {
            _platform = o.Platform;
            _blocked.Fit(o.Platform);
        }

        _books.See(o);
        if (_books.ReturnedToHost && o.Status.IsError && CheckRefusal(o) is { } refused)
            return refused;
        if (_books.IsQuiet)
            return null;
        if (_books.Wrote(ChangeKind.Td) || _books.Wrote(ChangeKind.NewTd))
            UpdateTds(o);
        return CheckEntries(o);
    }

    private void UpdateTds(Observation o)
    {
        foreach (ref readonly Change change in _books.Effects)
        {
            if (change.Kind == ChangeKind.NewTd)
                Tracks(change.Object).Clear();
            else if (change.Kind == ChangeKind.Td && (TdField)change.Position == TdField.Epoch && o.Leaf == HostLeaf.TDH_MEM_TRACK)
                Tracks(change.Object).Add(_books.Now);
        }
    }

    private string? CheckEntries(Observation o)
    {
        ref ObservedState s = ref o.State;
        foreach (ref readonly EntryChange change in _books.Sept.Changes)
        {
            if (change.ByTable)
                continue;
            bool wasBlocked = SeptStates.AnyBlocked.Contains(change.Before.State);
            bool isBlocked = SeptStates.AnyBlocked.Contains(change.After.State);
            if (isBlocked && !wasBlocked)
                Block(ref s, change);
            if (change.PageBefore.Size < 0 || (isBlocked && !change.IsOtherPage) || (!wasBlocked && !change.IsOtherPage))
                continue;
            if ((OpState)s.Td(change.Td, TdField.OpState) != OpState.RUNNABLE)
                continue;
            if (!wasBlocked)
                return $"{o.Leaf.Name()} took {_books.Hpa(change.PageBefore)} away from {At(change)}, which is {change.Before.State}: it was never blocked";
            if (WhyNotTracked(change.Td, change.PageBefore) is { } reason)
                return $"{o.Leaf.Name()} changed {At(change)} from {change.Before.State} to {change.After.State}: {reason}";
            Count(change);
        }

        return null;
    }

    private void Block(ref ObservedState s, in EntryChange change)
    {
        ref BlockRecord blocked = ref _blocked.At(change.PageAfter);
        if (blocked.WasUnblocked)
            Occurred(BlockedAgain);
        blocked = new BlockRecord
        {
            Time = _books.Now, WhileBuilt = (OpState)s.Td(change.Td, TdField.OpState) != OpState.RUNNABLE,
        };
    }

    private void Count(in EntryChange change)
    {
        Occurred(Tracked);
        if (_books.Roster.IsInside(change.Td))
            Occurred(TrackedWhileInside);
        if (SeptStates.NonLeaf.Contains(change.Before.State) && change.IsOtherPage)
            Occurred(TreeTracked);
        ref BlockRecord blocked = ref _blocked.At(change.PageBefore);
        if (blocked.WhileBuilt)
            Occurred(BlockedWhileBuilt);
        blocked = new BlockRecord { WasUnblocked = !change.IsOtherPage };
    }

    private string? CheckRefusal(Observation o)
    {
        ulong status = o.Status.Base.Value;
        if (status is not (Status.TDX_TLB_TRACKING_NOT_DONE or Status.TDX_GPA_RANGE_NOT_BLOCKED))
            return null;
        int td = _books.Roster.FindTd(RunBooks.Page(o, o.Input.Rdx & ~0xFFFUL));
        if (td < 0)
            return $"{o.Leaf.Name()} returned {o.Status}, and RDX names no TDR";
        var operand = new PageInfo(o.Input.Rcx);
        ref ObservedState s = ref o.State;
        (_, int level, SeptEntry entry) = SeptBook.Walk(ref s, td, operand.Gpa, operand.Level);
        string where = $"GPA 0x{operand.Gpa:x} level {operand.Level} of {_books.Td(td)}";
        if (level != operand.Level || entry.State == SeptState.FREE)
            return $"{o.Leaf.Name()} returned {o.Status}, and nothing is mapped at {where}";
        if ((OpState)s.Td(td, TdField.OpState) != OpState.RUNNABLE)
            return $"{o.Leaf.Name()} returned {o.Status}, and {_books.Td(td)} is not RUNNABLE: no tracking is needed";
        bool isBlocked = SeptStates.AnyBlocked.Contains(entry.State);
        if (status == Status.TDX_GPA_RANGE_NOT_BLOCKED)
        {
            Occurred(NotBlocked);
            return isBlocked ? $"{o.Leaf.Name()} returned {o.Status}, and {where} is {entry.State}" : null;
        }

        if (!isBlocked)
            return $"{o.Leaf.Name()} returned {o.Status}, and {where} is {entry.State}: it is not blocked at all";
        PamtRef page = entry.IsLeaf ? PamtRef.Of(level, entry.Target) : new PamtRef(0, _books.Sept.Table(entry.Target).Page);
        if (WhyNotTracked(td, page) is null)
            return $"{o.Leaf.Name()} returned {o.Status}, and {where} was blocked, tracked, and left by every older vCPU";
        Occurred(FirstTrack(td, _blocked.Read(page).Time) == long.MaxValue ? NoTrack : StillInside);
        return null;
    }

    // Why the page that a blocked entry points to is not tracked; null: it is.
    private string? WhyNotTracked(int td, PamtRef page)
    {
        long blocked = _blocked.Read(page).Time;
        if (blocked == 0)
            return $"{_books.Hpa(page)} was never blocked";
        long track = FirstTrack(td, blocked);
        if (track == long.MaxValue)
            return $"no TDH.MEM.TRACK since {_books.Hpa(page)} was blocked";
        return _books.Roster.InsideSinceBefore(td, track) is >= 0 and var lp
            ? $"{_books.Vcpu(_books.Roster.Stays[lp].Vcpu)} is in the guest on LP {lp} since before the TDH.MEM.TRACK that followed the block of {_books.Hpa(page)}"
            : null;
    }

    private long FirstTrack(int td, long blocked)
    {
        List<long> tracks = Tracks(td);
        int place = CollectionsMarshal.AsSpan(tracks).BinarySearch(blocked);
        place = place < 0 ? ~place : place;
        return place < tracks.Count ? tracks[place] : long.MaxValue;
    }

    private List<long> Tracks(int td)
    {
        while (_tracks.Count <= td)
            _tracks.Add([]);
        return _tracks[td];
    }

    private string At(in EntryChange change) => $"GPA 0x{change.Gpa:x} level {change.Level} of {_books.Td(change.Td)}";

    // The block of the entry that points to a page.
    private struct BlockRecord
    {
        // 0: it is not blocked.
        public long Time;
        public bool WhileBuilt;
        public bool WasUnblocked;
    }
}
