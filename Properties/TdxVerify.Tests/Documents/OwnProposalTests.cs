using System.Text.RegularExpressions;
using TdxVerify.Tests.Cli;
using TdxVerify.Tests.Proposals;
using Xunit;

namespace TdxVerify.Tests.Documents;

/// <summary>The proposal that Properties/README.md shows is one, and comes out as it says there.</summary>
public sealed partial class OwnProposalTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "Properties", "README.md"));

    [Fact]
    public void It_is_judged_as_shown()
    {
        using UserFile file = UserFile.Of(Proposal().Match(s_text).Groups[1].Value);
        string[] shown = Verdict().Match(s_text).Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] arguments = shown[0]["$ ./run-props.sh ".Length..].Split(' ');

        CliRun run = CliRun.Of([.. arguments.Select(argument => argument.EndsWith(".cs", StringComparison.Ordinal) ? file.Path : argument)]);

        Assert.Equal((1, ""), (run.Status, run.Error));
        Assert.True(shown.Length > 15);
        Assert.All(shown.Skip(1).Where(line => line.Trim() != "..."), line => Assert.Contains($"\n{line}\n", run.Out, StringComparison.Ordinal));
    }

    [GeneratedRegex("<!-- own proposal -->\n```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Proposal();

    [GeneratedRegex("<!-- own verdict -->\n```\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Verdict();
}
