using System.Text.Json;
using System.Xml.Linq;
using Xunit;

namespace TdxVerify.Tests.Cli;

/// <summary><c>explore --contention</c> for one pair, and what it says where it cannot run.</summary>
public sealed class ExploreCommandTests
{
    private static readonly string[] s_pair = ["explore", "--contention", "--pair", "PAGE.AUG 3000/0", "PAGE.REMOVE 3000/0", "--setup", "run"];

    [Fact]
    public void A_pair_is_shown_with_its_outcomes_and_a_shortest_schedule_for_each_that_is_worth_one()
    {
        CliRun run = CliRun.Of(s_pair);

        Assert.Equal(0, run.Status);
        Assert.Contains("  TDX_OPERAND_BUSY(RCX)|TDX_EPT_ENTRY_STATE_INCORRECT(RCX)|busy+hp\n", run.Out, StringComparison.Ordinal);
        Assert.Contains("the module halts\n  shortest: 1 context switch, 34 visible steps\n", run.Out, StringComparison.Ordinal);
        Assert.Contains("✗ the module halts\n", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pair_as_json_has_its_lanes()
    {
        using JsonDocument json = JsonDocument.Parse(CliRun.Of([.. s_pair, "--json"]).Out);
        JsonElement pair = json.RootElement.GetProperty("pairs")[0];
        JsonElement halt = pair.GetProperty("witnesses").EnumerateArray().Single(witness => witness.GetProperty("of").GetString() == "moduleHalts");

        Assert.Equal("1.5.01", json.RootElement.GetProperty("profile").GetString());
        Assert.Equal(("run", true), (pair.GetProperty("scenario").GetString(), pair.GetProperty("moduleHalts").GetBoolean()));
        Assert.Equal((1, "a17 b17"), (halt.GetProperty("contextSwitches").GetInt32(), halt.GetProperty("schedule").GetString()));
        Assert.Equal(["LP 0: PAGE.AUG 3000/0", "LP 2: PAGE.REMOVE 3000/0"], halt.GetProperty("lanes").EnumerateArray().Select(lane => lane.GetString()));
        Assert.Equal("bad", halt.GetProperty("items").EnumerateArray().Last().GetProperty("tone").GetString());
    }

    [Fact]
    public void A_pair_can_be_drawn()
    {
        Assert.Equal("svg", XElement.Parse(CliRun.Of([.. s_pair, "--format", "svg"]).Out).Name.LocalName);
        Assert.Contains("```mermaid\nsequenceDiagram\n", CliRun.Of([.. s_pair, "--format", "markdown"]).Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--pair|PAGE.AUG 3000/0|PAGE.REMOV 3000/0", "did you mean 'PAGE.REMOVE 3000/0'?")]
    [InlineData("--pair|TDG.ACCEPT 2000/0 v0 (in guest)|TDG.ACCEPT 8000/0 v0 (in guest)", "both need the same guest")]
    [InlineData("--pair|TRACK|TRACK|--setup|boot", "run, build, create, teardown")]
    [InlineData("--format|svg", "table, markdown, csv, json")]
    [InlineData("--format|pdf", "there is no format 'pdf'")]
    [InlineData("--diff|1.5.01|1.5.02", "--diff: there is no module version '1.5.02'")]
    [InlineData("--against|.|--granularity|fine", "it is std or all")]
    public void What_cannot_be_explored_is_told_in_one_line(string arguments, string said)
    {
        CliRun run = CliRun.Of(["explore", "--contention", .. arguments.Split('|')]);

        Assert.Equal(2, run.Status);
        Assert.Empty(run.Out);
        Assert.Contains(said, Assert.Single(run.Error.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("props --time 1s --profile no-free-entry-lock")]
    [InlineData("trace check none.jsonl --profile no-zero-step-tree-lock")]
    [InlineData("mutants --profile no-zero-step-tree-lock")]
    [InlineData("replay 0x1 --profile no-free-entry-lock")]
    public void A_profile_that_is_only_proposed_is_refused_where_something_else_than_the_model_answers(string arguments)
    {
        CliRun run = CliRun.Of(arguments.Split(' '));

        Assert.Equal(2, run.Status);
        Assert.Contains("is a proposal that only the model carries out; here it is 1.5.01 or 1.5.05", Assert.Single(run.Error.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }
}
