using TdxVerify.Abi;
using static TdxVerify.Model.MetadataReader;

namespace TdxVerify.Model;

/// <summary>Who may read a metadata field by TDH.MNG.RD or TDH.VP.RD.</summary>
internal enum MetadataReader
{
    /// <summary>Nobody.</summary>
    Nobody,

    /// <summary>The host, if ATTRIBUTES.DEBUG is set.</summary>
    HostOfDebugTd,

    /// <summary>The host.</summary>
    Host,
}

/// <summary>Fields with successive codes, elements counted, that the host may read alike.</summary>
/// <param name="Class">Their class.</param>
/// <param name="First">The first field code.</param>
/// <param name="Count">How many codes.</param>
/// <param name="ReadableBy">Who may read them.</param>
internal readonly record struct MetadataRange(int Class, int First, int Count, MetadataReader ReadableBy);

/// <summary>
/// The metadata fields that the module knows, in the contexts TD (TDR and TDCS) and vCPU (TDVPS), for a TD without L2
/// VMs (source: the module's published metadata tables, 1.5.01; facts/profile-1.5.05.md for what 1.5.05 adds).
/// </summary>
internal static class MetadataTable
{
    /// <summary>CPUID_VALUES, in the TD context: its codes name leaf and sub-leaf.</summary>
    public const int CpuidClass = 0x14;

    /// <summary>TD VMCS, in the vCPU context: its codes are those of VMREAD.</summary>
    public const int VmcsClass = 0;

    private const int Classes = 64;

    private static readonly MetadataRange[] s_td =
    [
        new(0x00, 0x1, 2, Host), new(0x00, 0x4, 2, Host), new(0x00, 0x10, 9, Host), new(0x00, 0x20, 4, Host),
        new(0x01, 0x1, 2, Host),
        new(0x02, 0x0, 2, Host), new(0x02, 0x2, 4, Nobody),
        new(0x10, 0x1, 2, Host), new(0x10, 0x4, 2, Host),
        new(0x11, 0x0, 5, Host), new(0x11, 0xA, 3, Host), new(0x11, 0xD, 1, Nobody), new(0x11, 0xE, 2, Host),
        new(0x11, 0x10, 1, HostOfDebugTd), new(0x11, 0x11, 6, Host), new(0x11, 0x17, 1, HostOfDebugTd),
        new(0x11, 0x80, 80, HostOfDebugTd), new(0x11, 0x800, 19, Host),
        new(0x12, 0x0, 3, Host),
        new(0x13, 0x0, 6, Host), new(0x13, 0x10, 6, Host), new(0x13, 0x18, 6, Host), new(0x13, 0x20, 6, Host),
        new(0x13, 0x40, 24, HostOfDebugTd),
        new(0x16, 0x10A, 1, HostOfDebugTd), new(0x16, 0x480, 1, HostOfDebugTd), new(0x16, 0x485, 5, HostOfDebugTd),
        new(0x16, 0x48B, 9, HostOfDebugTd),
        new(0x18, 0x1, 6, Host), new(0x18, 0x10, 16, HostOfDebugTd), new(0x18, 0x20, 2, Host),
        new(0x18, 0x30, 3, Host), new(0x18, 0x34, 1, Host), new(0x18, 0x40, 4, Host),
        new(0x19, 0x0, 7, Host), new(0x19, 0x80, 16, Host),
        new(0x1A, 0x0, 512, Host),
        new(0x20, 0x0, 512, HostOfDebugTd),
        new(0x21, 0x0, 512, HostOfDebugTd),
    ];

    private static readonly MetadataRange[] s_tdOf1505 = [new(0x11, 0x19, 1, Host), new(0x1C, 0x0, 576, Host)];

