using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Laws.Books;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// A page that was removed and added again by TDH.MEM.PAGE.AUG is not visible to the guest before a new
/// TDG.MEM.PAGE.ACCEPT: the host cannot put a page of its choice in the place of one that the guest trusts.
/// </summary>
public sealed class ReaddedPagesLaw : Law
{
    private const int AddedAgain = 0;
    private const int AccessedBeforeAccept = 1;
    private const int AcceptedAgain = 2;
    private const int AccessedAfterAccept = 3;

    private readonly RunBooks _books;
    private readonly Acceptance _acceptance;

    internal ReaddedPagesLaw(RunBooks books, Acceptance acceptance)
        : base(
            "re-added-needs-accept", "A page removed and added again is not visible to the guest before it is accepted again.",
            "page added again where one was removed", "re-added page accessed before accept", "re-added page accepted", "re-added page accessed after accept")
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
        foreach (ref readonly EntryChange change in _books.Sept.Changes)
        {
            if (!change.After.IsLeaf || !_acceptance.WasRemoved(change.At))
                continue;
            if (_acceptance.Fate(o, change) == ContentFate.AddedAgain)
                Occurred(AddedAgain);
            if (change.After.State is SeptState.MAPPED or SeptState.BLOCKED && !_acceptance.IsAccepted(change.At))
                return $"GPA 0x{change.Gpa:x} level {change.Level} of {_books.Td(change.Td)} became {change.After.State}: its page was removed before, and the one mapped there since was not accepted";
        }

        return CheckTouch(o);
    }

    private string? CheckTouch(Observation o)
    {
        GuestTouch touch = _acceptance.Touch;
        if (!touch.Exists || !touch.Entry.IsLeaf || !_acceptance.WasRemoved(touch.At))
            return null;
        bool accepted = _acceptance.IsAccepted(touch.At);
        if (touch.IsAccept)
        {
            if (o.Guest.End == CallEnd.Returned && o.Guest.Status == Status.TDX_SUCCESS)
                Occurred(AcceptedAgain);
            return null;
        }

        if (o.Guest.End != CallEnd.AccessDone)
        {
            if (!accepted)
                Occurred(AccessedBeforeAccept);
            return null;
        }

        Occurred(AccessedAfterAccept);
        return accepted
            ? null
            : $"{_books.Vcpu(touch.Vcpu)} accessed GPA 0x{touch.Gpa:x} of {_books.Td(touch.Td)}: the page there was removed before, and the one mapped since was not accepted";
    }
}
