using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Laws.Books;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// TD epochs and their reference counts (facts/epoch.md): REFCOUNT[e &amp; 1] is the number of vCPUs in the guest that
/// entered in epoch e, TD_EPOCH moves only by TDH.MEM.TRACK and only when nobody is left in the previous epoch, and
/// BEPOCH is the epoch of the last TDH.MEM.RANGE.BLOCK of the page.
/// </summary>
public sealed class EpochLaw : Law
{
    private const int TwoInside = 0;
    private const int BothEpochs = 1;
    private const int TrackedWhileRunning = 2;
    private const int TrackRefused = 3;
    private const int EntryTakenBack = 4;
    private const int Blocked = 5;
    private const int StaleBepochCleared = 6;

    private readonly RunBooks _books;
    private ulong[] _entryEpochs = [];

    internal EpochLaw(RunBooks books)
        : base(
            "epoch-reference-counts", "REFCOUNT counts the vCPUs in the guest by the parity of their epoch; TD_EPOCH and BEPOCH change only as specified.",
            "two vCPUs of a TD in the guest", "vCPUs in the guest in two epochs", "TDH.MEM.TRACK while a vCPU is in the guest",
            "TDX_PREVIOUS_TLB_EPOCH_BUSY", "TDH.VP.ENTER that took its count back", "BEPOCH written by a block",
            "BEPOCH of a page used before cleared")
    {
        _books = books;
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        _books.Reset();
        Array.Clear(_entryEpochs);
    }

    /// <inheritdoc/>
    protected override string? Check(Observation o)
    {
        _books.See(o);
        ref ObservedState s = ref o.State;
        if (_books.ReturnedToHost && CheckReturn(o, ref s) is { } returned)
            return returned;
        if (_books.IsQuiet)
            return null;
        if (_entryEpochs.Length < o.Platform.LpCount)
            _entryEpochs = new ulong[o.Platform.LpCount];
        if (_books.Roster.Entered && CheckEntry(o, ref s) is { } entered)
            return entered;
        return CheckFields(o, ref s) ?? CheckNewPages(o, ref s);
    }

    // The vCPU's epoch and REFCOUNT, as the entry left them.
    private string? CheckEntry(Observation o, ref ObservedState s)
    {
        Stay visit = _books.Roster.Visit;
        if (!_books.Roster.Exists(visit.Td))
            return null;
        ulong epoch = s.Td(visit.Td, TdField.Epoch);
        _entryEpochs[o.Lp] = epoch;
        if (s.Vcpu(visit.Vcpu, VcpuField.Epoch) != epoch)
            return $"{_books.Vcpu(visit.Vcpu)} was entered with vCPU epoch {s.Vcpu(visit.Vcpu, VcpuField.Epoch)}; TD_EPOCH is {epoch}";
        return CheckCounts(ref s, visit.Td);
    }

    private string? CheckCounts(ref ObservedState s, int td)
    {
        ulong epoch = s.Td(td, TdField.Epoch);
        ulong even = 0;
        ulong odd = 0;
        for (int lp = 0; lp < _entryEpochs.Length; lp++)
        {
            ref readonly Stay stay = ref _books.Roster.Stays[lp];
            if (stay.Entered == 0 || stay.Td != td)
                continue;
            if (_entryEpochs[lp] != epoch && _entryEpochs[lp] + 1 != epoch)
                return $"{_books.Vcpu(stay.Vcpu)} is in the guest on LP {lp} since TD_EPOCH {_entryEpochs[lp]}; {_books.Td(td)} is in epoch {epoch}";
            even += ~_entryEpochs[lp] & 1;
            odd += _entryEpochs[lp] & 1;
        }

        if (even + odd > 1)
            Occurred(TwoInside);
        if (even > 0 && odd > 0)
            Occurred(BothEpochs);
        if (s.Td(td, TdField.RefCountEven) == even && s.Td(td, TdField.RefCountOdd) == odd)
            return null;
        return $"REFCOUNT of {_books.Td(td)} is {{{s.Td(td, TdField.RefCountEven)}, {s.Td(td, TdField.RefCountOdd)}}}; "
            + $"{even} vCPUs are in the guest since an even epoch, {odd} since an odd one";
    }

