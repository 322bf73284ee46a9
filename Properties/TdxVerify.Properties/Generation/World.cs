using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Generation;

/// <summary>A mapped page, or the entry that points to an S-EPT page, of a TD.</summary>
/// <param name="Gpa">GPA of the entry.</param>
/// <param name="Level">Level of the entry.</param>
public readonly record struct Range(ulong Gpa, int Level);

/// <summary>A vCPU as the generator sees it.</summary>
public sealed class VcpuView
{
    /// <summary>Handle in the model.</summary>
    public required int Handle { get; init; }

    /// <summary>HPA of its TDVPR page.</summary>
    public required ulong Tdvpr { get; init; }

    /// <summary>The TD's handle.</summary>
    public required int Td { get; init; }

    /// <summary>It was told what to do at least once.</summary>
    public bool WasSubmitted { get; set; }

    /// <summary>What it was told last is an access from the one instruction at which it is to fault again and again.</summary>
    public bool IsFaulting { get; set; }
}

/// <summary>A TD as the generator sees it.</summary>
public sealed class TdView
{
    private readonly Dictionary<Range, int> _leafPlaces = [];
    private readonly Dictionary<Range, int> _tablePlaces = [];

    /// <summary>Handle in the model.</summary>
    public int Handle { get; private set; }

    /// <summary>HPA of the TDR page.</summary>
    public ulong Tdr { get; private set; }

    /// <summary>Its vCPUs.</summary>
    public List<VcpuView> Vcpus { get; } = [];

    /// <summary>Entries that map a page, in any leaf state.</summary>
    public List<Range> Leaves { get; } = [];

    /// <summary>Those of them that map 2 MiB or 1 GiB.</summary>
    public List<Range> LargeLeaves { get; } = [];

    /// <summary>Entries that point to an S-EPT page.</summary>
    public List<Range> Tables { get; } = [];

    /// <summary>Those of them that could map 2 MiB or 1 GiB instead.</summary>
    public List<Range> MergeableTables { get; } = [];

    /// <summary>Pages that the TD owns or owned: HPA and PAMT size. What is stale is dropped when it is met.</summary>
    public List<(ulong Hpa, int Size)> Pages { get; } = [];

    /// <summary>Those of them that were 2 MiB or 1 GiB; some may be no longer.</summary>
    public List<(ulong Hpa, int Size)> LargePages { get; } = [];

    // Views are used again, with the memory that they have: a run makes thousands of TDs.
    internal void Begin(int handle, ulong tdr)
    {
        Handle = handle;
        Tdr = tdr;
        Vcpus.Clear();
        Leaves.Clear();
        LargeLeaves.Clear();
        Tables.Clear();
        MergeableTables.Clear();
        Pages.Clear();
        LargePages.Clear();
        _leafPlaces.Clear();
        _tablePlaces.Clear();
    }

    internal void AddLeaf(Range range)
    {
        if (Add(Leaves, _leafPlaces, range) && range.Level > SeptLevel.Page4K)
            LargeLeaves.Add(range);
    }

    internal void RemoveLeaf(Range range)
    {
        if (Remove(Leaves, _leafPlaces, range) && range.Level > SeptLevel.Page4K)
            LargeLeaves.Remove(range);
    }

    internal void AddTable(Range range)
    {
        if (Add(Tables, _tablePlaces, range) && range.Level <= SeptLevel.Page1G)
            MergeableTables.Add(range);
    }

    internal void RemoveTable(Range range)
    {
        if (Remove(Tables, _tablePlaces, range))
            MergeableTables.Remove(range);
    }

    private static bool Add(List<Range> list, Dictionary<Range, int> places, Range range)
    {
        bool isNew = places.TryAdd(range, list.Count);
        if (isNew)
            list.Add(range);
        return isNew;
    }

    private static bool Remove(List<Range> list, Dictionary<Range, int> places, Range range)
    {
        if (!places.Remove(range, out int place))
            return false;
        Range last = list[^1];
        list[place] = last;
        list.RemoveAt(list.Count - 1);
        if (place < list.Count)
            places[last] = place;
        return true;
    }
}

/// <summary>
/// What the generator knows of the model's state, kept up to date from the journal of writes: objects by kind, so that
/// one can be picked in constant time.
/// </summary>
public sealed class World(PlatformInfo platform)
{
    private readonly List<TdView?> _byHandle = [];
    private readonly List<TdView> _spare = [];
    private readonly List<TablePlace> _tables = [];
    private readonly int[] _assignedInBlock = new int[((platform.PageCount - 1) >> 9) + 1];
    private readonly List<int> _freed = [];
    private int _nextSmall;
    private int _nextLarge;

    /// <summary>TDs, the oldest first.</summary>
    public List<TdView> Tds { get; } = [];

    /// <summary>vCPUs of all TDs.</summary>
    public List<VcpuView> Vcpus { get; } = [];

