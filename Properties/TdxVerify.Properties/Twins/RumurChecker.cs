using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using TdxVerify.Abi;

namespace TdxVerify.Properties.Twins;

/// <summary>The Murphi twin of a scenario, built into a checker by Rumur.</summary>
internal static partial class RumurChecker
{
    /// <summary>Builds the checker and searches.</summary>
    public static CheckerResult Run(Twin twin)
    {
        using var folder = new TwinFolder();
        string version = Version().Match(Tool.Run(folder.Path, "rumur", "--version").Output).Groups[1].Value;
        Tool.Run(folder.Path, "rumur", "--threads", "1", "--output", "checker.c", $"{twin.Scenario}.m");

        // The checker exchanges 16 bytes at once, which processors of this kind do only when asked.
        string[] wide = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? ["-mcx16"] : [];
        Tool.Run(folder.Path, "gcc", ["-O3", "-std=c11", .. wide, "-pthread", "-o", "checker", "checker.c"]);
        ToolRun run = Tool.Run(folder.Path, Path.Combine(folder.Path, "checker"));
        Match explored = Explored().Match(run.Output);
        if (!explored.Success)
            throw new InputException("Rumur's checker did not print how many states it explored");
        return new CheckerResult(
            $"Rumur {version}", Number(explored.Groups[1]), Number(explored.Groups[2]), run.Output.Contains("No error found", StringComparison.Ordinal),
            [.. Hit().Matches(run.Output).Where(match => Number(match.Groups[2]) > 0).Select(match => (int)Number(match.Groups[1])).Order()], run.Seconds, run.PeakBytes);
    }

    private static long Number(Group group) => long.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"version v?(\S+)")]
    private static partial Regex Version();

    [GeneratedRegex(@"(\d+) states, (\d+) rules fired")]
    private static partial Regex Explored();

    [GeneratedRegex("cover \"(\\d+)\" hit (\\d+) times")]
    private static partial Regex Hit();
}
