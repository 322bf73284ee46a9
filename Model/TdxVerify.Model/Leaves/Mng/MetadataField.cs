using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>What becomes of a read of a metadata field.</summary>
internal enum MetadataKnowledge
{
    /// <summary>The module knows no such field in this context.</summary>
    Unknown,

    /// <summary>Known, not readable by the host.</summary>
    NotReadable,

    /// <summary>Known and readable, and the state holds its value.</summary>
    Readable,

    /// <summary>Known and readable, but this project does not model its value.</summary>
    NotModelled,
}

/// <summary>
/// A metadata field id. Bits 23:0 are the field code, 61:56 the class; both together name the field. Bits 31:24, 49:47,
/// 55 and 62 are reserved, 37:34 (last element) and 46:38 (last field) are for lists: all of these must be 0. Size
/// (33:32), increment (50), write mask valid (51), context (54:52, which the leaf decides) and bit 63
/// (non-architectural) are ignored.
/// </summary>
/// <param name="Value">The id, as in RDX.</param>
internal readonly record struct MetadataField(ulong Value)
{
    private const ulong MustBeZero = 0x4083_FFFC_FF00_0000;
    private const int CodeBits = 24;

    // Bits 23:17 of the code of a CPUID_VALUES field are reserved too.
    private const int CpuidReserved = 0xFE_0000;

    /// <summary>Reserved bits, last element and last field are 0.</summary>
    public bool IsLegal => (Value & MustBeZero) == 0;

    /// <summary>The class.</summary>
    public int Class => (int)(Value >> 56) & 0x3F;

    /// <summary>The field code.</summary>
    public int Code => (int)Value & ((1 << CodeBits) - 1);

    /// <summary>Class and field code: what names a field.</summary>
    public int Key => (Class << CodeBits) | Code;

    /// <summary>What becomes of a TDH.MNG.RD of this field.</summary>
    public MetadataKnowledge InTd<S>(ref S s, int td, ModuleProfile profile)
        where S : struct, IState
    {
        if (Class == MetadataTable.CpuidClass)
            return (Code & CpuidReserved) != 0 ? MetadataKnowledge.Unknown : MetadataKnowledge.NotModelled;
        MetadataKnowledge known = Known(MetadataTable.Td(Class, profile), IsDebug(ref s, td));
        return known == MetadataKnowledge.Readable && !MetadataValue.TryReadTd(ref s, td, this, out _)
            ? MetadataKnowledge.NotModelled
            : known;
    }

    /// <summary>What becomes of a TDH.VP.RD of this field.</summary>
    public MetadataKnowledge InVcpu<S>(ref S s, int td, int vcpu)
        where S : struct, IState
    {
        MetadataKnowledge known = Known(MetadataTable.Vcpu(Class), IsDebug(ref s, td));

        // VMCS fields: odd codes name the upper half and are refused; of the others, the processor's VMREAD decides.
        if (Class == MetadataTable.VmcsClass)
            return known == MetadataKnowledge.Unknown || (Code & 1) != 0 ? MetadataKnowledge.Unknown : MetadataKnowledge.NotModelled;
        return known == MetadataKnowledge.Readable && !MetadataValue.TryReadVcpu(ref s, td, vcpu, this, out _)
            ? MetadataKnowledge.NotModelled
            : known;
    }

    private static bool IsDebug<S>(ref S s, int td)
        where S : struct, IState => (s.Td(td, TdField.Attributes) & 1) != 0;

    private MetadataKnowledge Known(ReadOnlySpan<MetadataRange> ranges, bool debug)
    {
        foreach (MetadataRange range in ranges)
        {
            if (Code >= range.First && Code < range.First + range.Count)
            {
                return range.ReadableBy == MetadataReader.Host || (range.ReadableBy == MetadataReader.HostOfDebugTd && debug)
                    ? MetadataKnowledge.Readable
                    : MetadataKnowledge.NotReadable;
            }
        }

        return MetadataKnowledge.Unknown;
    }
}
