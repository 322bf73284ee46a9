using System.Numerics;
using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// The arrays layout as one of many states that a search goes through: every write can be taken back, and a hash of
/// all that differs from the start is kept up to date.
/// </summary>
/// <remarks>
/// Why: a search over interleavings makes one step, looks at the new state, and goes back. Copying a platform would
/// cost a thousand times more than the step. The hash is the exclusive or of one 128-bit number for each cell that
/// differs from the start, so a write changes it by two terms and taking the write back restores it.
/// </remarks>
public struct BranchingState(PlatformInfo platform) : IPlatformState
{
    private ArraysState _inner = new(platform);
    private readonly Branch _branch = new();

    /// <summary>A point to go back to: how many writes were made before it.</summary>
    public readonly int Mark => _branch.Count;

    /// <summary>A hash of the cells that differ from the start, with their values.</summary>
    public readonly UInt128 Hash => new(_branch.High, _branch.Low);

    /// <summary>The writes and INVEPTs since the start that were not taken back.</summary>
    public readonly ReadOnlySpan<Change> Changes => _branch.Changes;

    /// <inheritdoc/>
    public readonly PlatformInfo Platform => _inner.Platform;

    /// <inheritdoc/>
    public readonly (IReadOnlyCollection<int> Tds, IReadOnlyCollection<int> Vcpus, IReadOnlyCollection<int> Tables) Live => _inner.Live;

    /// <summary>Notes what is read and written from now on; null: nothing is noted.</summary>
    public readonly void LogTo(AccessSet? log) => _branch.Log = log;

    /// <summary>From now on the state as it is now is the start.</summary>
    public readonly void StartHere() => _branch.Clear();

    /// <summary>Takes back all writes made after a point.</summary>
    public readonly void GoBack(int mark)
    {
        while (_branch.Count > mark)
            TakeBack(_branch.Pop());
    }

    /// <inheritdoc/>
    public readonly void Reset()
    {
        _inner.Reset();
        _branch.Clear();
    }

    /// <inheritdoc/>
    public readonly void WriteMemory(ulong hpa, ReadOnlySpan<byte> data) => _inner.WriteMemory(hpa, data);

    /// <inheritdoc/>
    public readonly void ReadMemory(ulong hpa, Span<byte> data) => _inner.ReadMemory(hpa, data);

    /// <inheritdoc/>
    public readonly ulong Memory(ulong hpa) => _inner.Memory(hpa);

    /// <inheritdoc/>
    public readonly ulong Pamt(PamtRef at, PamtField field)
    {
        _branch.Read(ChangeKind.Pamt, at.Index, Change.PamtPosition(at.Size, field));
        return _inner.Pamt(at, field);
    }

    /// <inheritdoc/>
    public readonly void SetPamt(PamtRef at, PamtField field, ulong value)
    {
        _branch.Add(ChangeKind.Pamt, at.Index, Change.PamtPosition(at.Size, field), _inner.Pamt(at, field), value);
        _inner.SetPamt(at, field, value);
    }

    /// <inheritdoc/>
    public readonly bool AreAll(PamtRef first, int count, PageType type)
    {
        for (int i = 0; i < count; i++)
            _branch.Read(ChangeKind.Pamt, first.Index + i, Change.PamtPosition(first.Size, PamtField.Type));
        return _inner.AreAll(first, count, type);
    }

    /// <inheritdoc/>
    public readonly ulong Td(int td, TdField field)
    {
        _branch.Read(ChangeKind.Td, td, (int)field);
        return _inner.Td(td, field);
    }

    /// <inheritdoc/>
    public readonly void SetTd(int td, TdField field, ulong value)
    {
        _branch.Add(ChangeKind.Td, td, (int)field, _inner.Td(td, field), value);
        _inner.SetTd(td, field, value);
    }

    /// <inheritdoc/>
    public readonly ulong Vcpu(int vcpu, VcpuField field)
    {
        _branch.Read(ChangeKind.Vcpu, vcpu, (int)field);
        return _inner.Vcpu(vcpu, field);
    }

    /// <inheritdoc/>
    public readonly void SetVcpu(int vcpu, VcpuField field, ulong value)
    {
        _branch.Add(ChangeKind.Vcpu, vcpu, (int)field, _inner.Vcpu(vcpu, field), value);
        _inner.SetVcpu(vcpu, field, value);
    }

    /// <inheritdoc/>
    public readonly ulong FaultingGpa(int vcpu, int position)
    {
        _branch.Read(ChangeKind.FaultingGpa, vcpu, position);
        return _inner.FaultingGpa(vcpu, position);
    }

    /// <inheritdoc/>
    public readonly void SetFaultingGpa(int vcpu, int position, ulong gpa)
    {
        _branch.Add(ChangeKind.FaultingGpa, vcpu, position, _inner.FaultingGpa(vcpu, position), gpa);
        _inner.SetFaultingGpa(vcpu, position, gpa);
    }

