namespace TdxVerify.Reference;

/// <summary>Page types of the PAMT (facts/pamt.md).</summary>
internal enum PamtPageType : byte
{
    /// <summary>Not assigned.</summary>
    Nda = 0,

    /// <summary>In a reserved area of the TDMR.</summary>
    Reserved = 1,

    /// <summary>A TD private page, at any size.</summary>
    Regular = 3,

    /// <summary>The root page of a TD.</summary>
    Tdr = 4,

    /// <summary>A page of TDCS or TDVPS.</summary>
    Tdcx = 5,

    /// <summary>The root page of a vCPU.</summary>
    Tdvpr = 6,

    /// <summary>An S-EPT page; the root is a <see cref="Tdcx"/> page.</summary>
    Ept = 8,
}
