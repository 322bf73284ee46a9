using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// The layout for sequences of any size: one row per PAMT entry, TD, vCPU, logical processor and S-EPT table, handles
/// recycled. The types of PAMT entries lie side by side, so that 512 of them are looked through at once. A reset touches only what was used since the last one.
/// </summary>
public struct ArraysState : IPlatformState
{
    internal const int EntriesPerTable = 512;
    private const int FaultListSize = 32;
    internal const int X2ApicSlots = 576;
    private const int DirtyShift = 6;

    private static readonly int s_tdFields = Row<TdField>();
    private static readonly int s_vcpuFields = Row<VcpuField>();
    private static readonly int s_lpFields = Row<LpField>();
    private static readonly int s_keyFields = Row<KeyField>();
    private static readonly int s_globalFields = Row<GlobalField>();

    private readonly PamtEntry[] _pamt;
    private readonly byte[] _pamtTypes;
    private readonly int _start2M;
    private readonly int _start1G;
    private readonly bool[] _dirty;
    private readonly int[] _holder;

    private readonly ulong[] _lps;
    private readonly ulong[] _keys;
    private readonly ulong[] _globals;
    private readonly Pool _tdPool;
    private readonly Pool _vcpuPool;
    private readonly Pool _tablePool;
    private ulong[] _tds;
    private ulong[] _vcpus;
    private ulong[] _faultingGpas;
    private uint[] _x2ApicIds;
    private SeptEntry[] _entries;
    private int[] _tablePages;
    private readonly HostMemory _memory;

    /// <summary>A fresh platform: the module is ready, every page unassigned, every private key id free.</summary>
    public ArraysState(PlatformInfo platform)
    {
        Platform = platform;
        int pages = checked((int)platform.PageCount);
        _start2M = pages;
        _start1G = _start2M + ((pages - 1) >> 9) + 1;
        _pamt = new PamtEntry[_start1G + ((pages - 1) >> 18) + 1];
        _pamtTypes = new byte[_pamt.Length];
        _dirty = new bool[(_pamt.Length >> DirtyShift) + 1];
        _holder = new int[pages];
        _lps = new ulong[platform.LpCount * s_lpFields];
        _keys = new ulong[(platform.HkidFirst + platform.HkidCount) * s_keyFields];
        _globals = new ulong[s_globalFields];
        _tdPool = new Pool();
        _vcpuPool = new Pool();
        _tablePool = new Pool();
        _tds = new ulong[8 * s_tdFields];
        _vcpus = new ulong[16 * s_vcpuFields];
        _faultingGpas = new ulong[16 * FaultListSize];
        _x2ApicIds = new uint[8 * X2ApicSlots];
        _entries = [];
        _tablePages = [];
        _memory = new HostMemory();
        ReserveModuleKeys();
    }

    /// <inheritdoc/>
    public static bool MaySplitLocks => false;

    /// <inheritdoc/>
    public PlatformInfo Platform { get; }

    /// <inheritdoc/>
    public readonly (IReadOnlyCollection<int> Tds, IReadOnlyCollection<int> Vcpus, IReadOnlyCollection<int> Tables) Live =>
        (_tdPool.Live, _vcpuPool.Live, _tablePool.Live);

    /// <inheritdoc/>
    public readonly void Reset()
    {
        ResetPamt();
        Array.Clear(_lps);
        Array.Clear(_keys);
        Array.Clear(_globals);
        _tdPool.Reset();
        _vcpuPool.Reset();
        _tablePool.Reset();
        _memory.Reset();
        ReserveModuleKeys();
    }

    /// <inheritdoc/>
    public readonly void WriteMemory(ulong hpa, ReadOnlySpan<byte> data) => _memory.Write(hpa, data);

    /// <inheritdoc/>
    public readonly void ReadMemory(ulong hpa, Span<byte> data) => _memory.Read(hpa, data);

