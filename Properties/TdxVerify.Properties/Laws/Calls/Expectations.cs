using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>
/// What a call must leave behind: the cells that it may write, each with the value that it must have at the end. A
/// write to any other cell, lock words apart, breaks the frame.
/// </summary>
internal sealed class Expectations
{
    private const int Most = 64;

    private readonly Cell[] _cells = new Cell[Most];
    private readonly Change[] _objects = new Change[4];
    private int _count;
    private int _objectCount;
    private int _invalidatedLp;
    private int _invalidatedTd;
    private Observation _seen = null!;

    /// <summary>A new call.</summary>
    public void Begin(Observation seen)
    {
        _seen = seen;
        _count = 0;
        _objectCount = 0;
        _invalidatedLp = -1;
    }

    /// <summary>Nothing may have changed.</summary>
    public bool IsEmpty => _count == 0;

    /// <summary>A field of a TD has a value.</summary>
    public void Td(int td, TdField field, ulong value) => Add(ChangeKind.Td, td, (int)field, 1, value);

    /// <summary>A field of a TD has moved by a difference.</summary>
    public void TdMoves(int td, TdField field, long difference) => Td(td, field, _seen.TdBefore(td, field) + (ulong)difference);

    /// <summary>A field of a vCPU has a value.</summary>
    public void Vcpu(int vcpu, VcpuField field, ulong value) => Add(ChangeKind.Vcpu, vcpu, (int)field, 1, value);

    /// <summary>A field of a vCPU may have any value: another law is about it.</summary>
    public void AnyVcpu(int vcpu, VcpuField field) => Add(ChangeKind.Vcpu, vcpu, (int)field, 0, 0);

    /// <summary>The list of faulting GPAs of a vCPU may have changed: another law is about it.</summary>
    public void AnyFaultingGpa(int vcpu) => Add(ChangeKind.FaultingGpa, vcpu, -1, 0, 0);

    /// <summary>A field of a logical processor has a value.</summary>
    public void Lp(int lp, LpField field, ulong value) => Add(ChangeKind.Lp, lp, (int)field, 1, value);

    /// <summary>A field of a key has a value.</summary>
    public void Key(int hkid, KeyField field, ulong value) => Add(ChangeKind.Key, hkid, (int)field, 1, value);

    /// <summary>A field of the platform has a value.</summary>
    public void Global(GlobalField field, ulong value) => Add(ChangeKind.Global, 0, (int)field, 1, value);

    /// <summary>An x2APIC slot has a value.</summary>
    public void X2ApicId(int td, int index, ulong id) => Add(ChangeKind.X2ApicId, td, index, 1, id);

    /// <summary>A PAMT entry is of a type.</summary>
    public void Type(PamtRef at, PageType type, int count = 1) => Pamt(at, PamtField.Type, (ulong)type, count);

    /// <summary>A PAMT entry, and those that follow it, have a value.</summary>
    public void Pamt(PamtRef at, PamtField field, ulong value, int count = 1) =>
        Add(ChangeKind.Pamt, at.Index, Change.PamtPosition(at.Size, field), count, value);

    /// <summary>A new page of a TD: type, owner, and BEPOCH 0 where the page is one of the S-EPT.</summary>
    public void Owned(PamtRef at, PageType type, int td, int count = 1)
    {
        Type(at, type, count);
        Pamt(at, PamtField.Owner, _seen.State.Td(td, TdField.TdrPage) + 1, count);
        if (type is PageType.PT_REG or PageType.PT_EPT)
            Pamt(at, PamtField.Bepoch, 0, count);
    }

    /// <summary>An S-EPT entry has a value; its lock bits are not looked at.</summary>
    public void Entry(EntryRef at, SeptEntry value) => Add(ChangeKind.Entry, at.Table, at.Index, 1, value.WithoutLockBits.Word);

    /// <summary>All 512 entries of a table map pages of a stride, in one state.</summary>
    public void Table(int table, SeptState state, int firstPage, int stride) =>
        _cells[_count++] = new Cell { Kind = ChangeKind.Entry, Object = table, Position = 0, Count = 512, Value = SeptEntry.Of(state, firstPage).Word, Stride = stride };

    /// <summary>An object came into being or is gone.</summary>
    public void Object(ChangeKind kind, int handle, ulong page = 0) => _objects[_objectCount++] = new Change(kind, handle, 0, 0, page);

    /// <summary>INVEPT on a processor for a TD.</summary>
    public void InvalidateEpt(int lp, int td)
    {
        _invalidatedLp = lp;
        _invalidatedTd = td;
    }

    /// <summary>Null: the state is as expected, and nothing else was written.</summary>
    public string? Find()
    {
        for (int i = 0; i < _count; i++)
        {
            ref readonly Cell cell = ref _cells[i];
            for (int n = 0; n < cell.Count; n++)
            {
                ulong value = ValueOf(cell, n);
                if (value != cell.ValueAt(n))
                    return $"{Name(cell, n)} is {Text(cell, value)}, not {Text(cell, cell.ValueAt(n))}";
            }
        }

        return FindUnexpected();
    }

    private static string Text(in Cell cell, ulong value) => cell.Kind == ChangeKind.Entry
        ? $"{new SeptEntry(value).State} of {new SeptEntry(value).Target}, accept counter {new SeptEntry(value).AcceptCounter}"
        : $"0x{value:x}";