    /// <inheritdoc/>
    public readonly ulong Lp(int lp, LpField field)
    {
        _branch.Read(ChangeKind.Lp, lp, (int)field);
        return _inner.Lp(lp, field);
    }

    /// <inheritdoc/>
    public readonly void SetLp(int lp, LpField field, ulong value)
    {
        _branch.Add(ChangeKind.Lp, lp, (int)field, _inner.Lp(lp, field), value);
        _inner.SetLp(lp, field, value);
    }

    /// <inheritdoc/>
    public readonly ulong Key(int hkid, KeyField field)
    {
        _branch.Read(ChangeKind.Key, hkid, (int)field);
        return _inner.Key(hkid, field);
    }

    /// <inheritdoc/>
    public readonly void SetKey(int hkid, KeyField field, ulong value)
    {
        _branch.Add(ChangeKind.Key, hkid, (int)field, _inner.Key(hkid, field), value);
        _inner.SetKey(hkid, field, value);
    }

    /// <inheritdoc/>
    public readonly ulong Global(GlobalField field)
    {
        _branch.Read(ChangeKind.Global, 0, (int)field);
        return _inner.Global(field);
    }

    /// <inheritdoc/>
    public readonly void SetGlobal(GlobalField field, ulong value)
    {
        _branch.Add(ChangeKind.Global, 0, (int)field, _inner.Global(field), value);
        _inner.SetGlobal(field, value);
    }

    /// <inheritdoc/>
    public readonly uint X2ApicId(int td, int vcpuIndex)
    {
        _branch.Read(ChangeKind.X2ApicId, td, vcpuIndex);
        return _inner.X2ApicId(td, vcpuIndex);
    }

    /// <inheritdoc/>
    public readonly void SetX2ApicId(int td, int vcpuIndex, uint id)
    {
        _branch.Add(ChangeKind.X2ApicId, td, vcpuIndex, _inner.X2ApicId(td, vcpuIndex), id);
        _inner.SetX2ApicId(td, vcpuIndex, id);
    }

    /// <inheritdoc/>
    public readonly SeptEntry Entry(EntryRef at)
    {
        _branch.Read(ChangeKind.Entry, at.Table, at.Index);
        return _inner.Entry(at);
    }

    /// <inheritdoc/>
    public readonly void SetEntry(EntryRef at, SeptEntry entry)
    {
        _branch.Add(ChangeKind.Entry, at.Table, at.Index, _inner.Entry(at).Word, entry.Word);
        _inner.SetEntry(at, entry);
    }

    /// <inheritdoc/>
    public readonly int TablePage(int table) => _inner.TablePage(table);

    /// <inheritdoc/>
    public readonly int Holder(int page) => _inner.Holder(page);

    /// <inheritdoc/>
    public int NewTd(int page)
    {
        int holder = _inner.Holder(page);
        int td = _inner.NewTd(page);
        _branch.Add(ChangeKind.NewTd, td, holder, 0, (ulong)page + 1);
        return td;
    }

    /// <inheritdoc/>
    public int NewVcpu(int page)
    {
        int holder = _inner.Holder(page);
        int vcpu = _inner.NewVcpu(page);
        _branch.Add(ChangeKind.NewVcpu, vcpu, holder, 0, (ulong)page + 1);
        return vcpu;
    }

    /// <inheritdoc/>
    public int NewTable(int page)
    {
        int holder = _inner.Holder(page);
        int table = _inner.NewTable(page);
        _branch.Add(ChangeKind.NewTable, table, holder, 0, (ulong)page + 1);
        return table;
    }

    /// <inheritdoc/>
    public readonly void FreeTd(int td)
    {
        // The fields of an object that is gone are cleared by the one that takes its place: they are put away first.
        foreach (TdField field in Enum.GetValues<TdField>())
            ClearTd(td, field);
        for (int index = 0; index < ArraysState.X2ApicSlots; index++)
        {
            if (_inner.X2ApicId(td, index) != 0)
                SetX2ApicId(td, index, 0);
        }

        _branch.Add(ChangeKind.FreeTd, td, 0, 0, 1);
        _inner.FreeTd(td);
    }

    /// <inheritdoc/>
    public readonly void FreeVcpu(int vcpu)
    {
        foreach (VcpuField field in Enum.GetValues<VcpuField>())
        {
            if (_inner.Vcpu(vcpu, field) != 0)
                SetVcpu(vcpu, field, 0);
        }

        for (int i = 0; i < GuestSteps<BranchingState>.FaultListSize; i++)
        {
            if (_inner.FaultingGpa(vcpu, i) != 0)
                SetFaultingGpa(vcpu, i, 0);
        }

        _branch.Add(ChangeKind.FreeVcpu, vcpu, 0, 0, 1);
        _inner.FreeVcpu(vcpu);
    }