    private string? CheckFields(Observation o, ref ObservedState s)
    {
        int counted = -1;
        if (_books.Roster.Left && _books.Roster.Exists(_books.Roster.Visit.Td) && CheckCounts(ref s, counted = _books.Roster.Visit.Td) is { } left)
            return left;
        if (!_books.Wrote(ChangeKind.Td) && !_books.Wrote(ChangeKind.Vcpu) && !_books.Wrote(ChangeKind.Pamt))
            return null;
        foreach (ref readonly Change change in _books.Effects)
        {
            switch (change.Kind)
            {
                case ChangeKind.Td when (TdField)change.Position == TdField.Epoch:
                    if (CheckEpoch(o, change) is { } epoch)
                        return epoch;
                    break;
                case ChangeKind.Td when (TdField)change.Position is TdField.RefCountEven or TdField.RefCountOdd:
                    if (change.Object != counted && _books.Roster.Exists(change.Object) && CheckCounts(ref s, counted = change.Object) is { } count)
                        return count;
                    break;
                case ChangeKind.Vcpu when (VcpuField)change.Position == VcpuField.Epoch:
                    if (!IsEntry(o))
                        return $"vCPU epoch of {_books.Vcpu(change.Object)} went from {change.Old} to {change.New} without TDH.VP.ENTER";
                    break;
                case ChangeKind.Pamt when change.PamtField == PamtField.Bepoch:
                    if (CheckBepoch(o, ref s, change) is { } bepoch)
                        return bepoch;
                    break;
                default:
                    break;
            }
        }

        return null;
    }

    private string? CheckEpoch(Observation o, in Change change)
    {
        int td = change.Object;
        if (_books.ReturnedToHost && o.Leaf == HostLeaf.TDH_MNG_INIT && change.New == 1)
            return null;
        if (!_books.ReturnedToHost || o.Leaf != HostLeaf.TDH_MEM_TRACK || o.Status.IsError)
            return $"TD_EPOCH of {_books.Td(td)} went from {change.Old} to {change.New}, and this was no successful TDH.MEM.TRACK";
        if (change.New != change.Old + 1)
            return $"TDH.MEM.TRACK moved TD_EPOCH of {_books.Td(td)} from {change.Old} to {change.New}";
        if (_books.Roster.IsInside(td))
            Occurred(TrackedWhileRunning);
        return InPreviousEpoch(td, change.Old) is >= 0 and var lp
            ? $"TDH.MEM.TRACK moved TD_EPOCH of {_books.Td(td)} to {change.New}, and {_books.Vcpu(_books.Roster.Stays[lp].Vcpu)} is in the guest on LP {lp} since epoch {_entryEpochs[lp]}"
            : null;
    }

    private string? CheckBepoch(Observation o, ref ObservedState s, in Change change)
    {
        PamtRef at = change.PamtAt;
        if (_books.ReturnedToHost && !o.Status.IsError)
        {
            switch (o.Leaf)
            {
                case HostLeaf.TDH_MEM_RANGE_BLOCK:
                    if (IsBlockedPage(at))
                        return null;
                    break;
                case HostLeaf.TDH_MEM_PAGE_ADD or HostLeaf.TDH_MEM_PAGE_AUG or HostLeaf.TDH_MEM_SEPT_ADD
                    or HostLeaf.TDH_MEM_PAGE_RELOCATE or HostLeaf.TDH_MEM_PAGE_DEMOTE:
                    if (s.Pamt(at, PamtField.Bepoch) == 0 && IsCleared(o.Leaf, (PageType)s.Pamt(at, PamtField.Type)))
                    {
                        Occurred(StaleBepochCleared);
                        return null;
                    }

                    break;
                default:
                    break;
            }
        }

        return $"BEPOCH of {_books.Hpa(at)} went from {change.Old} to {change.New}, and nothing blocked or added that page";
    }

    private bool IsBlockedPage(PamtRef at)
    {
        foreach (ref readonly EntryChange change in _books.Sept.Changes)
        {
            if (change.PageAfter == at && SeptStates.AnyBlocked.Contains(change.After.State))
                return true;
        }

        return false;
    }

