using System.Text.Json;
using Xunit;

namespace TdxVerify.Tests.Cli;

/// <summary><c>explore --scenario</c> and <c>explore --list</c>.</summary>
public sealed class ScenarioCommandTests
{
    [Fact]
    public void The_document_of_a_scenario_has_what_tools_read()
    {
        CliRun run = CliRun.Of("explore", "--scenario", "zero-step-pending", "--json", "--workers", "1");
        using JsonDocument document = JsonDocument.Parse(run.Out);
        JsonElement root = document.RootElement;

        Assert.Equal((1, ""), (run.Status, run.Error));
        Assert.Equal("livelock", root.GetProperty("verdict").GetString());
        Assert.Equal(1, root.GetProperty("workers").GetInt32());
        Assert.False(root.GetProperty("reductions").GetProperty("symmetry").GetBoolean());
        JsonElement counterexample = root.GetProperty("counterexample");
        Assert.InRange(counterexample.GetProperty("events").GetInt32(), 1, 12);
        Assert.Equal(["vCPU 0", "mapper"], counterexample.GetProperty("lanes").EnumerateArray().Select(lane => lane.GetString()));
        Assert.All(
            (string[])["scenario", "profile", "states", "transitions", "depth", "seconds", "statesPerSecond", "bytesPerState", "sometimes"],
            name => Assert.True(root.TryGetProperty(name, out _), name));
    }

    [Fact]
    public void The_list_names_every_agent()
    {
        CliRun run = CliRun.Of("explore", "--list", "--json");
        using JsonDocument document = JsonDocument.Parse(run.Out);
        JsonElement first = document.RootElement.GetProperty("scenarios")[0];

        Assert.Equal("track-vs-enter", first.GetProperty("name").GetString());
        Assert.Equal(["vCPU 0", "tracker"], first.GetProperty("agents").EnumerateArray().Select(agent => agent.GetString()));
        Assert.Equal("held", first.GetProperty("expected").GetString());
        Assert.True(first.GetProperty("states").GetInt64() > 1000);
    }

    [Fact]
    public void A_page_says_what_occurred_what_was_left_out_and_the_verdict()
    {
        CliRun run = CliRun.Of("explore", "--scenario", "aug-vs-remove");

        Assert.Equal(1, run.Status);
        Assert.Contains("broken: the module never halts", run.Out, StringComparison.Ordinal);
        Assert.Contains("the module halts", run.Out, StringComparison.Ordinal);
        Assert.Contains("epochs are kept by age", run.Out, StringComparison.Ordinal);
        Assert.Contains("\nviolated  the module never halts: a run breaks it", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sequenceDiagram", "mermaid")]
    [InlineData("<svg", "svg")]
    public void A_counterexample_is_drawn(string start, string format) =>
        Assert.StartsWith(start, CliRun.Of("explore", "--scenario", "aug-vs-remove", "--format", format).Out, StringComparison.Ordinal);

    [Theory]
    [InlineData("explore needs to know what to explore: --scenario NAME, --list, or --contention; tdxverify explore --help shows examples", "explore")]
    [InlineData("--scenario: there is no scenario 'track-vs-entr', did you mean 'track-vs-enter'? explore --list shows all", "explore", "--scenario", "track-vs-entr")]
    [InlineData("--memory: '12Q' is no amount of memory; amounts are written 512M or 16G", "explore", "--scenario", "track-vs-enter", "--memory", "12Q")]
    [InlineData("--workers: 17 is out of range, it is from 1 to 16", "explore", "--scenario", "track-vs-enter", "--workers", "17")]
    [InlineData("--interrupts: there is no 'often'; it is absent, fair or storm", "explore", "--scenario", "track-vs-enter", "--interrupts", "often")]
    public void Bad_input_is_told_in_one_line(string message, params string[] arguments)
    {
        CliRun run = CliRun.Of(arguments);

        Assert.Equal((2, "", $"tdxverify: {message}\n"), (run.Status, run.Out, run.Error));
    }

    [Fact]
    public void A_search_that_is_not_through_ends_with_2() =>
        Assert.Equal(2, CliRun.Of("explore", "--scenario", "track-vs-enter", "--depth", "20").Status);

    [Fact]
    public void Fair_interrupts_let_a_guest_that_stays_go() =>
        Assert.Contains("held", CliRun.Of("explore", "--scenario", "epoch-guest-stays", "--interrupts", "fair").Out.Split('\n')[^2], StringComparison.Ordinal);
}
