using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>A number of a header's <c>info</c>: its key, the values that are accepted, and where it belongs.</summary>
internal sealed record PlatformKey(
    string Name,
    bool Hex,
    ulong Minimum,
    ulong Maximum,
    Func<PlatformInfo, ulong> Get,
    Func<PlatformInfo, ulong, PlatformInfo> Set);

/// <summary>The numbers of a header's <c>info</c>. An absent one has the default of <see cref="PlatformInfo"/>.</summary>
internal static class PlatformKeys
{
    // The limits are generous for test platforms and keep a damaged header from asking for all memory there is.
    private const ulong MaximumPages = 1 << 24;

    public static readonly PlatformKey[] All =
    [
        new("lps", false, 1, 1024, p => (ulong)p.LpCount, (p, v) => p with { LpCount = (int)v }),
        new("pageBase", true, 0, (1UL << 52) - 1, p => p.PageBase, (p, v) => p with { PageBase = v }),
        new("pageCount", false, 1, MaximumPages, p => (ulong)p.PageCount, (p, v) => p with { PageCount = (long)v }),
        new("hkidFirst", false, 0, 0xFFFF, p => (ulong)p.HkidFirst, (p, v) => p with { HkidFirst = (int)v }),
        new("hkidCount", false, 1, 0xFFFF, p => (ulong)p.HkidCount, (p, v) => p with { HkidCount = (int)v }),
        new("tdcsPages", false, 1, 64, p => (ulong)p.TdcsPages, (p, v) => p with { TdcsPages = (int)v }),
        new("tdvpxPages", false, 0, 64, p => (ulong)p.TdvpxPages, (p, v) => p with { TdvpxPages = (int)v }),
        new("privateHkidFirst", false, 0, 0xFFFF, p => (ulong)p.PrivateHkidFirst, (p, v) => p with { PrivateHkidFirst = (int)v }),
        new("maxPa", false, 36, 52, p => (ulong)p.MaxPa, (p, v) => p with { MaxPa = (int)v }),
        new("hkidStartBit", false, 32, 52, p => (ulong)p.HkidStartBit, (p, v) => p with { HkidStartBit = (int)v }),
        new("packages", false, 1, 64, p => (ulong)p.Packages, (p, v) => p with { Packages = (int)v }),
        new("cacheSubBlocks", false, 1, 65536, p => (ulong)p.CacheSubBlocks, (p, v) => p with { CacheSubBlocks = (int)v }),
    ];

    /// <summary>The number with this key.</summary>
    public static PlatformKey Find(string name) => Array.Find(All, key => key.Name == name)!;

    /// <summary>What is inconsistent in a platform, in words; null where nothing is.</summary>
    public static string? Inconsistency(PlatformInfo platform)
    {
        if (platform.PageBase % (2 * 1024 * 1024) != 0)
            return $"pageBase 0x{platform.PageBase:x} is not 2 MiB aligned";
        if (platform.HkidStartBit > platform.MaxPa)
            return $"hkidStartBit {platform.HkidStartBit} is above maxPa {platform.MaxPa}";
        if (platform.PageEnd > 1UL << platform.HkidStartBit)
            return $"the pages end at 0x{platform.PageEnd:x}, above the address bits below hkidStartBit {platform.HkidStartBit}";
        int keys = 1 << (platform.MaxPa - platform.HkidStartBit);
        if (platform.HkidFirst + platform.HkidCount > keys)
            return $"hkidFirst {platform.HkidFirst} and hkidCount {platform.HkidCount} exceed the {keys} key ids of the address bits";
        if (platform.PrivateHkidFirst > platform.HkidFirst)
            return $"privateHkidFirst {platform.PrivateHkidFirst} is above hkidFirst {platform.HkidFirst}";
        return null;
    }
}