    /// <summary>Locks that the run holds as another agent would.</summary>
    public List<LockOperation> Locks { get; } = [];

    /// <summary>An interrupt is pending.</summary>
    public bool InterruptPending { get; set; }

    /// <summary>A fresh platform.</summary>
    public void Reset()
    {
        _spare.AddRange(Tds);
        _byHandle.Clear();
        _tables.Clear();
        Array.Clear(_assignedInBlock);
        _freed.Clear();
        Tds.Clear();
        Vcpus.Clear();
        Locks.Clear();
        InterruptPending = false;
        _nextSmall = 0;
        _nextLarge = (int)(platform.PageCount >> 11);
    }

    /// <summary>The TD with this handle.</summary>
    public TdView Td(int handle) => Find(handle) ?? throw new ArgumentException($"There is no TD {handle}.", nameof(handle));

    /// <summary>An unassigned 4 KiB page; <paramref name="reuse"/>: rather one that was freed.</summary>
    public ulong FreePage(in ObservedState s, bool reuse)
    {
        while (reuse && _freed.Count > 0)
        {
            int page = _freed[^1];
            if (IsUnassigned(s, page))
                return Address(page);
            _freed.RemoveAt(_freed.Count - 1);
        }

        while (_nextSmall < (platform.PageCount >> 2) - 1 && !IsUnassigned(s, _nextSmall))
            _nextSmall++;
        return Address(_nextSmall);
    }

    /// <summary>The upper half of the TDMR, which nothing but a 1 GiB page is made of.</summary>
    public ulong FillRange => Address((int)(platform.PageCount >> 1));

    /// <summary>A 2 MiB block without an assigned page, from the second quarter of the TDMR.</summary>
    public ulong FreeBlock(in ObservedState s, int ahead)
    {
        int blocks = Scope.FirstReservedPage(platform) >> 9;
        while (_nextLarge < blocks - 1 && !IsUnassignedBlock(s, _nextLarge))
            _nextLarge++;
        return Address(Math.Min(_nextLarge + ahead, blocks - 1) << 9);
    }

    /// <summary>The address of a page of the TDMR.</summary>
    public ulong Address(int page) => platform.PageBase + ((ulong)page << Hpa.PageShift);

    /// <summary>Takes over what a call wrote.</summary>
    public void Update(in ObservedState s, ReadOnlySpan<Change> changes)
    {
        bool entries = false;
        foreach (ref readonly Change change in changes)
        {
            switch (change.Kind)
            {
                case ChangeKind.Pamt when change.PamtField == PamtField.Type:
                    UpdatePage(s, change);
                    break;
                case ChangeKind.NewTd:
                    AddTd(change.Object, Address((int)change.New));
                    break;
                case ChangeKind.FreeTd:
                    RemoveTd(change.Object);
                    break;
                case ChangeKind.NewVcpu:
                    AddVcpu(s, change);
                    break;
                case ChangeKind.FreeVcpu:
                    RemoveVcpu(change.Object);
                    break;
                case ChangeKind.Td when (TdField)change.Position == TdField.RootTable:
                    Place((int)change.New, new TablePlace(true, change.Object, 0, -1));
                    break;
                case ChangeKind.Entry:
                    entries |= KindOf(change.Old) != KindOf(change.New);
                    break;
                default:
                    break;
            }
        }

        if (entries)
            UpdateEntries(s, changes);
    }

    private static bool IsUnassigned(in ObservedState s, int page) =>
        (PageType)s.Pamt(new PamtRef(0, page), PamtField.Type) == PageType.PT_NDA
        && (PageType)s.Pamt(PamtRef.Of(1, page), PamtField.Type) == PageType.PT_NDA
        && (PageType)s.Pamt(PamtRef.Of(2, page), PamtField.Type) == PageType.PT_NDA;

    private bool IsUnassignedBlock(in ObservedState s, int block) => _assignedInBlock[block] == 0 && IsUnassigned(s, block << 9);

    private TdView? Find(int handle) => (uint)handle < (uint)_byHandle.Count ? _byHandle[handle] : null;

    private void AddTd(int handle, ulong tdr)
    {
        TdView td = _spare.Count > 0 ? _spare[^1] : new TdView();
        if (_spare.Count > 0)
            _spare.RemoveAt(_spare.Count - 1);
        td.Begin(handle, tdr);
        while (_byHandle.Count <= handle)
            _byHandle.Add(null);
        _byHandle[handle] = td;
        Tds.Add(td);
    }

    private void RemoveTd(int handle)
    {
        if (Find(handle) is not { } gone)
            return;
        _byHandle[handle] = null;
        Tds.Remove(gone);
        _spare.Add(gone);
    }

    private void Place(int table, TablePlace place)
    {
        while (_tables.Count <= table)
            _tables.Add(default);
        _tables[table] = place;
    }