    private static string Name(in Cell cell, int n) => cell.Kind switch
    {
        ChangeKind.Pamt => $"PAMT {(PamtField)(cell.Position & 0xF)} of entry {cell.Object + n} (size {cell.Position >> 4})",
        ChangeKind.Entry => $"S-EPT entry {cell.Position + n} of table {cell.Object}",
        _ => Name(cell.Kind, cell.Object, cell.Position),
    };

    private static string Name(ChangeKind kind, int target, int position) => kind switch
    {
        ChangeKind.Pamt => $"PAMT {(PamtField)(position & 0xF)} of entry {target} (size {position >> 4})",
        ChangeKind.Td => $"TD {target}: {(TdField)position}",
        ChangeKind.Vcpu => $"vCPU {target}: {(VcpuField)position}",
        ChangeKind.FaultingGpa => $"vCPU {target}: faulting GPA {position}",
        ChangeKind.Lp => $"LP {target}: {(LpField)position}",
        ChangeKind.Key => $"HKID {target}: {(KeyField)position}",
        ChangeKind.Global => $"{(GlobalField)position}",
        ChangeKind.X2ApicId => $"TD {target}: x2APIC id of index {position}",
        ChangeKind.Entry => $"S-EPT entry {position} of table {target}",
        _ => $"{kind} {target}",
    };

    private void Add(ChangeKind kind, int target, int position, int count, ulong value) =>
        _cells[_count++] = new Cell { Kind = kind, Object = target, Position = position, Count = count, Value = value };

    private ulong ValueOf(in Cell cell, int n)
    {
        ref ObservedState s = ref _seen.State;
        return cell.Kind switch
        {
            ChangeKind.Pamt => s.Pamt(new PamtRef(cell.Position >> 4, cell.Object + n), (PamtField)(cell.Position & 0xF)),
            ChangeKind.Td => s.Td(cell.Object, (TdField)cell.Position),
            ChangeKind.Vcpu => s.Vcpu(cell.Object, (VcpuField)cell.Position),
            ChangeKind.Lp => s.Lp(cell.Object, (LpField)cell.Position),
            ChangeKind.Key => s.Key(cell.Object, (KeyField)cell.Position),
            ChangeKind.Global => s.Global((GlobalField)cell.Position),
            ChangeKind.X2ApicId => s.X2ApicId(cell.Object, cell.Position),
            _ => s.Entry(new EntryRef(cell.Object, cell.Position + n)).WithoutLockBits.Word,
        };
    }

    private string? FindUnexpected()
    {
        uint objectsSeen = 0;
        int expected = 0;
        bool invalidated = false;
        foreach (ref readonly Change change in _seen.Changes)
        {
            // Most writes are to the locks of PAMT walks.
            if (change.Kind == ChangeKind.Pamt && change.PamtField == PamtField.Lock)
                continue;
            if (change.Kind == ChangeKind.InvalidateEpt)
            {
                if (change.Object != _invalidatedLp || change.Position != _invalidatedTd)
                    return $"INVEPT on LP {change.Object} for TD {change.Position} was not called for";
                invalidated = true;
            }
            else if (change.Kind >= ChangeKind.NewTd)
            {
                int place = PlaceOf(change);
                if (place < 0)
                    return $"{change.Kind} {change.Object} was not called for";
                objectsSeen |= 1u << place;
            }
            else if (!FailedCallsLaw.IsLockWord(change) && !IsExpected(change, ref expected))
            {
                return $"{Name(change.Kind, change.Object, change.Position)} was written (0x{change.Old:x} to 0x{change.New:x}), which the call may not";
            }
        }

        if (_invalidatedLp >= 0 && !invalidated)
            return $"there was no INVEPT on LP {_invalidatedLp} for TD {_invalidatedTd}";
        for (int i = 0; i < _objectCount; i++)
        {
            if ((objectsSeen >> i & 1) == 0)
                return $"there was no {_objects[i].Kind} {_objects[i].Object}";
        }

        return null;
    }

    private int PlaceOf(in Change change)
    {
        for (int i = 0; i < _objectCount; i++)
        {
            if (_objects[i].Kind == change.Kind && _objects[i].Object == change.Object
                && (change.Kind >= ChangeKind.FreeTd || _objects[i].New == change.New))
            {
                return i;
            }
        }

        return -1;
    }

    // Looked for from the cell that was found last: calls write 512 entries in the order in which they are expected.
    private bool IsExpected(in Change change, ref int last)
    {
        int i = last;
        for (int tried = 0; tried < _count; tried++)
        {
            ref readonly Cell cell = ref _cells[i];
            if (cell.Kind == change.Kind && cell.Covers(change.Object, change.Position))
            {
                last = i;
                return true;
            }

            if (++i >= _count)
                i = 0;
        }

        return false;
    }

    // A run of cells: of PAMT entries by object, of S-EPT entries by position. Count 0: any value.
    private struct Cell
    {
        public ChangeKind Kind;
        public int Object;
        public int Position;
        public int Count;
        public ulong Value;
        public int Stride;

        public readonly ulong ValueAt(int n) => Stride == 0 ? Value : SeptEntry.Of(new SeptEntry(Value).State, new SeptEntry(Value).Target + (n * Stride)).Word;

        public readonly bool Covers(int target, int position)
        {
            int count = Math.Max(Count, 1);
            return Kind switch
            {
                ChangeKind.Pamt => position == Position && (uint)(target - Object) < (uint)count,
                ChangeKind.Entry => target == Object && (uint)(position - Position) < (uint)count,
                ChangeKind.FaultingGpa => target == Object,
                _ => target == Object && position == Position,
            };
        }
    }
}