    // A page blocked now has BEPOCH = TD_EPOCH, a new one 0: also where no write was needed for it.
    private string? CheckNewPages(Observation o, ref ObservedState s)
    {
        foreach (ref readonly EntryChange change in _books.Sept.Changes)
        {
            if (change.IsOtherPage || !SeptStates.AnyBlocked.Contains(change.After.State) || change.PageAfter.Size < 0)
                continue;
            Occurred(Blocked);
            ulong bepoch = s.Pamt(change.PageAfter, PamtField.Bepoch);
            ulong epoch = s.Td(change.Td, TdField.Epoch);
            if (bepoch != epoch)
                return $"GPA 0x{change.Gpa:x} level {change.Level} of {_books.Td(change.Td)} was blocked in epoch {epoch}; BEPOCH of {_books.Hpa(change.PageAfter)} is {bepoch}";
        }

        foreach (ref readonly PageChange change in _books.Pamt.Changes)
        {
            if (!change.IsTaken || !IsCleared(o.Leaf, change.After.Type))
                continue;
            if (s.Pamt(change.At, PamtField.Bepoch) is not 0 and var bepoch)
                return $"{_books.Hpa(change.At)} became {change.After.Type} by {o.Leaf.Name()} with BEPOCH {bepoch}, not 0";
        }

        return null;
    }

    // TDH.MEM.PAGE.PROMOTE keeps the BEPOCH of the merged entry, and PAGE.DEMOTE that of the new S-EPT page (facts/epoch.md).
    private static bool IsCleared(HostLeaf leaf, PageType type) => type switch
    {
        PageType.PT_REG => leaf != HostLeaf.TDH_MEM_PAGE_PROMOTE,
        PageType.PT_EPT => leaf != HostLeaf.TDH_MEM_PAGE_DEMOTE,
        _ => false,
    };

    private string? CheckReturn(Observation o, ref ObservedState s)
    {
        switch (o.Leaf)
        {
            case HostLeaf.TDH_VP_ENTER:
                int vcpu = _books.Roster.FindVcpu(RunBooks.Page(o, o.Input.Rcx & 0x000F_FFFF_FFFF_F000));
                if (vcpu < 0 || !_books.Roster.Exists(_books.Roster.Vcpus[vcpu].Td))
                    return null;
                if (!o.Status.IsError || o.Status.Value == (Status.TDX_OPERAND_BUSY | (uint)OperandId.SEPT_TREE))
                    Occurred(EntryTakenBack);
                return o.Status.Value == 0
                    ? $"TDH.VP.ENTER of {_books.Vcpu(vcpu)} returned TDX_SUCCESS without having been in the guest"
                    : CheckCounts(ref s, _books.Roster.Vcpus[vcpu].Td);
            case HostLeaf.TDH_MNG_INIT when !o.Status.IsError:
                int td = _books.Roster.FindTd(RunBooks.Page(o, o.Input.Rcx));
                return td >= 0 && s.Td(td, TdField.Epoch) != 1
                    ? $"{_books.Td(td)} was initialised, and TD_EPOCH is {s.Td(td, TdField.Epoch)}, not 1"
                    : null;
            case HostLeaf.TDH_MEM_TRACK:
                return CheckTrack(o, ref s);
            default:
                return null;
        }
    }

    private string? CheckTrack(Observation o, ref ObservedState s)
    {
        int td = _books.Roster.FindTd(RunBooks.Page(o, o.Input.Rcx));
        if (td < 0)
            return null;
        if (!o.Status.IsError && !_books.Wrote(ChangeKind.Td))
            return $"TDH.MEM.TRACK succeeded, and TD_EPOCH of {_books.Td(td)} is still {s.Td(td, TdField.Epoch)}";
        if (o.Status.Base.Value != Status.TDX_PREVIOUS_TLB_EPOCH_BUSY)
            return null;
        Occurred(TrackRefused);
        return InPreviousEpoch(td, s.Td(td, TdField.Epoch)) < 0
            ? $"TDH.MEM.TRACK returned {o.Status}, and no vCPU of {_books.Td(td)} is in the guest since before epoch {s.Td(td, TdField.Epoch)}"
            : null;
    }

    // The LP whose vCPU entered before this epoch; -1: none.
    private int InPreviousEpoch(int td, ulong epoch)
    {
        for (int lp = 0; lp < _entryEpochs.Length; lp++)
        {
            if (_books.Roster.Stays[lp].Entered != 0 && _books.Roster.Stays[lp].Td == td && _entryEpochs[lp] < epoch)
                return lp;
        }

        return -1;
    }

    private static bool IsEntry(Observation o) => o.IsHostCall && o.Leaf == HostLeaf.TDH_VP_ENTER;
}
