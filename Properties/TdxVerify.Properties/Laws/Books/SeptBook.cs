using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Books;

/// <summary>An S-EPT page as the book knows it.</summary>
internal struct TableRecord
{
    /// <summary>An entry of the tree, or the TDCS for the root, points to it.</summary>
    public bool IsLinked;

    /// <summary>Its page.</summary>
    public int Page;

    /// <summary>The TD whose tree it is or was in.</summary>
    public int Td;

    /// <summary>That TD's <see cref="TdRecord.Generation"/>.</summary>
    public int TdGeneration;

    /// <summary>Level of its entries; -1: the root's.</summary>
    public int Level;

    /// <summary>GPA of its first entry.</summary>
    public ulong Gpa;

    /// <summary>The entry that points to it.</summary>
    public EntryRef Parent;

    /// <summary>Entries that are not FREE.</summary>
    public int Used;
}

/// <summary>What an event made of an entry of a TD's S-EPT.</summary>
internal struct EntryChange
{
    /// <summary>The TD.</summary>
    public int Td;

    /// <summary>GPA of the entry.</summary>
    public ulong Gpa;

    /// <summary>Level of the entry.</summary>
    public int Level;

    /// <summary>Where it is.</summary>
    public EntryRef At;

    /// <summary>The entry before, without lock bits. FREE where the whole S-EPT page has come into the tree.</summary>
    public SeptEntry Before;

    /// <summary>The entry after, without lock bits. FREE where the whole S-EPT page has left the tree.</summary>
    public SeptEntry After;

    /// <summary>It came or went with its S-EPT page.</summary>
    public bool ByTable;

    /// <summary>PAMT entry of the page that it pointed to, by mapping it or as an S-EPT page; size -1: none.</summary>
    public PamtRef PageBefore;

    /// <summary>PAMT entry of the page that it points to; size -1: none.</summary>
    public PamtRef PageAfter;

    /// <summary>It points to another page than before, or is of another kind.</summary>
    public readonly bool IsOtherPage =>
        PageBefore != PageAfter || SeptStates.Leaf.Contains(Before.State) != SeptStates.Leaf.Contains(After.State);
}

/// <summary>The S-EPT trees of all TDs: where each S-EPT page hangs, and what an event changed, entry by entry.</summary>
internal sealed class SeptBook
{
    private const int EntriesPerTable = 512;
    private static readonly PamtRef s_noPage = new(-1, 0);

    private readonly List<TableRecord> _tables = [];
    private readonly List<EntryChange> _changes = [];
    private readonly PageBook<int> _tableOfPage = new();

    /// <summary>Entries in the trees that the event changed, in the order of the writes. One entry may be there twice.</summary>
    public ReadOnlySpan<EntryChange> Changes => CollectionsMarshal.AsSpan(_changes);

    /// <summary>Takes the size of the platform.</summary>
    public void Fit(PlatformInfo platform) => _tableOfPage.Fit(platform);

    /// <summary>A new sequence.</summary>
    public void Reset()
    {
        _tables.Clear();
        _changes.Clear();
        _tableOfPage.Reset();
    }

    /// <summary>The S-EPT page with this handle; a default record where there is none.</summary>
    public TableRecord Table(int table) => (uint)table < (uint)_tables.Count ? _tables[table] : default;

    /// <summary>The S-EPT page last made of this page; -1: there was none.</summary>
    public int TableOfPage(int page) => _tableOfPage.Read(new PamtRef(0, page)) - 1;

    /// <summary>
    /// The entry for a GPA at a level, or the one above it at which the walk through linked S-EPT pages ends.
    /// </summary>
    public static (EntryRef At, int Level, SeptEntry Entry) Walk(ref ObservedState s, int td, ulong gpa, int level)
    {
        int at = (int)s.Td(td, TdField.RootLevel);
        int table = (int)s.Td(td, TdField.RootTable);
        while (true)
        {
            var entry = new EntryRef(table, SeptLevel.Index(gpa, at));
            SeptEntry value = s.Entry(entry).WithoutLockBits;
            if (at <= level || value.State != SeptState.NL_MAPPED)
                return (entry, at, value);
            table = value.Target;
            at--;
        }
    }

