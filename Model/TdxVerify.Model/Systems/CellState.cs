using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// The state of the module as cells that somebody else keeps: the layout for exploration. A TD, a vCPU and an S-EPT
/// table are named by the page that they are in, so that handles do not depend on what happened before.
/// </summary>
/// <remarks>
/// Why: an explorer keeps millions of states in a few words each and learns what a step does from the cells that it
/// reads and writes (Properties/README.md, "How exploration works"). States that no call can tell apart should be one:
/// so what is dead is cleared: the list of faulting GPAs behind its length, #VE information that was read, and where
/// <see cref="OldestEpoch"/> is set also the readers that a lock counts although it refused them, and what only
/// TDH.PHYMEM.PAGE.RDMD and a few error outputs still show, owner and BEPOCH of a page that belongs to nobody.
/// </remarks>
public struct CellState(PlatformInfo platform, ICells cells) : IPlatformState
{
    private const int EntriesPerTable = 512;

    // Of three ages, oldest, previous and current, a new TD's first epoch is the current one.
    private const ulong AgeOfCurrent = 2;
    private readonly HostMemory _memory = new();

    /// <inheritdoc/>
    public readonly PlatformInfo Platform => platform;

    /// <summary>The cells.</summary>
    public ICells Cells { readonly get; set; } = cells;

    /// <summary>The observer of translations that processors may still hold; null: nobody looks at them.</summary>
    public StaleTranslations? Stale { readonly get; set; }

    /// <summary>What a BEPOCH of 0, "never blocked", is stored as: an epoch that is over for every purpose. 0: it stays 0.</summary>
    public ulong OldestEpoch { readonly get; set; }

    /// <summary>Nobody makes TDCALLs that take locks: host priority, which keeps only them away, is not kept.</summary>
    public bool DropsHostPriority { readonly get; set; }

    /// <inheritdoc/>
    public readonly (IReadOnlyCollection<int> Tds, IReadOnlyCollection<int> Vcpus, IReadOnlyCollection<int> Tables) Live =>
        (Holding(PageType.PT_TDR), Holding(PageType.PT_TDVPR), Holding(PageType.PT_EPT));

    /// <inheritdoc/>
    public readonly void Reset()
    {
        (Cells as StoredCells ?? throw new InvalidOperationException("only stored cells can be reset")).Clear();
        _memory.Reset();
        for (int hkid = 0; hkid < Platform.HkidFirst; hkid++)
            SetKey(hkid, KeyField.State, (ulong)HkidState.HKID_RESERVED);
    }

    /// <inheritdoc/>
    public readonly void WriteMemory(ulong hpa, ReadOnlySpan<byte> data) => _memory.Write(hpa, data);

    /// <inheritdoc/>
    public readonly void ReadMemory(ulong hpa, Span<byte> data) => _memory.Read(hpa, data);

    /// <inheritdoc/>
    public readonly ulong Memory(ulong hpa) => _memory.Read(hpa);

    /// <inheritdoc/>
    public readonly ulong Pamt(PamtRef at, PamtField field) => Cells.Read(Cell.Pamt(at, field));

    /// <inheritdoc/>
    public readonly void SetPamt(PamtRef at, PamtField field, ulong value)
    {
        Cells.Write(Cell.Pamt(at, field), field switch
        {
            PamtField.Bepoch when value == 0 => OldestEpoch,
            PamtField.Lock => WithoutPriority(WithoutResidue(value, HostPriorityLock.AllButReaders)),
            _ => value,
        });
        if (OldestEpoch == 0 || field != PamtField.Type || value != (ulong)PageType.PT_NDA)
            return;
        Cells.Write(Cell.Pamt(at, PamtField.Owner), 0);
        Cells.Write(Cell.Pamt(at, PamtField.Bepoch), OldestEpoch);
    }

