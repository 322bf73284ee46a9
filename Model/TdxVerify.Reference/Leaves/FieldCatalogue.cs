using static TdxVerify.Reference.FieldReader;

namespace TdxVerify.Reference;

/// <summary>Who may read a metadata field.</summary>
internal enum FieldReader : byte
{
    /// <summary>There is no such field.</summary>
    NoField,

    /// <summary>Nobody.</summary>
    Nobody,

    /// <summary>The host, of a TD with ATTRIBUTES.DEBUG.</summary>
    DebugHost,

    /// <summary>The host.</summary>
    Host,
}

/// <summary>
/// The metadata fields of a TD without L2 VMs and of its vCPUs, by class (8 bits) and field code (24 bits), and who may
/// read them: extracted from the look-up tables in the module's published source, 1.5.01, with those of
/// facts/profile-1.5.05.md. The values of CPUID_VALUES and of the TD VMCS depend on the processor and are not modelled.
/// </summary>
internal static class FieldCatalogue
{
    private const int ClassShift = 56;
    private const uint CodeMask = 0xFF_FFFF;
    private const int KeyClassShift = 24;
    private const uint ClassMask = 0x3F;

    private const uint CpuidClass = 0x14;
    private const uint CpuidReservedCode = 0xFE_0000;
    private const uint VmcsClass = 0;

    private static readonly FieldRange[] s_td =
    [
        new(0x00_000001, 0x00_000002, Host), new(0x00_000004, 0x00_000005, Host), new(0x00_000010, 0x00_000018, Host),
        new(0x00_000020, 0x00_000023, Host), new(0x01_000001, 0x01_000002, Host), new(0x02_000000, 0x02_000001, Host),
        new(0x02_000002, 0x02_000005, Nobody), new(0x10_000001, 0x10_000002, Host), new(0x10_000004, 0x10_000005, Host),
        new(0x11_000000, 0x11_000004, Host), new(0x11_00000A, 0x11_00000C, Host), new(0x11_00000D, 0x11_00000D, Nobody),
        new(0x11_00000E, 0x11_00000F, Host), new(0x11_000010, 0x11_000010, DebugHost), new(0x11_000011, 0x11_000016, Host),
        new(0x11_000017, 0x11_000017, DebugHost), new(0x11_000080, 0x11_0000CF, DebugHost),
        new(0x11_000800, 0x11_000812, Host), new(0x12_000000, 0x12_000002, Host), new(0x13_000000, 0x13_000005, Host),
        new(0x13_000010, 0x13_000015, Host), new(0x13_000018, 0x13_00001D, Host), new(0x13_000020, 0x13_000025, Host),
        new(0x13_000040, 0x13_000057, DebugHost), new(0x16_00010A, 0x16_00010A, DebugHost),
        new(0x16_000480, 0x16_000480, DebugHost), new(0x16_000485, 0x16_000489, DebugHost),
        new(0x16_00048B, 0x16_000493, DebugHost), new(0x18_000001, 0x18_000006, Host),
        new(0x18_000010, 0x18_00001F, DebugHost), new(0x18_000020, 0x18_000021, Host), new(0x18_000030, 0x18_000032, Host),
        new(0x18_000034, 0x18_000034, Host), new(0x18_000040, 0x18_000043, Host), new(0x19_000000, 0x19_000006, Host),
        new(0x19_000080, 0x19_00008F, Host), new(0x1A_000000, 0x1A_0001FF, Host), new(0x20_000000, 0x20_0001FF, DebugHost),
        new(0x21_000000, 0x21_0001FF, DebugHost),
    ];

    private static readonly FieldRange[] s_tdOf1505 = [new(0x11_000019, 0x11_000019, Host), new(0x1C_000000, 0x1C_00023F, Host)];