    /// <inheritdoc/>
    public readonly ulong Memory(ulong hpa) => _memory.Read(hpa);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ulong Pamt(PamtRef at, PamtField field)
    {
        int position = Position(at);
        return field switch
        {
            PamtField.Lock => _pamt[position].Lock,
            PamtField.Type => _pamtTypes[position],
            PamtField.Owner => (ulong)_pamt[position].Owner,
            _ => _pamt[position].Bepoch,
        };
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void SetPamt(PamtRef at, PamtField field, ulong value)
    {
        int position = Position(at);
        _dirty[position >> DirtyShift] = true;
        switch (field)
        {
            case PamtField.Lock: _pamt[position].Lock = (ushort)value; break;
            case PamtField.Type: _pamtTypes[position] = (byte)value; break;
            case PamtField.Owner: _pamt[position].Owner = (int)value; break;
            default: _pamt[position].Bepoch = value; break;
        }
    }

    /// <inheritdoc/>
    public readonly bool AreAll(PamtRef first, int count, PageType type)
    {
        int start = Position(first);
        ReadOnlySpan<byte> types = _pamtTypes.AsSpan(start, Math.Min(count, _pamtTypes.Length - start));
        return !types.ContainsAnyExcept((byte)type);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ulong Td(int td, TdField field) => _tds[(td * s_tdFields) + (int)field];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void SetTd(int td, TdField field, ulong value) => _tds[(td * s_tdFields) + (int)field] = value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ulong Vcpu(int vcpu, VcpuField field) => _vcpus[(vcpu * s_vcpuFields) + (int)field];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void SetVcpu(int vcpu, VcpuField field, ulong value) => _vcpus[(vcpu * s_vcpuFields) + (int)field] = value;

    /// <inheritdoc/>
    public readonly ulong FaultingGpa(int vcpu, int position) => _faultingGpas[(vcpu * FaultListSize) + position];

    /// <inheritdoc/>
    public readonly void SetFaultingGpa(int vcpu, int position, ulong gpa) => _faultingGpas[(vcpu * FaultListSize) + position] = gpa;

    /// <inheritdoc/>
    public readonly ulong Lp(int lp, LpField field) => _lps[(lp * s_lpFields) + (int)field];

    /// <inheritdoc/>
    public readonly void SetLp(int lp, LpField field, ulong value) => _lps[(lp * s_lpFields) + (int)field] = value;

    /// <inheritdoc/>
    public readonly ulong Key(int hkid, KeyField field) => _keys[(hkid * s_keyFields) + (int)field];

    /// <inheritdoc/>
    public readonly void SetKey(int hkid, KeyField field, ulong value) => _keys[(hkid * s_keyFields) + (int)field] = value;

    /// <inheritdoc/>
    public readonly ulong Global(GlobalField field) => _globals[(int)field];

    /// <inheritdoc/>
    public readonly void SetGlobal(GlobalField field, ulong value) => _globals[(int)field] = value;

    /// <inheritdoc/>
    public readonly uint X2ApicId(int td, int vcpuIndex) => _x2ApicIds[(td * X2ApicSlots) + vcpuIndex];

    /// <inheritdoc/>
    public readonly void SetX2ApicId(int td, int vcpuIndex, uint id) => _x2ApicIds[(td * X2ApicSlots) + vcpuIndex] = id;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly SeptEntry Entry(EntryRef at) => _entries[(at.Table * EntriesPerTable) + at.Index];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void SetEntry(EntryRef at, SeptEntry entry) => _entries[(at.Table * EntriesPerTable) + at.Index] = entry;

    /// <inheritdoc/>
    public readonly int TablePage(int table) => _tablePages[table];

    /// <inheritdoc/>
    public readonly int Holder(int page) => _holder[page];

    /// <inheritdoc/>
    public int NewTd(int page)
    {
        int td = _tdPool.Take();
        Grow(ref _tds, (td + 1) * s_tdFields);
        Grow(ref _x2ApicIds, (td + 1) * X2ApicSlots);
        Array.Clear(_tds, td * s_tdFields, s_tdFields);
        Array.Clear(_x2ApicIds, td * X2ApicSlots, X2ApicSlots);
        SetTd(td, TdField.TdrPage, (ulong)page);
        _holder[page] = td;
        return td;
    }

    /// <inheritdoc/>
    public int NewVcpu(int page)
    {
        int vcpu = _vcpuPool.Take();
        Grow(ref _vcpus, (vcpu + 1) * s_vcpuFields);
        Grow(ref _faultingGpas, (vcpu + 1) * FaultListSize);
        Array.Clear(_vcpus, vcpu * s_vcpuFields, s_vcpuFields);
        Array.Clear(_faultingGpas, vcpu * FaultListSize, FaultListSize);
        SetVcpu(vcpu, VcpuField.TdvprPage, (ulong)page);
        _holder[page] = vcpu;
        return vcpu;
    }

    /// <inheritdoc/>
    public int NewTable(int page)
    {
        int table = _tablePool.Take();
        Grow(ref _entries, (table + 1) * EntriesPerTable);
        Grow(ref _tablePages, table + 1);
        Array.Clear(_entries, table * EntriesPerTable, EntriesPerTable);
        _tablePages[table] = page;
        _holder[page] = table;
        return table;
    }

    /// <inheritdoc/>
    public readonly void FreeTd(int td) => _tdPool.Free(td);

    /// <inheritdoc/>
    public readonly void FreeVcpu(int vcpu) => _vcpuPool.Free(vcpu);

    /// <inheritdoc/>
    public readonly void FreeTable(int table) => _tablePool.Free(table);

    /// <summary>The TD that came into being last is gone again, as if it had never been.</summary>
    internal readonly void TakeBackTd(int td) => _tdPool.TakeBack(td);

    /// <summary>The vCPU that came into being last is gone again.</summary>
    internal readonly void TakeBackVcpu(int vcpu) => _vcpuPool.TakeBack(vcpu);

    /// <summary>The S-EPT table that came into being last is gone again.</summary>
    internal readonly void TakeBackTable(int table) => _tablePool.TakeBack(table);

    /// <summary>The TD that went last is there again, with its fields as they were.</summary>
    internal readonly void RestoreTd() => _tdPool.Take();

    /// <summary>The vCPU that went last is there again.</summary>
    internal readonly void RestoreVcpu() => _vcpuPool.Take();

    /// <summary>The S-EPT table that went last is there again.</summary>
    internal readonly void RestoreTable(int page) => _tablePages[_tablePool.Take()] = page;

    /// <summary>A page that held an object leads to it again.</summary>
    internal readonly void SetHolder(int page, int handle) => _holder[page] = handle;

    /// <inheritdoc/>
    public readonly void InvalidateEpt(int lp, int td)
    {
    }

    // Fields of an object, as many as make its place in the array a shift and not a multiplication.
    private static int Row<F>()
        where F : struct, Enum => (int)BitOperations.RoundUpToPowerOf2((uint)Enum.GetValues<F>().Length);

    private static void Grow<T>([NotNull] ref T[] array, int needed)
    {
        if (array.Length < needed)
            Array.Resize(ref array, Math.Max(needed, 2 * array.Length));
    }

    private readonly void ReserveModuleKeys()
    {
        for (int hkid = 0; hkid < Platform.HkidFirst; hkid++)
            SetKey(hkid, KeyField.State, (ulong)HkidState.HKID_RESERVED);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int Position(PamtRef at) => at.Size switch
    {
        0 => at.Index,
        1 => _start2M + at.Index,
        _ => _start1G + at.Index,
    };

    private readonly void ResetPamt()
    {
        for (int block = Array.IndexOf(_dirty, true); block >= 0; block = Array.IndexOf(_dirty, true, block + 1))
        {
            int start = block << DirtyShift;
            int length = Math.Min(1 << DirtyShift, _pamt.Length - start);
            Array.Clear(_pamt, start, length);
            Array.Clear(_pamtTypes, start, length);
            _dirty[block] = false;
        }
    }

    // One entry, whatever its size, but for its type: 16 bytes.
    private struct PamtEntry
    {
        public ushort Lock;
        public int Owner;
        public ulong Bepoch;
    }

    // Handles: the lowest that was never used, or one that was given back.
    private sealed class Pool
    {
        private readonly Stack<int> _free = new();
        private int _next;

        public IReadOnlyCollection<int> Live => [.. Enumerable.Range(0, _next).Where(handle => !_free.Contains(handle))];

        public int Take() => _free.Count > 0 ? _free.Pop() : _next++;

        public void Free(int handle) => _free.Push(handle);

        // One that was never used before is next in turn then, and so is one that had been given back: no other lies on
        // the stack above it, since what came later was taken back first.
        public void TakeBack(int handle) => _free.Push(handle);

        public void Reset()
        {
            _free.Clear();
            _next = 0;
        }
    }
}
