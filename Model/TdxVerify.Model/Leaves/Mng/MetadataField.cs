using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>What is known of a metadata field id.</summary>
internal enum MetadataKnowledge
{
    /// <summary>The module knows no such field in this context.</summary>
    Unknown,

    /// <summary>The module may know it; this project does not model it.</summary>
    NotModelled,

    /// <summary>Known, not readable by the host.</summary>
    NotReadable,

    /// <summary>Known and readable.</summary>
    Readable,
}

/// <summary>
/// The metadata fields that the state holds. In look-ups bit 63 of a field id is ignored (facts/profile-1.5.05.md).
/// </summary>
internal static class MetadataField
{
    private const ulong IdMask = ~(1UL << 63);
    private const ulong ClassMask = 0x3F00_0000_0000_0000;

    // Bits 23:0 field code, 33:32 size code, 37:34 last element, 46:38 last field, 50:47 reserved, 51 write mask
    // valid, 54:52 context, 55 reserved, 61:56 class, 62 reserved, 63 non-architectural.
    private const ulong MustBeZero = (0xFUL << 34) | (0x1FFUL << 38) | (0xFUL << 47) | (1UL << 55) | (1UL << 62) | (0xFFUL << 24);

    private const ulong NumVcpus = 0x1010_0002_0000_0001;
    private const ulong AssociatedVcpus = 0x1010_0002_0000_0002;
    private const ulong OpStateId = 0x1010_0002_0000_0004;
    private const ulong TdEpoch = 0x1210_0003_0000_0000;
    private const ulong ChildCount = 0x0010_0003_0000_0004;
    private const ulong Attributes = 0x1110_0003_0000_0000;
    private const ulong TopologyEnumConfigured = 0x1110_0000_0000_0019;
    private const ulong X2ApicIds = 0x1C10_0002_0000_0000;
    private const int X2ApicIdCount = 576;

    private const ulong VcpuEpoch = 0x2020_0003_0000_0006;
    private const ulong VcpuIndex = 0x2020_0002_0000_0002;
    private const ulong VcpuNotReadable = 0x2020_0003_0000_0000;

    public static bool IdIsLegal(ulong id) => (id & MustBeZero) == 0;

    public static MetadataKnowledge KnownTdField(ulong id, ModuleProfile profile)
    {
        switch (id & IdMask)
        {
            case NumVcpus or AssociatedVcpus or OpStateId or TdEpoch or ChildCount or Attributes:
                return MetadataKnowledge.Readable;
            case TopologyEnumConfigured:
            case >= X2ApicIds and < X2ApicIds + X2ApicIdCount:
                return profile == ModuleProfile.V1_5_05 ? MetadataKnowledge.Readable : MetadataKnowledge.Unknown;
            default:
                return TdClassExists(id) ? MetadataKnowledge.NotModelled : MetadataKnowledge.Unknown;
        }
    }

    public static ulong TdValue<S>(ref S s, int td, ulong id)
        where S : struct, IState => (id & IdMask) switch
        {
            NumVcpus => s.Td(td, TdField.NumVcpus),
            AssociatedVcpus => s.Td(td, TdField.AssociatedVcpus),
            OpStateId => s.Td(td, TdField.OpState),
            TdEpoch => s.Td(td, TdField.Epoch),
            ChildCount => s.Td(td, TdField.ChildCount),
            Attributes => s.Td(td, TdField.Attributes),
            TopologyEnumConfigured => s.Td(td, TdField.TopologyEnumConfigured),
            _ => s.X2ApicId(td, (int)(uint)id),
        };

    public static MetadataKnowledge KnownVcpuField(ulong id) => (id & IdMask) switch
    {
        VcpuEpoch or VcpuIndex => MetadataKnowledge.Readable,
        VcpuNotReadable => MetadataKnowledge.NotReadable,
        _ => VcpuClassExists(id) ? MetadataKnowledge.NotModelled : MetadataKnowledge.Unknown,
    };

    public static ulong VcpuValue<S>(ref S s, int vcpu, ulong id)
        where S : struct, IState => (id & IdMask) == VcpuEpoch
            ? s.Vcpu(vcpu, VcpuField.Epoch)
            : s.Vcpu(vcpu, VcpuField.Index);

    private static bool TdClassExists(ulong id) =>
        (id >> 52 & 7) == 1 && (id & ClassMask) >> 56 is 0x00 or 0x01 or 0x02 or (>= 0x10 and <= 0x1C) or 0x20;

    private static bool VcpuClassExists(ulong id) => (id >> 52 & 7) == 2 && (id & ClassMask) >> 56 <= 0x36;
}