    private static readonly FieldRange[] s_vcpu =
    [
        new(0x01_000000, 0x01_00007F, DebugHost), new(0x02_000000, 0x02_000005, DebugHost),
        new(0x02_000010, 0x02_000011, DebugHost), new(0x10_000000, 0x10_000003, DebugHost),
        new(0x10_000004, 0x10_000004, Nobody), new(0x10_000005, 0x10_00000F, DebugHost),
        new(0x11_000000, 0x11_000003, DebugHost), new(0x11_000006, 0x11_000006, DebugHost),
        new(0x11_000020, 0x11_000020, DebugHost), new(0x11_000028, 0x11_000028, DebugHost),
        new(0x11_000100, 0x11_000100, Host), new(0x12_000000, 0x12_0005FF, DebugHost),
        new(0x13_000048, 0x13_000048, DebugHost), new(0x13_0000E1, 0x13_0000E1, DebugHost),
        new(0x13_000122, 0x13_000122, DebugHost), new(0x13_000186, 0x13_00018D, DebugHost),
        new(0x13_0001A6, 0x13_0001A7, DebugHost), new(0x13_0001C4, 0x13_0001C5, DebugHost),
        new(0x13_000309, 0x13_00030F, DebugHost), new(0x13_000329, 0x13_000329, DebugHost),
        new(0x13_00038D, 0x13_00038E, DebugHost), new(0x13_0003F1, 0x13_0003F2, DebugHost),
        new(0x13_0003F6, 0x13_0003F7, DebugHost), new(0x13_0004C1, 0x13_0004C8, DebugHost),
        new(0x13_000600, 0x13_000600, DebugHost), new(0x13_000DA0, 0x13_000DA0, DebugHost),
        new(0x13_0014CF, 0x13_0014CF, DebugHost), new(0x13_001B01, 0x13_001B01, DebugHost),
        new(0x13_002081, 0x13_002082, DebugHost), new(0x13_002084, 0x13_002084, DebugHost),
        new(0x13_002102, 0x13_002103, DebugHost), new(0x20_000000, 0x20_000000, DebugHost),
        new(0x20_000002, 0x20_000004, Host), new(0x20_000006, 0x20_000008, Host), new(0x20_00000A, 0x20_00000A, DebugHost),
        new(0x20_00000B, 0x20_00000C, Host), new(0x20_00000D, 0x20_00000F, DebugHost), new(0x20_000010, 0x20_00001E, Host),
        new(0x20_000030, 0x20_000032, DebugHost), new(0x20_000040, 0x20_000042, DebugHost),
        new(0x20_000044, 0x20_00005F, DebugHost), new(0x20_000080, 0x20_00009F, DebugHost),
        new(0x20_0000A4, 0x20_0000B7, DebugHost), new(0x20_000100, 0x20_000117, DebugHost),
        new(0x21_000000, 0x21_00007F, DebugHost), new(0x22_000200, 0x22_00021F, DebugHost),
    ];

    // Codes of VMREAD that the TD VMCS has, whoever may read them. They are even: an odd code names the upper half of a field.
    private static readonly FieldRange[] s_vmcs =
    [
        new(0x00_000000, 0x00_000006, Host), new(0x00_000800, 0x00_000814, Host), new(0x00_002000, 0x00_00202E, Host),
        new(0x00_002032, 0x00_002040, Host), new(0x00_00204A, 0x00_00204C, Host), new(0x00_002400, 0x00_002400, Host),
        new(0x00_002800, 0x00_002810, Host), new(0x00_002814, 0x00_002818, Host), new(0x00_004000, 0x00_004026, Host),
        new(0x00_004400, 0x00_00440E, Host), new(0x00_004800, 0x00_00482A, Host), new(0x00_00482E, 0x00_00482E, Host),
        new(0x00_006000, 0x00_00600E, Host), new(0x00_006400, 0x00_00640A, Host), new(0x00_006800, 0x00_00682C, Host),
        new(0x00_006C08, 0x00_006C08, Host), new(0x00_006C14, 0x00_006C16, Host), new(0x00_006C1A, 0x00_006C1A, Host),
    ];

    /// <summary>Class and field code of an id: they name the field.</summary>
    public static uint KeyOf(ulong id) => ((uint)(id >> ClassShift) & ClassMask) << KeyClassShift | ((uint)id & CodeMask);

    /// <summary>CPUID_VALUES of the TD context; an id with reserved bits in its code names no field.</summary>
    public static bool IsCpuidValue(uint key) => key >> KeyClassShift == CpuidClass && (key & CpuidReservedCode) == 0;

    /// <summary>A field of the TD VMCS, in the vCPU context.</summary>
    public static bool IsVmcs(uint key) => key >> KeyClassShift == VmcsClass && (key & 1) == 0 && Find(s_vmcs, key) != NoField;

    /// <summary>Who may read a field of the TD context.</summary>
    public static FieldReader OfTd(uint key, bool is1505)
    {
        FieldReader reader = Find(s_td, key);
        return reader == NoField && is1505 ? Find(s_tdOf1505, key) : reader;
    }

    /// <summary>Who may read a field of the vCPU context.</summary>
    public static FieldReader OfVcpu(uint key) => Find(s_vcpu, key);

    // The last range that starts at or before the key: they are in order.
    private static FieldReader Find(FieldRange[] ranges, uint key)
    {
        int low = 0;
        int high = ranges.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (ranges[middle].First <= key)
                low = middle + 1;
            else
                high = middle;
        }

        return low > 0 && key <= ranges[low - 1].Last ? ranges[low - 1].Reader : NoField;
    }

    private readonly record struct FieldRange(uint First, uint Last, FieldReader Reader);
}
