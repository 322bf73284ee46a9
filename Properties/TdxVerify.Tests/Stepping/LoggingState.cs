using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Tests.Stepping;

/// <summary>The visible accesses since the log was cleared (contention.md, "Visible steps").</summary>
internal sealed class AccessLog
{
    public HashSet<string> Visible { get; } = [];
}

/// <summary>The arrays layout with a log of visible accesses.</summary>
internal struct LoggingState(PlatformInfo platform, AccessLog log) : IPlatformState
{
    private ArraysState _inner = new(platform);

    public readonly PlatformInfo Platform => _inner.Platform;

    public readonly (IReadOnlyCollection<int> Tds, IReadOnlyCollection<int> Vcpus, IReadOnlyCollection<int> Tables) Live => _inner.Live;

    public readonly void Reset() => _inner.Reset();

    public readonly void WriteMemory(ulong hpa, ReadOnlySpan<byte> data) => _inner.WriteMemory(hpa, data);

    public readonly void ReadMemory(ulong hpa, Span<byte> data) => _inner.ReadMemory(hpa, data);

    public readonly ulong Memory(ulong hpa) => _inner.Memory(hpa);

    public readonly ulong Pamt(PamtRef at, PamtField field) => _inner.Pamt(at, field);

    public readonly void SetPamt(PamtRef at, PamtField field, ulong value)
    {
        // Type and owner are stored together with the access before.
        if (field is PamtField.Bepoch or PamtField.Lock)
            log.Visible.Add($"PAMT {field}");
        _inner.SetPamt(at, field, value);
    }

    public readonly bool AreAll(PamtRef first, int count, PageType type) => _inner.AreAll(first, count, type);

    public readonly ulong Td(int td, TdField field)
    {
        if (field is TdField.Epoch or TdField.RefCountEven or TdField.RefCountOdd)
            log.Visible.Add($"read {field}");
        return _inner.Td(td, field);
    }

    public readonly void SetTd(int td, TdField field, ulong value)
    {
        // What a TD is built with is written under the exclusive TDR lock, in one run of stores.
        if (field is TdField.Epoch or TdField.RefCountEven or TdField.RefCountOdd or TdField.ChildCount or TdField.AssociatedVcpus or TdField.NumVcpus
            or TdField.OpStateLock or TdField.SeptTreeLock or TdField.EpochLock or TdField.Lifecycle or TdField.OpState)
        {
            log.Visible.Add($"write {field}");
        }

        _inner.SetTd(td, field, value);
    }

    public readonly ulong Vcpu(int vcpu, VcpuField field) => _inner.Vcpu(vcpu, field);

    public readonly void SetVcpu(int vcpu, VcpuField field, ulong value)
    {
        if (field == VcpuField.AssociatedLp)
            log.Visible.Add("write the association");
        _inner.SetVcpu(vcpu, field, value);
    }

    public readonly ulong FaultingGpa(int vcpu, int position) => _inner.FaultingGpa(vcpu, position);

    public readonly void SetFaultingGpa(int vcpu, int position, ulong gpa) => _inner.SetFaultingGpa(vcpu, position, gpa);

    public readonly ulong Lp(int lp, LpField field) => _inner.Lp(lp, field);

    public readonly void SetLp(int lp, LpField field, ulong value) => _inner.SetLp(lp, field, value);

    public readonly ulong Key(int hkid, KeyField field) => _inner.Key(hkid, field);

    public readonly void SetKey(int hkid, KeyField field, ulong value) => _inner.SetKey(hkid, field, value);

    public readonly ulong Global(GlobalField field) => _inner.Global(field);

    public readonly void SetGlobal(GlobalField field, ulong value)
    {
        if (field is GlobalField.KotLock or GlobalField.WritebackMutex)
            log.Visible.Add($"write {field}");
        _inner.SetGlobal(field, value);
    }

    public readonly uint X2ApicId(int td, int vcpuIndex) => _inner.X2ApicId(td, vcpuIndex);

    public readonly void SetX2ApicId(int td, int vcpuIndex, uint id) => _inner.SetX2ApicId(td, vcpuIndex, id);

    public readonly SeptEntry Entry(EntryRef at)
    {
        log.Visible.Add("read S-EPT entry");
        return _inner.Entry(at);
    }

    public readonly void SetEntry(EntryRef at, SeptEntry entry)
    {
        // A new S-EPT page is filled before anyone can reach it.
        if (_inner.Entry(at).Word != 0 || entry.Target == 0 || entry.IsLocked)
            log.Visible.Add("write S-EPT entry");
        _inner.SetEntry(at, entry);
    }

    public readonly int TablePage(int table) => _inner.TablePage(table);

    public readonly int Holder(int page) => _inner.Holder(page);

    public int NewTd(int page) => _inner.NewTd(page);

    public int NewVcpu(int page) => _inner.NewVcpu(page);

    public int NewTable(int page) => _inner.NewTable(page);

    public readonly void FreeTd(int td) => _inner.FreeTd(td);

    public readonly void FreeVcpu(int vcpu) => _inner.FreeVcpu(vcpu);

    public readonly void FreeTable(int table) => _inner.FreeTable(table);

    public readonly void InvalidateEpt(int lp, int td) => _inner.InvalidateEpt(lp, td);
}