    // Free, mapping a page, or pointing to an S-EPT page; whatever the lock bits and the blocked states.
    private static int KindOf(ulong entry)
    {
        SeptState state = new SeptEntry(entry).State;
        return SeptStates.NonLeaf.Contains(state) ? 2 : SeptStates.Leaf.Contains(state) ? 1 : 0;
    }

    private void UpdatePage(in ObservedState s, in Change change)
    {
        PamtRef at = change.PamtAt;
        if (at.Size == 0)
            _assignedInBlock[at.Index >> 9] += (change.New == (ulong)PageType.PT_NDA ? 0 : 1) - (change.Old == (ulong)PageType.PT_NDA ? 0 : 1);
        if ((PageType)change.New == PageType.PT_NDA)
        {
            if (at.Size == 0)
                _freed.Add(at.Index);
            return;
        }

        int owner = (int)s.Pamt(at, PamtField.Owner) - 1;
        if (owner >= 0 && (PageType)s.Pamt(new PamtRef(0, owner), PamtField.Type) == PageType.PT_TDR
            && Find(s.Holder(owner)) is { } td)
        {
            td.Pages.Add((Address(at.FirstPage), at.Size));
            if (at.Size > 0)
                td.LargePages.Add((Address(at.FirstPage), at.Size));
        }
    }

    private void AddVcpu(in ObservedState s, in Change change)
    {
        int page = (int)change.New;
        int owner = (int)s.Pamt(new PamtRef(0, page), PamtField.Owner) - 1;
        if (owner < 0 || Find(s.Holder(owner)) is not { } td)
            return;
        var vcpu = new VcpuView { Handle = change.Object, Tdvpr = Address(page), Td = td.Handle };
        td.Vcpus.Add(vcpu);
        Vcpus.Add(vcpu);
    }

    private void RemoveVcpu(int handle)
    {
        int place = Vcpus.FindIndex(vcpu => vcpu.Handle == handle);
        if (place < 0)
            return;
        Find(Vcpus[place].Td)?.Vcpus.Remove(Vcpus[place]);
        Vcpus.RemoveAt(place);
    }

    // A demotion fills the new table before it links it: links first, then pages.
    private void UpdateEntries(in ObservedState s, ReadOnlySpan<Change> changes)
    {
        foreach (ref readonly Change change in changes)
        {
            if (change.Kind == ChangeKind.Entry && KindOf(change.Old) != KindOf(change.New))
                UpdateLink(s, change);
        }

        foreach (ref readonly Change change in changes)
        {
            if (change.Kind == ChangeKind.Entry && KindOf(change.Old) != KindOf(change.New) && Locate(s, change.EntryAt) is { } at)
                UpdateLeaf(change, at.Td, at.Range);
        }
    }

    private void UpdateLink(in ObservedState s, in Change change)
    {
        var before = new SeptEntry(change.Old);
        var after = new SeptEntry(change.New);
        bool wasTable = SeptStates.NonLeaf.Contains(before.State);
        bool isTable = SeptStates.NonLeaf.Contains(after.State);
        if (wasTable == isTable || Locate(s, change.EntryAt) is not { } at)
            return;
        if (isTable)
        {
            Place(after.Target, new TablePlace(true, at.Td.Handle, at.Range.Gpa, at.Range.Level - 1));
            at.Td.AddTable(at.Range);
        }
        else
        {
            at.Td.RemoveTable(at.Range);
            ForgetChildren(at.Td, at.Range);
        }
    }

    // A promotion takes 512 pages out of sight at once.
    private static void ForgetChildren(TdView td, Range range)
    {
        for (int i = 0; i < 512; i++)
            td.RemoveLeaf(new Range(range.Gpa + ((ulong)i << SeptLevel.Shift(range.Level - 1)), range.Level - 1));
    }

    private static void UpdateLeaf(in Change change, TdView td, Range range)
    {
        bool wasLeaf = new SeptEntry(change.Old).IsLeaf;
        bool isLeaf = new SeptEntry(change.New).IsLeaf;
        if (isLeaf && !wasLeaf)
            td.AddLeaf(range);
        else if (wasLeaf && !isLeaf)
            td.RemoveLeaf(range);
    }

    private (TdView Td, Range Range)? Locate(in ObservedState s, EntryRef at)
    {
        TablePlace table = (uint)at.Table < (uint)_tables.Count ? _tables[at.Table] : default;
        if (!table.IsKnown || Find(table.Td) is not { } td)
            return null;
        int level = table.Level < 0 ? (int)s.Td(table.Td, TdField.RootLevel) : table.Level;
        return (td, new Range(table.Gpa + ((ulong)at.Index << SeptLevel.Shift(level)), level));
    }

    // Where an S-EPT page hangs: its TD, the GPA of its first entry, and the level of its entries; -1: that of the root.
    private readonly record struct TablePlace(bool IsKnown, int Td, ulong Gpa, int Level);
}
