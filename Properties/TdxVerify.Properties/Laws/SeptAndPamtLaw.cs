using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Laws.Books;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// The S-EPT and the PAMT tell the same story (facts/pamt.md): what an entry maps is PT_REG at its level and owned by its
/// TD, what it points to is PT_EPT, and what it stops pointing to is PT_NDA; each page is mapped once, at one size; TDR.CHLDCNT
/// is the number of 4 KiB pages that the TD owns, and TDCS and TDVPSs have the pages of their types. From TD_TEARDOWN on the S-EPT of a TD means nothing any more.
/// </summary>
public sealed class SeptAndPamtLaw : Law
{
    // Cases 0 to 2 are the sizes.
    private const int SmallPage = 0;
    private const int HugePage = 2;
    private const int SeptPage = 3;
    private const int Unmapped = 4;
    private const int Split = 5;
    private const int Merged = 6;
    private const int ReusedByOtherTd = 7;

    private readonly RunBooks _books;
    private readonly PageBook<Mapper> _mappers = new();
    private PlatformInfo? _platform;

    internal SeptAndPamtLaw(RunBooks books)
        : base(
            "sept-and-pamt-agree", "S-EPT, PAMT and TDR.CHLDCNT agree on which TD uses which page, and each page is mapped once.",
            "4 KiB page mapped", "2 MiB page mapped", "1 GiB page mapped", "S-EPT page linked", "page unmapped",
            "large page split", "small pages merged", "page of one TD used again by another")
    {
        _books = books;
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        _books.Reset();
        _mappers.Reset();
    }

    /// <inheritdoc/>
    protected override string? Check(Observation o)
    {
        if (!ReferenceEquals(_platform, o.Platform))
        {
            _platform = o.Platform;
            _mappers.Fit(o.Platform);
        }

        _books.See(o);
        if (!_books.Wrote(ChangeKind.Entry) && !_books.Wrote(ChangeKind.Pamt) && !_books.Wrote(ChangeKind.NewTd) && !WroteCount())
            return null;
        ref ObservedState s = ref o.State;
        return CheckMappings(ref s) ?? CheckEntries(ref s) ?? CheckPages(ref s) ?? CheckRoots(ref s) ?? CheckChildCounts(ref s);
    }

    private bool WroteCount()
    {
        if (!_books.Wrote(ChangeKind.Td) && !_books.Wrote(ChangeKind.Vcpu))
            return false;
        foreach (ref readonly Change change in _books.Effects)
        {
            if (change.Kind == ChangeKind.Td && (TdField)change.Position is TdField.ChildCount or TdField.TdcsPages)
                return true;
            if (change.Kind == ChangeKind.Vcpu && (VcpuField)change.Position == VcpuField.Pages)
                return true;
        }

        return false;
    }

    // Who maps a page is noted first for all entries: a page may go from one entry to another in one event.
    private string? CheckMappings(ref ObservedState s)
    {
        foreach (ref readonly EntryChange change in _books.Sept.Changes)
        {
            if (!change.After.IsLeaf || !change.IsOtherPage)
                continue;
            if (!_mappers.Contains(change.PageAfter))
                return $"{At(change)} maps a page that is not of the TDMR";
            Mapper before = _mappers.Read(change.PageAfter);
            if (before.At != change.At && IsAlive(ref s, before, change.PageAfter))
                return $"{_books.Hpa(change.PageAfter)} is mapped twice: at {At(change)} and at GPA 0x{before.Gpa:x} of {_books.Td(before.Td)}";
            if (before.TdGeneration != 0 && before.TdGeneration != _books.Roster.Tds[change.Td].Generation)
                Occurred(ReusedByOtherTd);
            _mappers.At(change.PageAfter) = new Mapper
            {
                At = change.At, Td = change.Td, TdGeneration = _books.Roster.Tds[change.Td].Generation, Gpa = change.Gpa, Level = change.Level,
            };
            Occurred(SmallPage + Math.Min(change.Level, HugePage));
        }

        return null;
    }

