using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Laws.Books;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// The guest sees only what it agreed to: a page is MAPPED, and an access to it is carried out, if and only if it was added
/// by TDH.MEM.PAGE.ADD while the TD was built, or accepted by TDG.MEM.PAGE.ACCEPT since it was mapped there (facts/guest.md).
/// </summary>
public sealed class AcceptedPagesLaw : Law
{
    private const int AccessToAdded = 0;
    private const int AccessToPending = 1;
    private const int Accepted = 2;
    private const int AlreadyAccepted = 3;
    private const int KeptBlocked = 4;
    private const int KeptRelocated = 5;
    private const int KeptMerged = 6;
    private const int KeptSplit = 7;

    private readonly RunBooks _books;
    private readonly Acceptance _acceptance;

    internal AcceptedPagesLaw(RunBooks books, Acceptance acceptance)
        : base(
            "guest-sees-only-accepted", "A page is visible to the guest if and only if it was added while the TD was built, or accepted since.",
            "access to a page added or accepted", "access to a page not accepted", "page accepted", "page found already accepted",
            "acceptance kept over block or unblock", "acceptance kept over relocation", "acceptance kept over promotion", "acceptance kept over demotion")
    {
        _books = books;
        _acceptance = acceptance;
    }

    /// <inheritdoc/>
    public override void Reset() => _acceptance.Reset();

    /// <inheritdoc/>
    protected override string? Check(Observation o)
    {
        _acceptance.See(o);
        if (_books.IsQuiet)
            return null;
        return CheckTouch(o) ?? CheckEntries(o);
    }

    private string? CheckEntries(Observation o)
    {
        foreach (ref readonly EntryChange change in _books.Sept.Changes)
        {
            bool accepted = _acceptance.IsAccepted(change.At);
            if (accepted)
                CountKept(o, change);
            if (!change.After.IsLeaf)
                continue;
            bool visible = change.After.State is SeptState.MAPPED or SeptState.BLOCKED;
            if (visible && !accepted)
                return $"GPA 0x{change.Gpa:x} level {change.Level} of {_books.Td(change.Td)} became {change.After.State}, and what it maps was neither added while the TD was built nor accepted";
            if (!visible && accepted)
                return $"GPA 0x{change.Gpa:x} level {change.Level} of {_books.Td(change.Td)} became {change.After.State}, and its page was accepted before";
        }

        return null;
    }

    private void CountKept(Observation o, in EntryChange change)
    {
        switch (_acceptance.Fate(o, change))
        {
            case ContentFate.Blocked:
                Occurred(KeptBlocked);
                break;
            case ContentFate.Relocated:
                Occurred(KeptRelocated);
                break;
            case ContentFate.Merged:
                Occurred(KeptMerged);
                break;
            default:
                if (change.ByTable && change.After.IsLeaf)
                    Occurred(KeptSplit);
                break;
        }
    }

    private string? CheckTouch(Observation o)
    {
        GuestTouch touch = _acceptance.Touch;
        if (!touch.Exists)
            return null;
        bool accepted = touch.Entry.IsLeaf && _acceptance.IsAccepted(touch.At);
        return touch.IsAccept ? CheckAccept(o, touch, accepted) : CheckAccess(o, touch, accepted);
    }

    private string? CheckAccess(Observation o, in GuestTouch touch, bool accepted)
    {
        bool done = o.Guest.End == CallEnd.AccessDone;
        if (done && !accepted)
            return $"{At(touch)}: an access was carried out, and the guest never accepted that page; its S-EPT entry is {touch.Entry.State}";
        if (!done && touch.Entry.State == SeptState.MAPPED && o.Guest.End != CallEnd.NonAccessible)
            return $"{At(touch)}: an access ended in {o.Guest.End}, and the page is mapped and accepted";
        if (done)
            Occurred(AccessToAdded);
        else if (touch.Entry.State == SeptState.PENDING)
            Occurred(AccessToPending);
        return null;
    }

    private string? CheckAccept(Observation o, in GuestTouch touch, bool accepted)
    {
        if (o.Guest.End != CallEnd.Returned)
            return null;
        var status = new StatusCode(o.Guest.Status);
        if (status.Value == Status.TDX_SUCCESS)
        {
            Occurred(Accepted);
            return touch.Level == touch.WantedLevel && touch.Entry.State == SeptState.MAPPED
                ? null
                : $"{At(touch)}: TDG.MEM.PAGE.ACCEPT at level {touch.WantedLevel} returned TDX_SUCCESS, and the S-EPT entry at level {touch.Level} is {touch.Entry.State}";
        }

        if (status.Base.Value != Status.TDX_PAGE_ALREADY_ACCEPTED)
            return null;
        Occurred(AlreadyAccepted);
        return accepted
            ? null
            : $"{At(touch)}: TDG.MEM.PAGE.ACCEPT returned {status}, and the page was never accepted; its S-EPT entry is {touch.Entry.State}";
    }

    private string At(in GuestTouch touch) => $"{_books.Vcpu(touch.Vcpu)}, GPA 0x{touch.Gpa:x} of {_books.Td(touch.Td)}";
}
