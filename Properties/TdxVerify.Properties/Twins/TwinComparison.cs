using TdxVerify.Abi;

namespace TdxVerify.Properties.Twins;

/// <summary>A scenario in three independent forms, each searched by a checker of its own.</summary>
/// <param name="Twin">The scenario.</param>
/// <param name="Results">What this program, Spin and Rumur found.</param>
public sealed record TwinComparison(Twin Twin, IReadOnlyList<CheckerResult> Results)
{
    private static readonly string[] s_tools = ["spin", "rumur", "gcc"];

    /// <summary>All three found as many states and steps, the same verdict and the same cases.</summary>
    public bool AreEqual => Results.All(result => result.Agrees(Results[0]));

    /// <summary>What has to be installed first; empty: nothing.</summary>
    public static IEnumerable<string> MissingTools() => s_tools.Where(tool => !Tool.IsThere(tool));

    /// <summary>Runs the three, one after the other.</summary>
    /// <exception cref="InputException">A tool is missing or failed.</exception>
    public static TwinComparison Run(Twin twin)
    {
        Require(s_tools);
        CheckerResult own = OwnChecker.Run(twin).Result;
        using var spin = new SpinChecker(twin);
        return new TwinComparison(twin, [own, spin.Run(own.States), RumurChecker.Run(twin)]);
    }

    internal static void Require(params IEnumerable<string> tools)
    {
        if (!OperatingSystem.IsLinux())
            throw new InputException("the twins run on Linux only");
        string[] missing = [.. tools.Where(tool => !Tool.IsThere(tool))];
        if (missing.Length > 0)
            throw new InputException($"{string.Join(", ", missing)} not found in PATH; on Debian: apt-get install {string.Join(' ', missing)} libc6-dev");
    }
}