    private string? CheckEntries(ref ObservedState s)
    {
        foreach (ref readonly EntryChange change in _books.Sept.Changes)
        {
            if (!change.IsOtherPage || IsTornDown(ref s, change.Td))
                continue;
            if (change.PageAfter.Size >= 0 && CheckUse(ref s, change) is { } wrong)
                return wrong;
            if (change.PageBefore.Size < 0)
                continue;
            Occurred(change.ByTable ? Merged : SeptStates.NonLeaf.Contains(change.After.State) ? Split : Unmapped);
            if (_books.Pamt.Use(change.PageBefore).IsAssigned && !IsUsedBySept(ref s, change.PageBefore))
            {
                return $"{At(change)} does not point to {_books.Hpa(change.PageBefore)} any more, but the page is still "
                    + $"{_books.Pamt.Use(change.PageBefore).Type} and not PT_NDA";
            }
        }

        return null;
    }

    private string? CheckUse(ref ObservedState s, in EntryChange change)
    {
        // Written over again in the same event, or gone with its S-EPT page.
        if (s.Entry(change.At).WithoutLockBits != change.After || !_books.Sept.Table(change.At.Table).IsLinked)
            return null;
        bool isLeaf = change.After.IsLeaf;
        if (!isLeaf)
            Occurred(SeptPage);
        PageUse use = _books.Pamt.Use(change.PageAfter);
        PageType expected = isLeaf ? PageType.PT_REG : PageType.PT_EPT;
        if (use.Type != expected)
            return $"{At(change)} is {change.After.State} and points to {_books.Hpa(change.PageAfter)}, whose PAMT type is {use.Type}, not {expected}";
        if (use.OwnerTdr != _books.Roster.Tds[change.Td].TdrPage)
            return $"{At(change)} points to {_books.Hpa(change.PageAfter)}, whose PAMT owner is {Owner(use)}";
        if (isLeaf && change.PageAfter.FirstPage != change.After.Target)
            return $"{At(change)} maps {_books.Hpa(change.After.Target)}, which is not aligned to the level";
        return null;
    }

    private string? CheckPages(ref ObservedState s)
    {
        foreach (ref readonly PageChange change in _books.Pamt.Changes)
        {
            PamtRef at = change.At;
            if (!change.After.IsAssigned)
            {
                if (change.Before.Type is PageType.PT_REG or PageType.PT_EPT && IsUsedBySept(ref s, at))
                    return $"{_books.Hpa(at)} went from {change.Before.Type} to PT_NDA while {User(at, change.Before.Type)} still points to it";
                continue;
            }

            for (int size = at.Size + 1; size <= HugePage; size++)
            {
                if (_books.Pamt.Use(PamtRef.Of(size, at.FirstPage)).IsAssigned)
                    return $"{_books.Hpa(at)} is {change.After.Type} inside {_books.Hpa(PamtRef.Of(size, at.FirstPage))}, which is assigned as a whole";
            }

            if (at.Size > SmallPage && _books.Pamt.AssignedBelow(at) != 0)
                return $"{_books.Hpa(at)} is {change.After.Type} as a whole, and {_books.Pamt.AssignedBelow(at)} smaller pages in it are assigned too";
            if (at.Size > SmallPage && change.After.Type != PageType.PT_REG)
                return $"{_books.Hpa(at)} is {change.After.Type}; only PT_REG pages are large";
            if (change.After.Type == PageType.PT_TDR && change.After.OwnerField != 0)
                return $"{_books.Hpa(at)} is PT_TDR, and its PAMT owner is {Owner(change.After)}, not 0";
            if (change.After.Type is PageType.PT_REG or PageType.PT_EPT && !IsUsedBySept(ref s, at))
                return $"{_books.Hpa(at)} became {change.After.Type}, and no S-EPT entry of {Owner(change.After)} points to it";
        }

        return null;
    }

    private string? CheckRoots(ref ObservedState s)
    {
        if (!_books.Wrote(ChangeKind.NewTable))
            return null;
        foreach (ref readonly Change change in _books.Effects)
        {
            if (change.Kind != ChangeKind.NewTable)
                continue;
            TableRecord table = _books.Sept.Table(change.Object);
            if (!table.IsLinked)
                return $"{_books.Hpa((int)change.New)} became an S-EPT page, and no entry points to it";
            PageUse use = _books.Pamt.Use(new PamtRef(0, table.Page));
            PageType expected = table.Level < 0 ? PageType.PT_TDCX : PageType.PT_EPT;
            if (use.Type != expected || use.OwnerTdr != _books.Roster.Tds[table.Td].TdrPage)
                return $"{_books.Hpa(table.Page)} is an S-EPT page of {_books.Td(table.Td)}; the PAMT says {use.Type}, owner {Owner(use)}, not {expected}";
        }

        return null;
    }

