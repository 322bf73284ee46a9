using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Books;

/// <summary>Type and owner of a page, as the PAMT has them.</summary>
/// <param name="Type">The type.</param>
/// <param name="OwnerField">The owner field of the PAMT entry: TDR page + 1. Not kept for PT_NDA, where it is stale.</param>
internal readonly record struct PageUse(PageType Type, int OwnerField)
{
    /// <summary>The page is assigned.</summary>
    public bool IsAssigned => Type != PageType.PT_NDA;

    /// <summary>Page index of the owner's TDR; -1: none.</summary>
    public int OwnerTdr => OwnerField - 1;
}

/// <summary>What an event made of a page.</summary>
/// <param name="At">The PAMT entry.</param>
/// <param name="Before">Before the event.</param>
/// <param name="After">After it.</param>
internal readonly record struct PageChange(PamtRef At, PageUse Before, PageUse After)
{
    /// <summary>The page was assigned and is PT_NDA now.</summary>
    public bool IsHandedBack => Before.IsAssigned && !After.IsAssigned;

    /// <summary>The page was PT_NDA and is assigned now.</summary>
    public bool IsTaken => !Before.IsAssigned && After.IsAssigned;
}

/// <summary>Who uses which page: a copy of the PAMT's types and owners, with counts of its own.</summary>
internal sealed class PamtBook
{
    private readonly PageBook<PageUse> _uses = new();
    private readonly PageBook<int> _assignedBelow = new();
    private readonly PageBook<int> _owned = new();
    private readonly PageBook<int> _ownedControl = new();
    private readonly List<PageChange> _changes = [];

    /// <summary>What the event made of pages, one change a page.</summary>
    public ReadOnlySpan<PageChange> Changes => CollectionsMarshal.AsSpan(_changes);

    /// <summary>Takes the size of the platform.</summary>
    public void Fit(PlatformInfo platform)
    {
        _uses.Fit(platform);
        _assignedBelow.Fit(platform);
        _owned.Fit(platform);
        _ownedControl.Fit(platform);
    }

    /// <summary>A new sequence.</summary>
    public void Reset()
    {
        _uses.Reset();
        _assignedBelow.Reset();
        _owned.Reset();
        _ownedControl.Reset();
        _changes.Clear();
    }

    /// <summary>How the page is used now.</summary>
    public PageUse Use(PamtRef at) => _uses.Read(at);

    /// <summary>Smaller pages assigned within a large one.</summary>
    public int AssignedBelow(PamtRef large) => _assignedBelow.Read(large);

    /// <summary>4 KiB pages that the TD with this TDR owns.</summary>
    public int Owned(int tdrPage) => _owned.Read(new PamtRef(0, tdrPage));

    /// <summary>PT_TDCX and PT_TDVPR pages among them.</summary>
    public int OwnedControlPages(int tdrPage) => _ownedControl.Read(new PamtRef(0, tdrPage));

    /// <summary>Takes over an event.</summary>
    public void Update(Observation o, RunBooks books)
    {
        _changes.Clear();
        if (!books.Wrote(ChangeKind.Pamt))
            return;
        ref ObservedState s = ref o.State;
        foreach (ref readonly Change change in books.Effects)
        {
            if (change.Kind == ChangeKind.Pamt && change.PamtField is PamtField.Type or PamtField.Owner)
                Compare(ref s, change.PamtAt);
        }
    }

    // The first write of an entry is compared with the entry after the event, so later ones find nothing new.
    private void Compare(ref ObservedState s, PamtRef at)
    {
        var type = (PageType)s.Pamt(at, PamtField.Type);
        var now = new PageUse(type, type == PageType.PT_NDA ? 0 : (int)s.Pamt(at, PamtField.Owner));
        ref PageUse use = ref _uses.At(at);
        if (use == now)
            return;
        _changes.Add(new PageChange(at, use, now));
        Count(at, use, -1);
        Count(at, now, 1);
        use = now;
    }

    private void Count(PamtRef at, PageUse use, int sign)
    {
        if (!use.IsAssigned)
            return;
        if (use.OwnerField > 0)
            _owned.At(new PamtRef(0, use.OwnerTdr)) += sign * (1 << (9 * at.Size));
        if (use.OwnerField > 0 && use.Type is PageType.PT_TDCX or PageType.PT_TDVPR)
            _ownedControl.At(new PamtRef(0, use.OwnerTdr)) += sign;
        for (int size = at.Size + 1; size <= 2; size++)
            _assignedBelow.At(PamtRef.Of(size, at.FirstPage)) += sign;
    }
}
