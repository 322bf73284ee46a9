namespace TdxVerify.Tests.Hardware;

/// <summary>Files of the repository that tests read.</summary>
internal static class RepositoryFiles
{
    /// <summary>The folder that holds TdxVerify.sln.</summary>
    public static string Root => RepositoryRoot.Path;

    /// <summary>The recordings that are part of the repository.</summary>
    public static IReadOnlyList<string> Recordings { get; } =
        [.. Directory.GetFiles(Path.Combine(Root, "Properties", "Recordings"), "*.jsonl.gz").Order(StringComparer.Ordinal)];

    /// <summary>A recording by its name, such as <c>zero-step</c>.</summary>
    public static string Recording(string name) => Path.Combine(Root, "Properties", "Recordings", $"{name}.jsonl.gz");
}
