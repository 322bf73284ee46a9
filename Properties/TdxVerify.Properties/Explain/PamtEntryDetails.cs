namespace TdxVerify.Properties.Explain;

/// <summary>
/// The PAMT entry that TDH.PHYMEM.PAGE.RECLAIM reports in RCX (page type), RDX (owner) and R8 (size), once it has
/// got as far as checking the type (facts/leaves.csv, facts/pamt.md).
/// </summary>
/// <param name="Type">RCX: the page type.</param>
/// <param name="Owner">RDX: HPA of the TDR page that owns it.</param>
/// <param name="Size">R8: 0 4 KiB, 1 2 MiB, 2 1 GiB; null where the message has no R8.</param>
public sealed record PamtEntryDetails(ulong Type, ulong Owner, ulong? Size)
{
    /// <summary>The type's name, such as <c>PT_EPT</c>.</summary>
    public string TypeName => Type switch
    {
        0 => "PT_NDA",
        1 => "PT_RSVD",
        3 => "PT_REG",
        4 => "PT_TDR",
        5 => "PT_TDCX",
        6 => "PT_TDVPR",
        8 => "PT_EPT",
        _ => $"unknown page type {Type}",
    };

    /// <summary>The entry; null where all registers are 0: it failed before the type was checked.</summary>
    public static PamtEntryDetails? Decode(ulong rcx, ulong rdx, ulong? r8) =>
        (rcx | rdx | (r8 ?? 0)) == 0 ? null : new PamtEntryDetails(rcx, rdx, r8);

    /// <summary>Whether a leaf reports such an entry when it fails.</summary>
    public static bool IsReportedBy(string leaf) => leaf == "TDH.PHYMEM.PAGE.RECLAIM";

    /// <summary>In one line.</summary>
    public override string ToString()
    {
        string owner = Owner == 0 ? "no owner" : $"owned by the TD with TDR 0x{Owner:x}";
        return Size is { } size ? $"{TypeName}, {SeptEntryDetails.LevelName((int)size)}, {owner}" : $"{TypeName}, {owner}";
    }
}
