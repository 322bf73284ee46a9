using System.Runtime.InteropServices;

namespace TdxVerify.Reference;

/// <summary>
/// A PAMT entry as the module lays it out (facts/pamt.md): lock 16 bits, page type 8, owner 40 (TDR HPA bits 51:12),
/// BEPOCH 64. Type and owner are written under the exclusive lock of the entry; BEPOCH under no lock of the PAMT.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct PamtEntry
{
    [FieldOffset(0)]
    public ushort Lock;

    [FieldOffset(2)]
    private byte _type;

    [FieldOffset(3)]
    private byte _ownerLow;

    [FieldOffset(4)]
    private uint _ownerHigh;

    [FieldOffset(8)]
    private ulong _blockEpoch;

    public PamtPageType Type
    {
        get => (PamtPageType)Volatile.Read(ref _type);
        set => Volatile.Write(ref _type, (byte)value);
    }

    /// <summary>HPA of the owner's TDR. Stale where the page is not assigned.</summary>
    public ulong OwnerHpa
    {
        readonly get => (((ulong)_ownerHigh << 8) | _ownerLow) << 12;
        set
        {
            _ownerLow = (byte)(value >> 12);
            _ownerHigh = (uint)(value >> 20);
        }
    }

    /// <summary>The TD epoch of the latest block (BEPOCH).</summary>
    public ulong BlockEpoch
    {
        get => Volatile.Read(ref _blockEpoch);
        set => Volatile.Write(ref _blockEpoch, value);
    }
}
