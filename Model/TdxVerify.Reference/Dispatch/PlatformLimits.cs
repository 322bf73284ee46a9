using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>The platforms that can be simulated.</summary>
internal static class PlatformLimits
{
    private const int MaxLps = 1024;
    private const long MaxPages = 1 << 24;
    private const int MaxPackages = 32;
    private const int MaxTdcsPages = Tdr.MaxTdcxPages - 3;
    private const ulong LargePage = 1 << 21;

    /// <summary>Throws, naming the value, where a platform is none of these.</summary>
    public static void Check(PlatformInfo platform)
    {
        Require(platform.LpCount is >= 1 and <= MaxLps, $"lps is {platform.LpCount}, not 1 to {MaxLps}");
        Require(platform.PageCount is >= 1 and <= MaxPages, $"pageCount is {platform.PageCount}, not 1 to {MaxPages}");
        Require(platform.PageBase % LargePage == 0, $"pageBase 0x{platform.PageBase:x} is not 2 MiB aligned");
        Require(
            platform.MaxPa == 52 && platform.HkidStartBit is >= 36 and < 52,
            $"maxPa is {platform.MaxPa} and hkidStartBit {platform.HkidStartBit}, not 52 and 36 to 51");
        Require(
            platform.PageEnd > platform.PageBase && platform.PageEnd >> platform.HkidStartBit == 0,
            $"the pages up to 0x{platform.PageEnd:x} reach into the key id bits of an address");
        int keyIds = 1 << (platform.MaxPa - platform.HkidStartBit);
        Require(
            platform.PrivateHkidFirst >= 1
            && platform.HkidFirst >= platform.PrivateHkidFirst
            && platform.HkidCount >= 1
            && platform.HkidCount <= keyIds - platform.HkidFirst,
            $"key ids {platform.HkidFirst} + {platform.HkidCount} from {platform.PrivateHkidFirst} do not fit in {keyIds}");
        Require(
            platform.TdcsPages is > Tdcs.SeptRootPage and <= MaxTdcsPages,
            $"tdcsPages is {platform.TdcsPages}, not {Tdcs.SeptRootPage + 1} to {MaxTdcsPages}");
        Require(platform.TdvpxPages is >= 0 and <= 64, $"tdvpxPages is {platform.TdvpxPages}, not 0 to 64");
        Require(platform.Packages is >= 1 and <= MaxPackages, $"packages is {platform.Packages}, not 1 to {MaxPackages}");
        Require(platform.CacheSubBlocks >= 1, $"cacheSubBlocks is {platform.CacheSubBlocks}, not 1 or more");
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
            throw new ArgumentException($"The reference cannot simulate this platform: {message}.");
    }
}
