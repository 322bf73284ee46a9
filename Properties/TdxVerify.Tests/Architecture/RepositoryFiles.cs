using System.Diagnostics;

namespace TdxVerify.Tests.Architecture;

/// <summary>The files of the repository, as paths below its root with forward slashes.</summary>
internal static class RepositoryFiles
{
    private static readonly string[] s_notSources = [".git", ".vs", ".idea", "bin", "obj", "artifacts", "TestResults", "failures"];

    /// <summary>What is committed, or would be: ignored files are left out. Without git, everything but build output.</summary>
    public static IReadOnlyList<string> All() => Git() ?? [.. Walk(new DirectoryInfo(RepositoryRoot.Path))];

    private static List<string>? Git()
    {
        if (!Path.Exists(Path.Combine(RepositoryRoot.Path, ".git")))
            return null;

        var start = new ProcessStartInfo("git", ["-C", RepositoryRoot.Path, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using Process git = Process.Start(start)!;
            string output = git.StandardOutput.ReadToEnd();
            git.WaitForExit();
            return git.ExitCode == 0
                ? [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(file => File.Exists(Path.Combine(RepositoryRoot.Path, file)))]
                : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static IEnumerable<string> Walk(DirectoryInfo folder) =>
        folder.EnumerateFiles().Select(file => Path.GetRelativePath(RepositoryRoot.Path, file.FullName).Replace('\\', '/'))
            .Concat(folder.EnumerateDirectories().Where(sub => !s_notSources.Contains(sub.Name)).SelectMany(Walk));
}
