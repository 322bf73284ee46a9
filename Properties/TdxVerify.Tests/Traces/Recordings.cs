using TdxVerify.Hardware.Trace;

namespace TdxVerify.Tests.Traces;

/// <summary>Recorded traces of the real module: those of the repository, and larger ones beside it where they exist.</summary>
internal static class Recordings
{
    private const string Concurrent = "concurrent-";
    private const string Suffix = ".jsonl.gz";

    /// <summary>Recordings of one call after the other, relative to the repository.</summary>
    public static IReadOnlyList<string> Sequential { get; } = [.. All().Where(file => !IsConcurrent(file))];

    /// <summary>Recordings with overlapping calls, relative to the repository.</summary>
    public static IReadOnlyList<string> Overlapping { get; } = [.. All().Where(IsConcurrent)];

    /// <summary>The full path of a recording that is named relative to the repository.</summary>
    public static string FullPath(string file) => Path.GetFullPath(Path.Combine(RepositoryRoot.Path, file));

    /// <summary>A recording of the repository, such as <c>zero-step</c>.</summary>
    public static string PathOf(string name) => FullPath(Path.Combine("Properties", "Recordings", name + Suffix));

    /// <summary>A recording of the repository, parsed.</summary>
    public static TraceFile Load(string name) => TraceFile.Load(PathOf(name));

    private static IEnumerable<string> All() =>
        from folder in (string[])[Path.Combine("Properties", "Recordings"), Path.Combine("..", "shared", "traces")]
        where Directory.Exists(FullPath(folder))
        from file in Directory.GetFiles(FullPath(folder), "*" + Suffix).Order(StringComparer.Ordinal)
        select Path.Combine(folder, Path.GetFileName(file));

    private static bool IsConcurrent(string file) => Path.GetFileName(file).StartsWith(Concurrent, StringComparison.Ordinal);
}
