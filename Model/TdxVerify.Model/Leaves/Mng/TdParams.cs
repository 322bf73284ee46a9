using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TD_PARAMS in host memory (facts/profile-1.5.05.md, "TD_PARAMS"): 1024 bytes, offsets in bytes.</summary>
/// <param name="Address">Its HPA, 1 KiB aligned, without key id.</param>
internal readonly record struct TdParams(ulong Address)
{
    public const int Size = 1024;
    public const ulong SeptVeDisable = 1UL << 28;
    public const ulong Eptp4Level = 0x1E;
    public const ulong Eptp5Level = 0x26;

    // DEBUG, SEPT_VE_DISABLE, MIGRATABLE, PKS, PERFMON. Not LASS (bit 27): the platform has none.
    public const ulong LegalAttributes = (1UL << 0) | SeptVeDisable | (1UL << 29) | (1UL << 30) | (1UL << 63);

    /// <summary>Offset of the CPUID configuration.</summary>
    public const int CpuidStart = 256;

    /// <summary>Offset of its part for leaf 0x1F, in 1.5.05.</summary>
    public const int CpuidTopologyStart = 448;

    private const int TopologyLevels = 6;
    private const ulong CoreLevel = 2;

    /// <summary>Offset behind the CPUID configuration: 12 entries, with those of leaf 0x1F 18.</summary>
    public static int CpuidEnd(ModuleProfile profile) => profile == ModuleProfile.V1_5_05 ? 544 : CpuidTopologyStart;

    /// <summary>A migratable TD is neither a debug TD nor one with PERFMON.</summary>
    public static bool AttributesAreLegal(ulong attributes)
    {
        const ulong migratable = 1UL << 29;
        const ulong notMigratable = (1UL << 0) | (1UL << 63);
        return (attributes & ~LegalAttributes) == 0 && ((attributes & migratable) == 0 || (attributes & notMigratable) == 0);
    }

    /// <summary>x87 and SSE are fixed to 1; the state components of AVX-512, CET and AMX go together.</summary>
    public static bool XfamIsLegal(ulong xfam)
    {
        const ulong fixed1 = 0x3;
        const ulong known = 0x6_DBE7;
        const ulong avx = 1 << 2;
        return (xfam & fixed1) == fixed1
            && (xfam & ~known) == 0
            && AllOrNone(xfam, 0xE0)
            && ((xfam & 0xE0) == 0 || (xfam & avx) != 0)
            && AllOrNone(xfam, 0x1800)
            && AllOrNone(xfam, 0x6_0000);
    }

    public ulong Attributes<S>(ref S s)
        where S : struct, IState => s.Memory(Address);

    public ulong Xfam<S>(ref S s)
        where S : struct, IState => s.Memory(Address + 8);

    public int MaxVcpus<S>(ref S s)
        where S : struct, IState => (ushort)s.Memory(Address + 16);

    public int NumL2Vms<S>(ref S s)
        where S : struct, IState => (byte)(s.Memory(Address + 16) >> 16);

    /// <summary>Bit 0: bytes 224 to 231 are the configuration of IA32_ARCH_CAPABILITIES.</summary>
    public int MsrControl<S>(ref S s)
        where S : struct, IState => (byte)(s.Memory(Address + 16) >> 24);

    public ulong EptpControls<S>(ref S s)
        where S : struct, IState => s.Memory(Address + 24);

    public ulong ConfigFlags<S>(ref S s)
        where S : struct, IState => s.Memory(Address + 32);

    public int TscFrequency<S>(ref S s)
        where S : struct, IState => (ushort)s.Memory(Address + 40);

    /// <summary>Bytes from <paramref name="start"/> up to <paramref name="end"/> are 0.</summary>
    public bool IsZero<S>(ref S s, int start, int end)
        where S : struct, IState
    {
        for (int word = start & ~7; word < end; word += 8)
        {
            ulong mask = ulong.MaxValue << (8 * Math.Max(0, start - word));
            mask &= ulong.MaxValue >> (8 * Math.Max(0, word + 8 - end));
            if ((s.Memory(Address + (uint)word) & mask) != 0)
                return false;
        }

        return true;
    }

    /// <summary>The first sub-leaf of CPUID 0x1F with a bit set that is not configurable; -1: none.</summary>
    public int FirstIllegalTopologyLevel<S>(ref S s)
        where S : struct, IState
    {
        const ulong eaxEbx = 0x0000_FFFF_0000_001F;
        const ulong ecxEdx = 0x0000_0000_0000_FFFF;
        for (int level = 0; level < TopologyLevels; level++)
        {
            (ulong low, ulong high) = TopologyLevel(ref s, level);
            if ((low & ~eaxEbx) != 0 || (high & ~ecxEdx) != 0)
                return level;
        }

        return -1;
    }

    /// <summary>CPUID 0x1F: level types ascend, a core level comes before the end; all-zero means the native values.</summary>
    public bool TopologyIsOrdered<S>(ref S s)
        where S : struct, IState
    {
        if (TopologyLevel(ref s, 0) is (0, 0))
        {
            for (int level = 1; level < TopologyLevels; level++)
            {
                if (TopologyLevel(ref s, level) is not (0, 0))
                    return false;
            }

            return true;
        }

        ulong previous = 0;
        bool coreSeen = false;
        for (int level = 0; level < TopologyLevels; level++)
        {
            ulong type = TopologyLevel(ref s, level).High >> 8 & 0xFF;
            if (type == 0)
            {
                if (level == 0 || !coreSeen)
                    return false;
            }
            else if (type <= previous || type >= 6)
            {
                return false;
            }

            coreSeen |= type == CoreLevel;
            previous = type;
        }

        return true;
    }

    private static bool AllOrNone(ulong value, ulong mask) => (value & mask) == 0 || (value & mask) == mask;

    // EAX and EBX, then ECX and EDX.
    private (ulong Low, ulong High) TopologyLevel<S>(ref S s, int level)
        where S : struct, IState
    {
        ulong at = Address + CpuidTopologyStart + (16 * (ulong)level);
        return (s.Memory(at), s.Memory(at + 8));
    }
}
