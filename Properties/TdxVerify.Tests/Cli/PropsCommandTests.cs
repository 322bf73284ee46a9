using System.Text.Json;
using TdxVerify.Properties.Laws;
using Xunit;

namespace TdxVerify.Tests.Cli;

/// <summary><c>props</c> and <c>replay</c> as a user or a script sees them.</summary>
public class PropsCommandTests
{
    [Fact]
    public void The_document_of_a_run_has_all_laws_with_their_cases_and_the_distribution()
    {
        var run = CliRun.Of("props", "--time", "1s", "--jobs", "1", "--seed", "0x1234", "--json");
        Assert.Equal((0, ""), (run.Status, run.Error));
        JsonElement document = JsonDocument.Parse(run.Out).RootElement;
        Assert.Equal("held", document.GetProperty("verdict").GetString());
        Assert.Equal("0x1234", document.GetProperty("seed").GetString());
        Assert.Equal(JsonValueKind.Null, document.GetProperty("failure").ValueKind);
        Assert.True(document.GetProperty("calls").GetInt64() > 0);
        Assert.True(document.GetProperty("sequences").GetInt64() > 0);
        Assert.True(document.GetProperty("seconds").GetDouble() > 0);
        Assert.False(document.GetProperty("interrupted").GetBoolean());

        IEnumerable<string?> laws = document.GetProperty("laws").EnumerateArray().Select(law => law.GetProperty("name").GetString());
        Assert.Equal(LawBook.Create().Select(law => law.Name).Prepend(LawBook.Conformance), laws);
        Assert.All(document.GetProperty("laws").EnumerateArray(), law => Assert.True(law.GetProperty("checked").GetInt64() > 0));
        foreach (string table in (string[])["statusByLeaf", "septStateByLeaf", "checkSteps"])
            Assert.NotEmpty(document.GetProperty("distribution").GetProperty(table).EnumerateObject());
    }

    [Fact]
    public void A_law_can_be_checked_alone()
    {
        var run = CliRun.Of("props", "--time", "1s", "--jobs", "1", "--law", "zero-step", "--target", "model", "--json");
        Assert.Equal(0, run.Status);
        JsonElement law = Assert.Single(JsonDocument.Parse(run.Out).RootElement.GetProperty("laws").EnumerateArray());
        Assert.Equal("zero-step", law.GetProperty("name").GetString());
    }

    [Fact]
    public void A_run_in_text_ends_with_answers_states_and_steps_in_80_columns()
    {
        var run = CliRun.Of("props", "--time", "1s", "--jobs", "1", "--seed", "7");
        Assert.Equal(0, run.Status);
        foreach (string heading in (string[])["Answers by leaf", "S-EPT entry states that calls met", "steps that decided against a call"])
            Assert.Contains(heading, run.Out, StringComparison.Ordinal);
        string table = run.Out[run.Out.IndexOf("S-EPT entry states", StringComparison.Ordinal)..];
        Assert.All(table.Split('\n').Skip(1).TakeWhile(line => line.Length > 0), line => Assert.InRange(line.Length, 1, 80));
    }

    [Fact]
    public void A_seed_gives_the_same_run_again()
    {
        var first = CliRun.Of("replay", "0x5eed", "--operations", "400", "--json");
        Assert.Equal((0, ""), (first.Status, first.Error));
        Assert.Equal(first, CliRun.Of("replay", "0x5eed", "--operations", "400", "--json"));
        Assert.NotEqual(first.Out, CliRun.Of("replay", "0x5eee", "--operations", "400", "--json").Out);
    }

    [Theory]
    [InlineData("did you mean zero-step", "props", "--law", "zerostep")]
    [InlineData("written 30s, 4m or 2h", "props", "--time", "soon")]
    [InlineData("a seed is written 0x1234", "props", "--seed", "lucky")]
    [InlineData("from 1 to 1000000", "props", "--operations", "0")]
    [InlineData("from 1 to 256", "props", "--jobs", "257")]
    [InlineData("there is no module version", "props", "--profile", "1.4")]
    [InlineData("cannot be used as a folder", "props", "--output", "/dev/null/failures")]
    [InlineData("from 1 to 1000000", "replay", "0x12", "--operations", "0")]
    [InlineData("a seed has one sequence", "replay", "0x12", "--sequence", "1")]
    [InlineData("the option is for a seed", "replay", "x.jsonl", "--operations", "3")]
    [InlineData("no such file, and no seed", "replay", "0xseed")]
    [InlineData("--operations: '99999999999' is no whole number", "props", "--operations", "99999999999")]
    public void What_cannot_run_says_so_in_one_line(string message, params string[] arguments)
    {
        var run = CliRun.Of(arguments);
        Assert.Equal((2, ""), (run.Status, run.Out));
        Assert.Contains(message, Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }
}
