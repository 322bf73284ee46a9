using System.Runtime.InteropServices;

namespace TdxVerify.Reference;

/// <summary>Lifecycle of a TD (facts/op-states.csv).</summary>
internal enum TdLifecycle : byte
{
    HkidAssigned = 0,
    KeysConfigured = 1,
    Blocked = 2,
    Teardown = 3,
}

/// <summary>The contents of a TDR page. A fresh page is zero: HKID assigned, no child.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Tdr
{
    public const int MaxTdcxPages = 16;

    /// <summary>Never set by the leaves modelled here; checked where the module checks it.</summary>
    public bool Fatal;
    public TdLifecycle Lifecycle;
    public ushort Hkid;
    public uint ConfiguredPackages;
    public int TdcxCount;

    /// <summary>4 KiB pages that the TD owns, the TDR not counted.</summary>
    public long ChildCount;
    public fixed ulong TdcxHpa[MaxTdcxPages];

    public void AddChildren(long pages) => Interlocked.Add(ref ChildCount, pages);
}
