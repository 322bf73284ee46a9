using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using TdxVerify.Abi;

namespace TdxVerify.Properties.Twins;

/// <summary>The Promela twin of a scenario, built into a checker by Spin.</summary>
internal sealed partial class SpinChecker : IDisposable
{
    /// <summary>How Spin is made to look at every step: nothing is merged, left out or optimised away.</summary>
    public static readonly string[] Generation = ["-a", "-o1", "-o2", "-o3"];

    /// <summary>Full states, no partial-order reduction, no checks that its models do not need: its fastest exact search.</summary>
    public static readonly string[] Compilation = ["-O3", "-DNOREDUCE", "-DSFH", "-DNOCOMP", "-DNOFAIR", "-DNOBOUNDCHECK", "-DNOVSZ"];

    private const int FirstDepth = 100_000;
    private const int LastDepth = 100_000_000;
    private readonly TwinFolder _folder = new();
    private readonly string _version;

    /// <summary>Builds the checker.</summary>
    public SpinChecker(Twin twin)
    {
        _version = Version().Match(Tool.Run(_folder.Path, "spin", "-V").Output).Groups[1].Value;
        Tool.Run(_folder.Path, "spin", [.. Generation, $"{twin.Scenario}.pml"]);
        Tool.Run(_folder.Path, "gcc", [.. Compilation, "-o", "pan", "pan.c"]);
    }

    /// <summary>Searches.</summary>
    /// <param name="expectedStates">About so many states: Spin's table does not grow, and is made for them.</param>
    /// <param name="room">Places of the table for each state, as a power of two.</param>
    public CheckerResult Run(long expectedStates, int room = 0)
    {
        int table = Math.Max(BitOperations.Log2((ulong)expectedStates) + 1 + room, 10);
        ToolRun run;
        int depth = FirstDepth;
        do
        {
            run = Tool.Run(_folder.Path, Path.Combine(_folder.Path, "pan"), $"-m{depth}", $"-w{table}");
            depth *= 10;
        }
        while (run.Output.Contains("max search depth too small", StringComparison.Ordinal) && depth <= LastDepth);

        // Spin counts how it got to the first state as a transition.
        return new CheckerResult(
            $"Spin {_version}", Number(States(), run), Number(Transitions(), run) - 1, Number(Errors(), run) == 0,
            [.. Reached().Matches(run.Output).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).Order()], run.Seconds, run.PeakBytes);
    }

    public void Dispose() => _folder.Dispose();

    private static long Number(Regex pattern, ToolRun run) => pattern.Match(run.Output) is { Success: true } match
        ? (long)double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
        : throw new InputException($"Spin's checker did not print what was expected ({pattern})");

    [GeneratedRegex(@"Spin Version (\S+)")]
    private static partial Regex Version();

    [GeneratedRegex(@"([\d.e+]+) states, stored")]
    private static partial Regex States();

    [GeneratedRegex(@"([\d.e+]+) transitions \(= stored\+matched\)")]
    private static partial Regex Transitions();

    [GeneratedRegex(@"errors: (\d+)")]
    private static partial Regex Errors();

    [GeneratedRegex(@"^reached: (\d+)", RegexOptions.Multiline)]
    private static partial Regex Reached();
}