    private string? CheckChildCounts(ref ObservedState s)
    {
        ReadOnlySpan<TdRecord> tds = _books.Roster.Tds;
        for (int td = 0; td < tds.Length; td++)
        {
            if (!tds[td].Exists)
                continue;
            ulong count = s.Td(td, TdField.ChildCount);
            int owned = _books.Pamt.Owned(tds[td].TdrPage);
            if (count != (ulong)owned)
                return $"TDR.CHLDCNT of {_books.Td(td)} is {count}; the TD owns {owned} pages of 4 KiB";
            int control = _books.Pamt.OwnedControlPages(tds[td].TdrPage);
            if (!IsTornDown(ref s, td) && ControlPages(ref s, td) != (ulong)control)
                return $"TDCS and TDVPSs of {_books.Td(td)} count {ControlPages(ref s, td)} pages; the TD owns {control} pages of type PT_TDCX and PT_TDVPR";
            if (_books.Pamt.Use(new PamtRef(0, tds[td].TdrPage)).Type != PageType.PT_TDR)
                return $"{_books.Td(td)}: the PAMT type of its TDR page is {_books.Pamt.Use(new PamtRef(0, tds[td].TdrPage)).Type}";
        }

        return null;
    }

    private ulong ControlPages(ref ObservedState s, int td)
    {
        ulong pages = s.Td(td, TdField.TdcsPages);
        ReadOnlySpan<VcpuRecord> vcpus = _books.Roster.Vcpus;
        for (int vcpu = 0; vcpu < vcpus.Length; vcpu++)
        {
            if (vcpus[vcpu].Exists && vcpus[vcpu].Td == td)
                pages += s.Vcpu(vcpu, VcpuField.Pages);
        }

        return pages;
    }

    // The page is what a linked entry of a TD that is not torn down maps or points to.
    private bool IsUsedBySept(ref ObservedState s, PamtRef at)
    {
        PageUse use = _books.Pamt.Use(at);
        if (IsAlive(ref s, _mappers.Read(at), at))
            return !use.IsAssigned || use.Type == PageType.PT_REG;
        if (at.Size != SmallPage || _books.Sept.TableOfPage(at.Index) is not (>= 0 and var handle))
            return false;
        TableRecord table = _books.Sept.Table(handle);
        return table.IsLinked && table.Page == at.Index && IsCurrent(ref s, table.Td, table.TdGeneration);
    }

    private bool IsAlive(ref ObservedState s, in Mapper mapper, PamtRef at)
    {
        if (mapper.TdGeneration == 0 || mapper.Level != at.Size || !IsCurrent(ref s, mapper.Td, mapper.TdGeneration))
            return false;
        TableRecord table = _books.Sept.Table(mapper.At.Table);
        if (!table.IsLinked || table.TdGeneration != mapper.TdGeneration)
            return false;
        SeptEntry entry = s.Entry(mapper.At);
        return entry.IsLeaf && entry.Target == at.FirstPage;
    }

    private bool IsCurrent(ref ObservedState s, int td, int generation) =>
        _books.Roster.Exists(td) && _books.Roster.Tds[td].Generation == generation && !IsTornDown(ref s, td);

    private bool IsTornDown(ref ObservedState s, int td) =>
        !_books.Roster.Exists(td) || (TdLifecycle)s.Td(td, TdField.Lifecycle) == TdLifecycle.TD_TEARDOWN;

    private string User(PamtRef at, PageType type) =>
        type == PageType.PT_REG
            ? $"GPA 0x{_mappers.Read(at).Gpa:x} of {_books.Td(_mappers.Read(at).Td)}"
            : $"an entry of {_books.Td(_books.Sept.Table(_books.Sept.TableOfPage(at.Index)).Td)}";

    private string Owner(PageUse use) => use.OwnerField == 0 ? "none" : $"TD {_books.Hpa(use.OwnerTdr)}";

    private string At(in EntryChange change) => $"GPA 0x{change.Gpa:x} level {change.Level} of {_books.Td(change.Td)}";

    // The entry that mapped a page last.
    private struct Mapper
    {
        public EntryRef At;
        public int Td;
        public int TdGeneration;
        public int Level;
        public ulong Gpa;
    }
}
