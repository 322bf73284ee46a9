using System.Text.RegularExpressions;
using TdxVerify.Tests.Cli;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Documents;

/// <summary>What the README shows is what the commands print today, where they print the same on every machine.</summary>
public sealed partial class ReadmeTests
{
    private const string Command = "$ ./run-props.sh ";

    public static TheoryData<string, string> Sessions
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (Match block in Block().Matches(Text))
            {
                string[] parts = block.Groups[1].Value.Split('\n', 2);
                if (parts[0].StartsWith(Command, StringComparison.Ordinal) && !parts[1].Contains("...\n", StringComparison.Ordinal))
                    rows.Add(parts[0][Command.Length..], parts[1]);
            }

            return rows;
        }
    }

    private static string Text => File.ReadAllText(Path.Combine(RepositoryRoot.Path, "README.md"));

    [Theory]
    [MemberData(nameof(Sessions))]
    public void A_session_is_current(string command, string output)
    {
        string[] arguments = [.. command.Split(' ').Select(argument => argument.EndsWith(".gz", StringComparison.Ordinal) ? Recordings.FullPath(argument) : argument)];
        string shown = CliRun.Of(arguments).Out.Replace(RepositoryRoot.Path + "/", "", StringComparison.Ordinal);

        Assert.Equal(output.TrimEnd(), shown.TrimEnd());
    }

    [Fact]
    public void There_are_sessions() => Assert.Equal(["explain", "trace"], Sessions.Select(row => ((string)row[0]).Split(' ')[0]));

    [GeneratedRegex("^```\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