    /// <summary>Takes over an event.</summary>
    public void Update(Observation o, RunBooks books)
    {
        _changes.Clear();
        if (!books.Wrote(ChangeKind.Entry) && !books.Wrote(ChangeKind.NewTable) && !books.Wrote(ChangeKind.Td))
            return;
        ref ObservedState s = ref o.State;
        foreach (ref readonly Change change in books.Effects)
        {
            switch (change.Kind)
            {
                case ChangeKind.NewTable:
                    while (_tables.Count <= change.Object)
                        _tables.Add(default);
                    _tables[change.Object] = new TableRecord { Page = (int)change.New, Td = -1 };
                    _tableOfPage.At(new PamtRef(0, (int)change.New)) = change.Object + 1;
                    break;
                case ChangeKind.Td when (TdField)change.Position == TdField.RootTable:
                    LinkRoot(books, change.Object, (int)change.New);
                    break;
                case ChangeKind.Entry:
                    Write(ref s, books, change.EntryAt, new SeptEntry(change.Old).WithoutLockBits, new SeptEntry(change.New).WithoutLockBits);
                    break;
                default:
                    break;
            }
        }
    }

    private void LinkRoot(RunBooks books, int td, int table)
    {
        if ((uint)table >= (uint)_tables.Count || !books.Roster.Exists(td))
            return;
        ref TableRecord root = ref CollectionsMarshal.AsSpan(_tables)[table];
        root.IsLinked = true;
        root.Td = td;
        root.TdGeneration = books.Roster.Tds[td].Generation;
        root.Level = -1;
        root.Gpa = 0;
    }

    private void Write(ref ObservedState s, RunBooks books, EntryRef at, SeptEntry before, SeptEntry after)
    {
        if ((uint)at.Table >= (uint)_tables.Count)
            return;
        ref TableRecord table = ref CollectionsMarshal.AsSpan(_tables)[at.Table];
        table.Used += (after.State == SeptState.FREE ? 0 : 1) - (before.State == SeptState.FREE ? 0 : 1);
        if (table.IsLinked)
            Change(ref s, table, at, before, after, byTable: false);
    }

    private void Change(ref ObservedState s, TableRecord table, EntryRef at, SeptEntry before, SeptEntry after, bool byTable)
    {
        int level = table.Level < 0 ? (int)s.Td(table.Td, TdField.RootLevel) : table.Level;
        var change = new EntryChange
        {
            Td = table.Td,
            Gpa = table.Gpa + ((ulong)at.Index << SeptLevel.Shift(level)),
            Level = level,
            At = at,
            Before = before,
            After = after,
            ByTable = byTable,
            PageBefore = PageOf(before, level),
            PageAfter = PageOf(after, level),
        };
        _changes.Add(change);
        int tableBefore = SeptStates.NonLeaf.Contains(before.State) ? before.Target : -1;
        int tableAfter = SeptStates.NonLeaf.Contains(after.State) ? after.Target : -1;
        if (tableBefore == tableAfter)
            return;
        if (tableBefore >= 0)
            Unlink(ref s, at, tableBefore);
        if (tableAfter >= 0 && level > 0)
            Link(ref s, change, table.TdGeneration, tableAfter);
    }

    private PamtRef PageOf(SeptEntry entry, int level)
    {
        if (entry.IsLeaf)
            return level <= 2 ? PamtRef.Of(level, entry.Target) : s_noPage;
        if (!SeptStates.NonLeaf.Contains(entry.State) || (uint)entry.Target >= (uint)_tables.Count)
            return s_noPage;
        return new PamtRef(0, _tables[entry.Target].Page);
    }

    private void Link(ref ObservedState s, in EntryChange parent, int tdGeneration, int child)
    {
        if ((uint)child >= (uint)_tables.Count)
            return;
        ref TableRecord table = ref CollectionsMarshal.AsSpan(_tables)[child];
        if (table.IsLinked)
            return;
        table.IsLinked = true;
        table.Td = parent.Td;
        table.TdGeneration = tdGeneration;
        table.Level = parent.Level - 1;
        table.Gpa = parent.Gpa;
        table.Parent = parent.At;
        TableRecord linked = table;
        for (int index = 0; linked.Used > 0 && index < EntriesPerTable; index++)
        {
            SeptEntry entry = s.Entry(new EntryRef(child, index)).WithoutLockBits;
            if (entry.State != SeptState.FREE)
                Change(ref s, linked, new EntryRef(child, index), default, entry, byTable: true);
        }
    }

    private void Unlink(ref ObservedState s, EntryRef parent, int child)
    {
        if ((uint)child >= (uint)_tables.Count)
            return;
        ref TableRecord table = ref CollectionsMarshal.AsSpan(_tables)[child];
        if (!table.IsLinked || table.Parent != parent || table.Level < 0)
            return;
        table.IsLinked = false;
        TableRecord unlinked = table;
        for (int index = 0; unlinked.Used > 0 && index < EntriesPerTable; index++)
        {
            SeptEntry entry = s.Entry(new EntryRef(child, index)).WithoutLockBits;
            if (entry.State != SeptState.FREE)
                Change(ref s, unlinked, new EntryRef(child, index), entry, default, byTable: true);
        }
    }
}