    /// <inheritdoc/>
    public readonly void FreeTable(int table)
    {
        for (int index = 0; index < ArraysState.EntriesPerTable; index++)
        {
            var at = new EntryRef(table, index);
            if (_inner.Entry(at).Word != 0)
                SetEntry(at, default);
        }

        _branch.Add(ChangeKind.FreeTable, table, 0, (ulong)_inner.TablePage(table), ulong.MaxValue);
        _inner.FreeTable(table);
    }

    /// <inheritdoc/>
    public readonly void InvalidateEpt(int lp, int td) => _branch.Note(ChangeKind.InvalidateEpt, lp, td);

    private readonly void ClearTd(int td, TdField field)
    {
        if (_inner.Td(td, field) != 0)
            SetTd(td, field, 0);
    }

    private readonly void TakeBack(in Change change)
    {
        switch (change.Kind)
        {
            case ChangeKind.Pamt: _inner.SetPamt(new PamtRef(change.Position >> 4, change.Object), change.PamtField, change.Old); break;
            case ChangeKind.Td: _inner.SetTd(change.Object, (TdField)change.Position, change.Old); break;
            case ChangeKind.Vcpu: _inner.SetVcpu(change.Object, (VcpuField)change.Position, change.Old); break;
            case ChangeKind.FaultingGpa: _inner.SetFaultingGpa(change.Object, change.Position, change.Old); break;
            case ChangeKind.Lp: _inner.SetLp(change.Object, (LpField)change.Position, change.Old); break;
            case ChangeKind.Key: _inner.SetKey(change.Object, (KeyField)change.Position, change.Old); break;
            case ChangeKind.Global: _inner.SetGlobal((GlobalField)change.Position, change.Old); break;
            case ChangeKind.X2ApicId: _inner.SetX2ApicId(change.Object, change.Position, (uint)change.Old); break;
            case ChangeKind.Entry: _inner.SetEntry(change.EntryAt, new SeptEntry(change.Old)); break;
            case ChangeKind.NewTd: _inner.TakeBackTd(change.Object); Leads(change); break;
            case ChangeKind.NewVcpu: _inner.TakeBackVcpu(change.Object); Leads(change); break;
            case ChangeKind.NewTable: _inner.TakeBackTable(change.Object); Leads(change); break;
            case ChangeKind.FreeTd: _inner.RestoreTd(); break;
            case ChangeKind.FreeVcpu: _inner.RestoreVcpu(); break;
            case ChangeKind.InvalidateEpt: break;
            default: _inner.RestoreTable((int)change.Old); break;
        }
    }

    private readonly void Leads(in Change change) => _inner.SetHolder((int)change.New - 1, change.Position);

    private sealed class Branch
    {
        private Change[] _changes = new Change[256];

        public AccessSet? Log { get; set; }

        public int Count { get; private set; }

        public ulong High { get; private set; }

        public ulong Low { get; private set; }

        public ReadOnlySpan<Change> Changes => _changes.AsSpan(0, Count);

        public void Clear()
        {
            Count = 0;
            High = Low = 0;
        }

        public void Read(ChangeKind kind, int target, int position) => Log?.Read(kind, target, position);

        public void Add(ChangeKind kind, int target, int position, ulong old, ulong value)
        {
            Log?.Write(kind, target, position, old, value);
            if (old == value)
                return;
            Note(kind, target, position, old, value);
            Toggle(_changes[Count - 1]);
        }

        // Something that happens and changes no cell: it has no part in the hash.
        public void Note(ChangeKind kind, int target, int position) => Note(kind, target, position, 0, 0);

        public Change Pop()
        {
            Change change = _changes[--Count];
            Toggle(change);
            return change;
        }

        private void Note(ChangeKind kind, int target, int position, ulong old, ulong value)
        {
            if (Count == _changes.Length)
                Array.Resize(ref _changes, 2 * Count);
            _changes[Count++] = new Change(kind, target, position, old, value);
        }

        // A cell at its value of the start has no term: the term of a value is relative to the cell's first one, which
        // is the same in all states of a search, so adding both terms of every write comes to the same.
        private void Toggle(in Change change)
        {
            ulong cell = ((ulong)change.Kind << 56) ^ ((ulong)(uint)change.Object << 24) ^ (uint)change.Position;
            Term(cell, change.Old);
            Term(cell, change.New);
        }

        private void Term(ulong cell, ulong value)
        {
            ulong mixed = (cell + 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93;
            mixed ^= BitOperations.RotateLeft((value + 0xA076_1D64_78BD_642F) * 0xE703_7ED1_A0B4_28DB, 29);
            High ^= Finish(mixed);
            Low ^= Finish(mixed ^ BitOperations.RotateLeft(value, 17) ^ 0x8EBC_6AF0_9C88_C6E3);
        }

        private static ulong Finish(ulong x)
        {
            x ^= x >> 32;
            x *= 0xD6E8_FEB8_6659_FD93;
            x ^= x >> 29;
            x *= 0xBF58_476D_1CE4_E5B9;
            return x ^ (x >> 32);
        }
    }
}
