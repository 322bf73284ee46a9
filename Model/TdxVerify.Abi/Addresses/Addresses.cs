namespace TdxVerify.Abi;

/// <summary>
/// A host physical address (HPA): 52 bits, of which the top ones (51:<see cref="PlatformInfo.HkidStartBit"/>)
/// hold the host key id (HKID).
/// </summary>
/// <param name="Value">The address, in bytes.</param>
public readonly record struct Hpa(ulong Value)
{
    /// <summary>log2 of a 4 KiB page.</summary>
    public const int PageShift = 12;

    /// <summary>Bytes in a 4 KiB page.</summary>
    public const int PageSize = 4096;

    /// <summary>The 4 KiB frame number.</summary>
    public ulong Frame => Value >> PageShift;

    /// <summary>The address of a 4 KiB frame.</summary>
    public static Hpa OfFrame(ulong frame) => new(frame << PageShift);

    /// <inheritdoc/>
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>A guest physical address (GPA) of a TD, SHARED bit included.</summary>
/// <param name="Value">The address, in bytes.</param>
public readonly record struct Gpa(ulong Value)
{
    /// <summary>The bit that makes a GPA shared: 47, or 51 where GPAW is 1 (52-bit guest addresses).</summary>
    public static int SharedBit(bool gpaw) => gpaw ? 51 : 47;

    /// <inheritdoc/>
    public override string ToString() => $"0x{Value:x}";
}
