namespace TdxVerify.Abi;

/// <summary>
/// The platform that a port offers: the keys of a trace header's <c>info</c>, with the same meaning and the same
/// default where a key is absent.
/// </summary>
public sealed record PlatformInfo
{
    /// <summary>Logical processors, 0 to <see cref="LpCount"/> - 1.</summary>
    public int LpCount { get; init; } = 4;

    /// <summary>First HPA of the one TDMR, 2 MiB aligned, in bytes.</summary>
    public ulong PageBase { get; init; } = 0x1_0000_0000;

    /// <summary>4 KiB pages of the TDMR. What lies outside is in no TDMR.</summary>
    public long PageCount { get; init; } = 0x8_0000;

    /// <summary>First private key id that tests may use.</summary>
    public int HkidFirst { get; init; } = 33;

    /// <summary>Private key ids that tests may use.</summary>
    public int HkidCount { get; init; } = 31;

    /// <summary>First private key id of the platform; those below <see cref="HkidFirst"/> are the module's own.</summary>
    public int PrivateHkidFirst { get; init; } = 32;

    /// <summary>Physical address bits.</summary>
    public int MaxPa { get; init; } = 52;

    /// <summary>Lowest address bit of the key id; it reaches up to bit <see cref="MaxPa"/> - 1.</summary>
    public int HkidStartBit { get; init; } = 46;

    /// <summary>Packages, each with its own key table and cache.</summary>
    public int Packages { get; init; } = 1;

    /// <summary>Sub-blocks that TDH.PHYMEM.CACHE.WB walks, one per call while an interrupt is pending.</summary>
    public int CacheSubBlocks { get; init; } = 4;

    /// <summary>Pages that TDH.MNG.INIT needs from TDH.MNG.ADDCX.</summary>
    public int TdcsPages { get; init; } = 6;

    /// <summary>Pages that TDH.VP.INIT needs from TDH.VP.ADDCX, the TDVPR page not counted.</summary>
    public int TdvpxPages { get; init; } = 5;

    /// <summary>The module version that answers.</summary>
    public ModuleProfile Profile { get; init; }

    /// <summary>First HPA behind the TDMR, in bytes.</summary>
    public ulong PageEnd => PageBase + ((ulong)PageCount << Hpa.PageShift);

    /// <summary>The address bits that hold the key id.</summary>
    public ulong HkidMask => (1UL << MaxPa) - (1UL << HkidStartBit);
}
