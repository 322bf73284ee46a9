using System.Buffers.Binary;

namespace TdxVerify.Reference;

/// <summary>
/// The fields of a TD_PARAMS page (facts/profile-1.5.05.md): the first 448 bytes are the same in all profiles.
/// </summary>
internal readonly ref struct TdParams
{
    public const int Size = 1024;

    private const int CpuidOffset = 256;
    private const int CpuidTopologyOffset = 448;
    private const int CpuidTopologyEnd = 544;

    private readonly ReadOnlySpan<byte> _bytes;

    public TdParams(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public ulong Attributes => Word(0);

    public ulong Xfam => Word(8);

    public ushort MaxVcpus => BinaryPrimitives.ReadUInt16LittleEndian(_bytes[16..]);

    public byte L2Vms => _bytes[18];

    public byte MsrControl => _bytes[19];

    public bool ReservedAfterCountsAreZero => IsZero(20, 24);

    public ulong EptpControls => Word(24);

    public ulong ConfigFlags => Word(32);

    /// <summary>In units of 25 MHz.</summary>
    public ushort TscFrequency => BinaryPrimitives.ReadUInt16LittleEndian(_bytes[40..]);

    public bool ReservedAfterTscAreZero => IsZero(42, 80);

    /// <summary>Configuration of IA32_ARCH_CAPABILITIES; means something with bit 0 of <see cref="MsrControl"/>.</summary>
    public ulong ArchCapabilities => Word(224);

    public bool ReservedAfterCapabilitiesAreZero => IsZero(232, 256);

    /// <summary>The CPUID configuration asks for nothing, leaf 0x1F apart.</summary>
    public bool CpuidIsZero => IsZero(CpuidOffset, CpuidTopologyOffset);

    /// <summary>The end of the page. Profile 1.5.05 took its first 96 bytes for the topology.</summary>
    public bool TailIsZero(bool topology) => IsZero(topology ? CpuidTopologyEnd : CpuidTopologyOffset, Size);

    /// <summary>CPUID leaf 0x1F, sub-leaves 0 to 5 (profile 1.5.05).</summary>
    public CpuidTopologyEntry Topology(int subLeaf)
    {
        ReadOnlySpan<byte> entry = _bytes[(CpuidTopologyOffset + (16 * subLeaf))..];
        return new CpuidTopologyEntry(
            BinaryPrimitives.ReadUInt32LittleEndian(entry),
            BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]));
    }

    private ulong Word(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes[offset..]);

    private bool IsZero(int start, int end) => _bytes[start..end].IndexOfAnyExcept((byte)0) < 0;
}

/// <summary>One sub-leaf of CPUID leaf 0x1F.</summary>
internal readonly record struct CpuidTopologyEntry(uint Eax, uint Ebx, uint Ecx, uint Edx)
{
    public bool IsZero => (Eax | Ebx | Ecx | Edx) == 0;

    /// <summary>ECX bits 15:8: 0 invalid, 2 core, below 6 legal.</summary>
    public int Type => (int)(Ecx >> 8) & 0xFF;

    /// <summary>A bit is set that TD_PARAMS cannot configure: EAX 4:0, EBX 15:0 and ECX 15:0 can be.</summary>
    public bool HasFixedBits => ((Eax & ~0x1Fu) | (Ebx & ~0xFFFFu) | (Ecx & ~0xFFFFu) | Edx) != 0;
}