    private static readonly MetadataRange[] s_vcpu =
    [
        new(0x01, 0x0, 128, HostOfDebugTd),
        new(0x02, 0x0, 6, HostOfDebugTd), new(0x02, 0x10, 2, HostOfDebugTd),
        new(0x10, 0x0, 4, HostOfDebugTd), new(0x10, 0x4, 1, Nobody), new(0x10, 0x5, 11, HostOfDebugTd),
        new(0x11, 0x0, 4, HostOfDebugTd), new(0x11, 0x6, 1, HostOfDebugTd), new(0x11, 0x20, 1, HostOfDebugTd),
        new(0x11, 0x28, 1, HostOfDebugTd), new(0x11, 0x100, 1, Host),
        new(0x12, 0x0, 1536, HostOfDebugTd),
        new(0x13, 0x48, 1, HostOfDebugTd), new(0x13, 0xE1, 1, HostOfDebugTd), new(0x13, 0x122, 1, HostOfDebugTd),
        new(0x13, 0x186, 8, HostOfDebugTd), new(0x13, 0x1A6, 2, HostOfDebugTd), new(0x13, 0x1C4, 2, HostOfDebugTd),
        new(0x13, 0x309, 7, HostOfDebugTd), new(0x13, 0x329, 1, HostOfDebugTd), new(0x13, 0x38D, 2, HostOfDebugTd),
        new(0x13, 0x3F1, 2, HostOfDebugTd), new(0x13, 0x3F6, 2, HostOfDebugTd), new(0x13, 0x4C1, 8, HostOfDebugTd),
        new(0x13, 0x600, 1, HostOfDebugTd), new(0x13, 0xDA0, 1, HostOfDebugTd), new(0x13, 0x14CF, 1, HostOfDebugTd),
        new(0x13, 0x1B01, 1, HostOfDebugTd), new(0x13, 0x2081, 2, HostOfDebugTd), new(0x13, 0x2084, 1, HostOfDebugTd),
        new(0x13, 0x2102, 2, HostOfDebugTd),
        new(0x20, 0x0, 1, HostOfDebugTd), new(0x20, 0x2, 3, Host), new(0x20, 0x6, 3, Host),
        new(0x20, 0xA, 1, HostOfDebugTd), new(0x20, 0xB, 2, Host), new(0x20, 0xD, 3, HostOfDebugTd),
        new(0x20, 0x10, 15, Host), new(0x20, 0x30, 3, HostOfDebugTd), new(0x20, 0x40, 3, HostOfDebugTd),
        new(0x20, 0x44, 28, HostOfDebugTd), new(0x20, 0x80, 32, HostOfDebugTd), new(0x20, 0xA4, 20, HostOfDebugTd),
        new(0x20, 0x100, 24, HostOfDebugTd),
        new(0x21, 0x0, 128, HostOfDebugTd),
        new(0x22, 0x200, 32, HostOfDebugTd),
    ];

    // Only whether a field exists counts here: who may read it is not modelled.
    private static readonly MetadataRange[] s_vmcs =
    [
        new(0x00, 0x0, 8, Host), new(0x00, 0x800, 22, Host), new(0x00, 0x2000, 48, Host), new(0x00, 0x2032, 16, Host),
        new(0x00, 0x204A, 4, Host), new(0x00, 0x2400, 2, Host), new(0x00, 0x2800, 18, Host),
        new(0x00, 0x2814, 6, Host), new(0x00, 0x4000, 40, Host), new(0x00, 0x4400, 16, Host),
        new(0x00, 0x4800, 44, Host), new(0x00, 0x482E, 2, Host), new(0x00, 0x6000, 16, Host),
        new(0x00, 0x6400, 12, Host), new(0x00, 0x6800, 46, Host), new(0x00, 0x6C08, 2, Host),
        new(0x00, 0x6C14, 4, Host), new(0x00, 0x6C1A, 2, Host),
    ];

    private static readonly MetadataRange[][] s_tdByClass = ByClass(s_td);
    private static readonly MetadataRange[][] s_tdOf1505ByClass = ByClass([.. s_td, .. s_tdOf1505]);
    private static readonly MetadataRange[][] s_vcpuByClass = ByClass([.. s_vcpu, .. s_vmcs]);

    /// <summary>The fields of a class in the TD context.</summary>
    public static ReadOnlySpan<MetadataRange> Td(int fieldClass, ModuleProfile profile) =>
        (profile == ModuleProfile.V1_5_05 ? s_tdOf1505ByClass : s_tdByClass)[fieldClass];

    /// <summary>The fields of a class in the vCPU context.</summary>
    public static ReadOnlySpan<MetadataRange> Vcpu(int fieldClass) => s_vcpuByClass[fieldClass];

    private static MetadataRange[][] ByClass(MetadataRange[] ranges) =>
        [.. Enumerable.Range(0, Classes).Select(number => ranges.Where(range => range.Class == number).ToArray())];
}
