using TdxVerify.Abi;

namespace TdxVerify.Properties.Generation;

/// <summary>Keeps generated calls within what is modelled: what the module would read there is defined by the state.</summary>
internal static class Scope
{
    // Pages at the end of the lower half of the TDMR, which the world never gives to a TD.
    private const int ReservedPages = 16;

    // Bit 62 of a field id is reserved.
    private const ulong ReservedBit = 1UL << 62;

    // No context has this class of fields.
    private const ulong UnknownClass = 0x3FUL << 56;

    /// <summary>
    /// TD fields that TDH.MNG.RD is asked for; some are of profile 1.5.05. Of the last four, one is readable for a debug TD
    /// only, one for nobody, one is unknown, and one is no field id.
    /// </summary>
    public static ReadOnlySpan<ulong> TdFields =>
    [
        0x9010000200000001, 0x9010000200000002, 0x9010000200000004, 0x9210000300000000, 0x8010000300000004,
        0x1110000300000000, 0x9110000000000019, 0x9C10000200000000, 0x9C10000200000002, 0x9210000100000001, 0x9210000100000002,
        0x9110000300000017, 0x111000030000000D, UnknownClass | 1, ReservedBit | 0x9010000200000001,
    ];

    /// <summary>
    /// vCPU fields that TDH.VP.RD is asked for. Of the last three, one is not readable, one is unknown, and one is no field id.
    /// </summary>
    public static ReadOnlySpan<ulong> VcpuFields =>
        [0xA020000300000006, 0xA020000200000002, 0xA020000300000000, UnknownClass | 1, ReservedBit | 0xA020000200000002];

    /// <summary>Where TD_PARAMS are written.</summary>
    public static ulong ParametersAddress(PlatformInfo platform) => ReservedStart(platform);

    /// <summary>The page that TDH.MEM.PAGE.ADD copies.</summary>
    public static ulong SourceAddress(PlatformInfo platform) => ReservedStart(platform) + (2 * Hpa.PageSize);

    /// <summary>First page that is not given to TDs, counted from the start of the TDMR.</summary>
    public static int FirstReservedPage(PlatformInfo platform) => (int)(platform.PageCount >> 1) - ReservedPages;

    /// <summary>Alters what is not modelled: version 1 of the RD leaves, other fields, TD_PARAMS in a page of a TD.</summary>
    public static void Keep(PlatformInfo platform, ref RegisterFile registers)
    {
        switch ((HostLeaf)LeafNames.Number(registers.Rax))
        {
            case HostLeaf.TDH_MNG_RD:
                KeepField(ref registers, TdFields);
                break;
            case HostLeaf.TDH_VP_RD:
                KeepField(ref registers, VcpuFields);
                break;
            case HostLeaf.TDH_MNG_INIT:
                ulong offset = (registers.Rdx & ~platform.HkidMask) - ReservedStart(platform);
                if (offset >= ReservedPages * (ulong)Hpa.PageSize)
                    registers.Rdx |= 1;
                break;
            default:
                break;
        }
    }

    private static ulong ReservedStart(PlatformInfo platform) =>
        platform.PageBase + ((ulong)FirstReservedPage(platform) << Hpa.PageShift);

    // A version from 2 on is refused by the leaf itself; only 1 would be carried out.
    private static void KeepField(ref RegisterFile registers, ReadOnlySpan<ulong> fields)
    {
        if (LeafNames.Version(registers.Rax) == 1)
            registers.Rax ^= 1UL << 16;
        if (!fields.Contains(registers.Rdx))
            registers.Rdx = fields[(int)(registers.Rdx % (uint)fields.Length)];
    }
}
