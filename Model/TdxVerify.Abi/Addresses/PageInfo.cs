namespace TdxVerify.Abi;

/// <summary>
/// The packed operand of the S-EPT leaves (RCX): level in bits 2:0, GPA in bits 51:12, all else reserved
/// (facts/leaves.csv).
/// </summary>
/// <param name="Value">The register.</param>
public readonly record struct PageInfo(ulong Value)
{
    /// <summary>Bits that must be 0: 11:3 and 63:52.</summary>
    public const ulong ReservedMask = 0xFFF0_0000_0000_0FF8;

    /// <summary>The operand for an entry of the S-EPT.</summary>
    public static PageInfo Of(ulong gpa, int level) => new(gpa | (uint)level);

    /// <summary>The level as given, 0 to 7.</summary>
    public int Level => (int)(Value & 7);

    /// <summary>The GPA as given, bits 51:12.</summary>
    public ulong Gpa => Value & 0x000F_FFFF_FFFF_F000;

    /// <summary>All reserved bits are 0.</summary>
    public bool ReservedAreZero => (Value & ReservedMask) == 0;

    /// <inheritdoc/>
    public override string ToString() => $"{Gpa:x}/{Level}";
}
