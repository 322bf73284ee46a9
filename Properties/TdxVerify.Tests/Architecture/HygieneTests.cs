using System.Text.RegularExpressions;
using Xunit;

namespace TdxVerify.Tests.Architecture;

/// <summary>What a reader of the repository should never meet.</summary>
public sealed partial class HygieneTests
{
    private static readonly string[] s_topLevel =
    [
        "Model", "Properties", "Hardware", "TdxVerify.sln", "run-props.sh", "README.md", "LICENSE", "global.json",
        "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props",
        ".ci", ".github", ".editorconfig", ".gitignore", ".gitattributes",
    ];

    private static readonly string[] s_textExtensions =
    [
        ".cs", ".csproj", ".props", ".targets", ".sln", ".json", ".md", ".sh", ".yml", ".c", ".h", ".S", ".editorconfig", ".gitignore",
        ".gitattributes", "",
    ];

    // Public places that the documentation may point to. A package registry is not among them: which one serves a
    // machine is that machine's business.
    private static readonly string[] s_hosts =
    [
        "dotnet.microsoft.com", "learn.microsoft.com", "github.com", "kernel.org", "www.kernel.org", "docs.kernel.org", "git.kernel.org",
        "lore.kernel.org", "www.w3.org", "www.intel.com", "cdrdv2.intel.com", "json.schemastore.org",
    ];

    [Fact]
    public void The_top_level_holds_only_what_the_architecture_allows() =>
        Assert.All(RepositoryFiles.All().Select(file => file.Split('/')[0]).Distinct(), name => Assert.Contains(name, s_topLevel));

    [Fact]
    public void No_build_output_is_committed() =>
        Assert.DoesNotContain(RepositoryFiles.All(), file => file.Split('/').Any(part => part is "bin" or "obj" or "artifacts"));

    [Theory]
    [InlineData("run-props.sh")]
    [InlineData(".ci/run")]
    public void Scripts_can_be_executed(string script)
    {
        if (!OperatingSystem.IsWindows())
            Assert.True(File.GetUnixFileMode(Path.Combine(RepositoryRoot.Path, script)).HasFlag(UnixFileMode.UserExecute), $"{script} is not executable");
    }

    [Fact]
    public void No_file_names_the_machine_it_was_written_on() => Assert.Empty(Occurrences(MachinePath()));

    [Fact]
    public void No_file_leaves_work_undone() => Assert.Empty(Occurrences(Unfinished()));

    [Fact]
    public void Links_go_to_public_places_only() => Assert.DoesNotContain(Occurrences(Url()), found => !s_hosts.Contains(new Uri(found.Text).Host));

    [Fact]
    public void The_search_finds_what_it_looks_for()
    {
        Assert.Matches(MachinePath(), string.Concat("see /wor", "k/shared"));
        Assert.DoesNotMatch(MachinePath(), "network/workload, a/work");
        Assert.Matches(Unfinished(), string.Concat("TOD", "O: later"));
        Assert.Matches(Url(), string.Concat("https", "://registry.example/index.json"));
    }

    private static IEnumerable<(string File, string Text)> Occurrences(Regex pattern) =>
        from file in RepositoryFiles.All()
        where s_textExtensions.Contains(Path.GetExtension(file))
        from Match match in pattern.Matches(File.ReadAllText(Path.Combine(RepositoryRoot.Path, file)))
        select (file, match.Value);

    // Written so that this file does not contain what it looks for.
    [GeneratedRegex(@"(?<![\w./-])/wor[k]\b")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"\bNotImplemente[d]Exception\b|\bTOD[O]\b|\bFIXM[E]\b")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"https?://[^/\s""'<>()`:]+")]
    private static partial Regex Url();
}