    /// <inheritdoc/>
    public readonly bool AreAll(PamtRef first, int count, PageType type)
    {
        for (int i = 0; i < count; i++)
        {
            if (Pamt(first with { Index = first.Index + i }, PamtField.Type) != (ulong)type)
                return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public readonly ulong Td(int td, TdField field) => Cells.Read(Cell.Td(td, field));

    /// <inheritdoc/>
    public readonly void SetTd(int td, TdField field, ulong value) => Cells.Write(Cell.Td(td, field), field switch
    {
        TdField.Epoch when value < OldestEpoch => OldestEpoch + AgeOfCurrent,
        TdField.OpStateLock => WithoutPriority(WithoutResidue(value, HostPriorityLock.AllButReaders)),
        TdField.SeptTreeLock or TdField.EpochLock => WithoutResidue(value, PlainLock.AllButReaders),
        _ => value,
    });

    /// <inheritdoc/>
    public readonly ulong Vcpu(int vcpu, VcpuField field) => Cells.Read(Cell.Vcpu(vcpu, field));

    /// <inheritdoc/>
    public readonly void SetVcpu(int vcpu, VcpuField field, ulong value)
    {
        Cells.Write(Cell.Vcpu(vcpu, field), value);
        if (field == VcpuField.FaultListLength)
            Clear(ChangeKind.FaultingGpa, vcpu, (int)value, GuestSteps<CellState>.FaultListSize);
        if (field == VcpuField.VeValid && value == 0)
            Clear(ChangeKind.Vcpu, vcpu, (int)VcpuField.VeExitReason, (int)VcpuField.VeGpa + 1);
    }

    /// <inheritdoc/>
    public readonly ulong FaultingGpa(int vcpu, int position) => Cells.Read(new Cell(ChangeKind.FaultingGpa, vcpu, position));

    /// <inheritdoc/>
    public readonly void SetFaultingGpa(int vcpu, int position, ulong gpa) => Cells.Write(new Cell(ChangeKind.FaultingGpa, vcpu, position), gpa);

    /// <inheritdoc/>
    public readonly ulong Lp(int lp, LpField field) => Cells.Read(Cell.Lp(lp, field));

    /// <inheritdoc/>
    public readonly void SetLp(int lp, LpField field, ulong value) => Cells.Write(Cell.Lp(lp, field), value);

    /// <inheritdoc/>
    public readonly ulong Key(int hkid, KeyField field) => Cells.Read(new Cell(ChangeKind.Key, hkid, (int)field));

    /// <inheritdoc/>
    public readonly void SetKey(int hkid, KeyField field, ulong value) => Cells.Write(new Cell(ChangeKind.Key, hkid, (int)field), value);

    /// <inheritdoc/>
    public readonly ulong Global(GlobalField field) => Cells.Read(new Cell(ChangeKind.Global, 0, (int)field));

    /// <inheritdoc/>
    public readonly void SetGlobal(GlobalField field, ulong value) =>
        Cells.Write(new Cell(ChangeKind.Global, 0, (int)field), field == GlobalField.KotLock ? WithoutResidue(value, PlainLock.AllButReaders) : value);

    /// <inheritdoc/>
    public readonly uint X2ApicId(int td, int vcpuIndex) => (uint)Cells.Read(new Cell(ChangeKind.X2ApicId, td, vcpuIndex));

    /// <inheritdoc/>
    public readonly void SetX2ApicId(int td, int vcpuIndex, uint id) => Cells.Write(new Cell(ChangeKind.X2ApicId, td, vcpuIndex), id);

    /// <inheritdoc/>
    public readonly SeptEntry Entry(EntryRef at) => new(Cells.Read(Cell.Entry(at)));

    /// <inheritdoc/>
    public readonly void SetEntry(EntryRef at, SeptEntry entry)
    {
        Stale?.EntryChanges(Cells, Entry(at), entry);
        Cells.Write(Cell.Entry(at), DropsHostPriority ? entry.WithHostPriority(false).Word : entry.Word);
    }

    /// <inheritdoc/>
    public readonly int TablePage(int table) => table;

    /// <inheritdoc/>
    public readonly int Holder(int page) => page;

    /// <inheritdoc/>
    public readonly int NewTd(int page)
    {
        SetTd(page, TdField.TdrPage, (ulong)page);
        return page;
    }

    /// <inheritdoc/>
    public readonly int NewVcpu(int page)
    {
        SetVcpu(page, VcpuField.TdvprPage, (ulong)page);
        return page;
    }

    /// <inheritdoc/>
    public readonly int NewTable(int page) => page;

    /// <inheritdoc/>
    public readonly void FreeTd(int td)
    {
        Clear(ChangeKind.Td, td, 0, Enum.GetValues<TdField>().Length);
        Clear(ChangeKind.X2ApicId, td, 0, ArraysState.X2ApicSlots);
    }

    /// <inheritdoc/>
    public readonly void FreeVcpu(int vcpu)
    {
        Clear(ChangeKind.Vcpu, vcpu, 0, Enum.GetValues<VcpuField>().Length);
        Clear(ChangeKind.FaultingGpa, vcpu, 0, GuestSteps<CellState>.FaultListSize);
    }

    /// <inheritdoc/>
    public readonly void FreeTable(int table) => Clear(ChangeKind.Entry, table, 0, EntriesPerTable);

    /// <inheritdoc/>
    public readonly void InvalidateEpt(int lp, int td) => Stale?.Invalidate(Cells, lp);

    // Readers that were refused are counted until the exclusive holder drops them all, and nothing looks at them. Both
    // kinds of locks have the exclusive holder in bit 0; the flag of host priority stays.
    private readonly ulong WithoutResidue(ulong word, ulong allButReaders) => OldestEpoch != 0 && PlainLock.IsExclusive(word) ? word & allButReaders : word;

    private readonly ulong WithoutPriority(ulong word) => DropsHostPriority ? HostPriorityLock.WithoutHostPriority(word) : word;

    private readonly void Clear(ChangeKind kind, int target, int first, int end)
    {
        for (int position = first; position < end; position++)
        {
            var cell = new Cell(kind, target, position);
            if (Cells.Read(cell) != 0)
                Cells.Write(cell, 0);
        }
    }

    private readonly int[] Holding(PageType type) =>
        [.. from cell in ((StoredCells)Cells).Values
            where cell.Key.Kind == ChangeKind.Pamt && cell.Key.Position == Change.PamtPosition(0, PamtField.Type) && cell.Value == (ulong)type
            select cell.Key.Object];
}
