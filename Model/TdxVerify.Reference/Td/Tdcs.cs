using System.Runtime.InteropServices;

namespace TdxVerify.Reference;

/// <summary>
/// The management part of TDCS: what the first TDCX page of a TD holds here. The other pages that matter are those at
/// the indices below. A fresh page is zero: OP_STATE UNINITIALIZED, all locks free.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Abi.Hpa.PageSize)]
internal struct Tdcs
{
    /// <summary>Index of the TDCX page that holds the x2APIC ids (facts/profile-1.5.05.md).</summary>
    public const int X2ApicPage = 1;

    /// <summary>Index of the TDCX page that holds the MSR bitmaps: all ones.</summary>
    public const int MsrBitmapPage = 2;

    /// <summary>Index of the TDCX page that is the root of the S-EPT.</summary>
    public const int SeptRootPage = 3;

    /// <summary>x2APIC slots of a TD, and the limit of MAX_VCPUS, in profile 1.5.05.</summary>
    public const int MaxVcpusLimit = 576;

    [FieldOffset(0)]
    public OpState OpState;

    /// <summary>52-bit guest addresses: SHARED is bit 51.</summary>
    [FieldOffset(1)]
    public bool Gpaw;

    /// <summary>The level of the root's entries: 3 (4-level tree) or 4.</summary>
    [FieldOffset(2)]
    public byte RootLevel;

    /// <summary>An access to a pending page leaves to the host instead of giving #VE.</summary>
    [FieldOffset(3)]
    public bool PendingVeDisable;

    [FieldOffset(4)]
    public bool TopologyEnumConfigured;

    [FieldOffset(5)]
    public bool NoRbpModification;

    [FieldOffset(6)]
    public ushort MaxVcpus;

    [FieldOffset(8)]
    public int VcpuCount;

    [FieldOffset(12)]
    public int AssociatedCount;

    [FieldOffset(16)]
    public EpochTracking Epoch;

    /// <summary>HPA of the S-EPT root page.</summary>
    [FieldOffset(24)]
    public ulong SeptRootHpa;

    [FieldOffset(32)]
    public ulong Attributes;

    [FieldOffset(40)]
    public ulong Xfam;

    [FieldOffset(48)]
    public ulong ConfigFlags;

    /// <summary>Memory type and levels of the S-EPT, without the address of its root.</summary>
    [FieldOffset(56)]
    public ulong EptpControls;

    /// <summary>In units of 25 MHz.</summary>
    [FieldOffset(64)]
    public ushort TscFrequency;

    // The locks stand where no other structure has a field: a test may take them while teardown goes on, when the
    // page may be another TD's already.
    [FieldOffset(2048)]
    public ushort OpStateLock;

    [FieldOffset(2050)]
    public ushort SeptTreeLock;

    [FieldOffset(2052)]
    public ushort EpochLock;
}
