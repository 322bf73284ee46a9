using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>The arrays layout with a journal: every write is noted, for laws and for state differences.</summary>
public struct ObservedState(PlatformInfo platform) : IPlatformState
{
    private ArraysState _inner = new(platform);

    /// <summary>The writes since its last <see cref="Model.Journal.Clear"/>.</summary>
    public Journal Journal { get; } = new();

    /// <inheritdoc/>
    public static bool MaySplitLocks => false;

    /// <inheritdoc/>
    public readonly PlatformInfo Platform => _inner.Platform;

    /// <inheritdoc/>
    public readonly (IReadOnlyCollection<int> Tds, IReadOnlyCollection<int> Vcpus, IReadOnlyCollection<int> Tables) Live => _inner.Live;

    /// <inheritdoc/>
    public readonly void Reset()
    {
        _inner.Reset();
        Journal.Clear();
    }

    /// <inheritdoc/>
    public readonly void WriteMemory(ulong hpa, ReadOnlySpan<byte> data) => _inner.WriteMemory(hpa, data);

    /// <inheritdoc/>
    public readonly void ReadMemory(ulong hpa, Span<byte> data) => _inner.ReadMemory(hpa, data);

    /// <inheritdoc/>
    public readonly ulong Memory(ulong hpa) => _inner.Memory(hpa);

    /// <inheritdoc/>
    public readonly ulong Pamt(PamtRef at, PamtField field) => _inner.Pamt(at, field);

    /// <inheritdoc/>
    public readonly void SetPamt(PamtRef at, PamtField field, ulong value)
    {
        Journal.Add(ChangeKind.Pamt, at.Index, Change.PamtPosition(at.Size, field), _inner.Pamt(at, field), value);
        _inner.SetPamt(at, field, value);
    }

    /// <inheritdoc/>
    public readonly bool AreAll(PamtRef first, int count, PageType type) => _inner.AreAll(first, count, type);

    /// <inheritdoc/>
    public readonly ulong Td(int td, TdField field) => _inner.Td(td, field);

    /// <inheritdoc/>
    public readonly void SetTd(int td, TdField field, ulong value)
    {
        Journal.Add(ChangeKind.Td, td, (int)field, _inner.Td(td, field), value);
        _inner.SetTd(td, field, value);
    }

    /// <inheritdoc/>
    public readonly ulong Vcpu(int vcpu, VcpuField field) => _inner.Vcpu(vcpu, field);

    /// <inheritdoc/>
    public readonly void SetVcpu(int vcpu, VcpuField field, ulong value)
    {
        Journal.Add(ChangeKind.Vcpu, vcpu, (int)field, _inner.Vcpu(vcpu, field), value);
        _inner.SetVcpu(vcpu, field, value);
    }

    /// <inheritdoc/>
    public readonly ulong FaultingGpa(int vcpu, int position) => _inner.FaultingGpa(vcpu, position);

    /// <inheritdoc/>
    public readonly void SetFaultingGpa(int vcpu, int position, ulong gpa)
    {
        Journal.Add(ChangeKind.FaultingGpa, vcpu, position, _inner.FaultingGpa(vcpu, position), gpa);
        _inner.SetFaultingGpa(vcpu, position, gpa);
    }

    /// <inheritdoc/>
    public readonly ulong Lp(int lp, LpField field) => _inner.Lp(lp, field);

    /// <inheritdoc/>
    public readonly void SetLp(int lp, LpField field, ulong value)
    {
        Journal.Add(ChangeKind.Lp, lp, (int)field, _inner.Lp(lp, field), value);
        _inner.SetLp(lp, field, value);
    }

    /// <inheritdoc/>
    public readonly ulong Key(int hkid, KeyField field) => _inner.Key(hkid, field);

    /// <inheritdoc/>
    public readonly void SetKey(int hkid, KeyField field, ulong value)
    {
        Journal.Add(ChangeKind.Key, hkid, (int)field, _inner.Key(hkid, field), value);
        _inner.SetKey(hkid, field, value);
    }

    /// <inheritdoc/>
    public readonly ulong Global(GlobalField field) => _inner.Global(field);

    /// <inheritdoc/>
    public readonly void SetGlobal(GlobalField field, ulong value)
    {
        Journal.Add(ChangeKind.Global, 0, (int)field, _inner.Global(field), value);
        _inner.SetGlobal(field, value);
    }

    /// <inheritdoc/>
    public readonly uint X2ApicId(int td, int vcpuIndex) => _inner.X2ApicId(td, vcpuIndex);

    /// <inheritdoc/>
    public readonly void SetX2ApicId(int td, int vcpuIndex, uint id)
    {
        Journal.Add(ChangeKind.X2ApicId, td, vcpuIndex, _inner.X2ApicId(td, vcpuIndex), id);
        _inner.SetX2ApicId(td, vcpuIndex, id);
    }

    /// <inheritdoc/>
    public readonly SeptEntry Entry(EntryRef at) => _inner.Entry(at);

    /// <inheritdoc/>
    public readonly void SetEntry(EntryRef at, SeptEntry entry)
    {
        Journal.Add(ChangeKind.Entry, at.Table, at.Index, _inner.Entry(at).Word, entry.Word);
        _inner.SetEntry(at, entry);
    }

    /// <inheritdoc/>
    public readonly int TablePage(int table) => _inner.TablePage(table);

    /// <inheritdoc/>
    public readonly int Holder(int page) => _inner.Holder(page);

    /// <inheritdoc/>
    public int NewTd(int page)
    {
        int td = _inner.NewTd(page);
        Journal.Add(ChangeKind.NewTd, td, 0, 0, (ulong)page);
        return td;
    }

    /// <inheritdoc/>
    public int NewVcpu(int page)
    {
        int vcpu = _inner.NewVcpu(page);
        Journal.Add(ChangeKind.NewVcpu, vcpu, 0, 0, (ulong)page);
        return vcpu;
    }

    /// <inheritdoc/>
    public int NewTable(int page)
    {
        int table = _inner.NewTable(page);
        Journal.Add(ChangeKind.NewTable, table, 0, 0, (ulong)page);
        return table;
    }

    /// <inheritdoc/>
    public readonly void FreeTd(int td)
    {
        Journal.Add(ChangeKind.FreeTd, td, 0, 0, 0);
        _inner.FreeTd(td);
    }

    /// <inheritdoc/>
    public readonly void FreeVcpu(int vcpu)
    {
        Journal.Add(ChangeKind.FreeVcpu, vcpu, 0, 0, 0);
        _inner.FreeVcpu(vcpu);
    }

    /// <inheritdoc/>
    public readonly void FreeTable(int table)
    {
        Journal.Add(ChangeKind.FreeTable, table, 0, 0, (ulong)_inner.TablePage(table));
        _inner.FreeTable(table);
    }

    /// <inheritdoc/>
    public readonly void InvalidateEpt(int lp, int td) => Journal.Add(ChangeKind.InvalidateEpt, lp, td, 0, 0);
}
