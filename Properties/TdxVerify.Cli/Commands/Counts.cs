using System.Globalization;

namespace TdxVerify.Cli.Commands;

/// <summary>Large counts in few characters.</summary>
internal static class Counts
{
    /// <summary>At most five characters: 9,999 as it is, then thousands and millions.</summary>
    public static string Short(long count) => count switch
    {
        < 10_000 => count.ToString(CultureInfo.InvariantCulture),
        < 1_000_000 => $"{count / 1000.0:0}k",
        < 10_000_000 => $"{count / 1e6:0.0}M",
        _ => $"{count / 1e6:0}M",
    };
}
