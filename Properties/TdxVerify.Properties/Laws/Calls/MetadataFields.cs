using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>Metadata fields that TDH.MNG.RD and TDH.VP.RD are asked for (the trace format's table of fields, facts/epoch.md).</summary>
internal enum MetadataField
{
    None, Hidden, NumVcpus, AssociatedVcpus, OpState, TdEpoch, RefCountEven, RefCountOdd, ChildCount, Attributes, TopologyEnumConfigured, X2ApicId, VcpuEpoch, VcpuIndex,
}

/// <summary>Field ids and the values behind them. Bit 63 of an id is ignored (facts/profile-1.5.05.md).</summary>
internal static class MetadataFields
{
    private const ulong NonArchitectural = 1UL << 63;
    private const ulong X2ApicIds = 0x1C10_0002_0000_0000;
    private const ulong X2ApicSlots = 576;

    // No context has this class of fields.
    private const ulong UnknownClass = 0x3F;

    // Reserved bits, and the parts for lists: last element (37:34) and last field (46:38).
    private const ulong ReservedOrList = 0x4083_FFFC_FF00_0000;

    /// <summary>The laws know what becomes of this field id; of other fields they say nothing.</summary>
    public static bool IsCovered(ulong id, bool ofVcpu) =>
        IsMalformed(id) || (id >> 56 & UnknownClass) == UnknownClass || Find(id, ofVcpu, ModuleProfile.V1_5_05) != MetadataField.None;

    public static bool IsMalformed(ulong id) => (id & ReservedOrList) != 0;

    public static MetadataField Find(ulong id, bool ofVcpu, ModuleProfile profile)
    {
        id &= ~NonArchitectural;
        if (ofVcpu)
        {
            return id switch
            {
                0x2020_0003_0000_0006 => MetadataField.VcpuEpoch,
                0x2020_0002_0000_0002 => MetadataField.VcpuIndex,
                0x2020_0003_0000_0000 => MetadataField.Hidden,
                _ => MetadataField.None,
            };
        }

        bool is5 = profile == ModuleProfile.V1_5_05;
        return id switch
        {
            0x1010_0002_0000_0001 => MetadataField.NumVcpus,
            0x1010_0002_0000_0002 => MetadataField.AssociatedVcpus,
            0x1010_0002_0000_0004 => MetadataField.OpState,
            0x1210_0003_0000_0000 => MetadataField.TdEpoch,
            0x1210_0001_0000_0001 => MetadataField.RefCountEven,
            0x1210_0001_0000_0002 => MetadataField.RefCountOdd,
            0x1110_0003_0000_000D => MetadataField.Hidden,
            0x0010_0003_0000_0004 => MetadataField.ChildCount,
            0x1110_0003_0000_0000 => MetadataField.Attributes,
            0x1110_0000_0000_0019 when is5 => MetadataField.TopologyEnumConfigured,
            >= X2ApicIds and < X2ApicIds + X2ApicSlots when is5 => MetadataField.X2ApicId,
            _ => MetadataField.None,
        };
    }

    public static ulong Value(CallFacts c, MetadataField field) => field switch
    {
        MetadataField.NumVcpus => c.Of(TdField.NumVcpus),
        MetadataField.AssociatedVcpus => c.Of(TdField.AssociatedVcpus),
        MetadataField.OpState => c.Of(TdField.OpState),
        MetadataField.TdEpoch => c.Of(TdField.Epoch),
        MetadataField.RefCountEven => c.Of(TdField.RefCountEven),
        MetadataField.RefCountOdd => c.Of(TdField.RefCountOdd),
        MetadataField.ChildCount => c.Of(TdField.ChildCount),
        MetadataField.Attributes => c.Of(TdField.Attributes),
        MetadataField.TopologyEnumConfigured => c.Of(TdField.TopologyEnumConfigured),
        MetadataField.X2ApicId => c.S.X2ApicId(c.Td, (int)(uint)c.In.Rdx),
        MetadataField.VcpuEpoch => c.Of(VcpuField.Epoch),
        MetadataField.VcpuIndex => c.Of(VcpuField.Index),
        _ => 0,
    };
}
