using System.Text.Json;
using TdxVerify.Tests.Hardware;
using Xunit;

namespace TdxVerify.Tests.Cli;

/// <summary><c>props --schedule</c>, and what it says where it cannot run.</summary>
public sealed class ScheduleCommandTests
{
    [Fact]
    public void Random_schedules_end_with_a_summary_of_what_they_came_across()
    {
        using var folder = new TemporaryFolder();
        CliRun run = CliRun.Of("props", "--schedule", "pct", "--depth", "2", "--time", "1s", "--jobs", "1", "--seed", "1", "--output", folder.Path, "--json");
        using JsonDocument json = JsonDocument.Parse(run.Out);

        Assert.Equal((0, "held"), (run.Status, json.RootElement.GetProperty("verdict").GetString()));
        Assert.Equal(("pct", 2, 4), (json.RootElement.GetProperty("strategy").GetString(), json.RootElement.GetProperty("depth").GetInt32(), json.RootElement.GetProperty("agents").GetInt32()));
        Assert.All(["schedules", "steps", "contextSwitches", "finalStates", "outcomes", "overlaps"], name => Assert.True(json.RootElement.GetProperty(name).GetInt64() > 0, name));
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("counterexample").ValueKind);
    }

    [Theory]
    [InlineData("props --schedule random", "it is uniform, pct or pos")]
    [InlineData("props --schedule pct --target reference", "--schedule carries calls out on the model")]
    [InlineData("props --schedule pct --agents 1", "it is from 2 to 16")]
    [InlineData("props --schedule pct --law module-never-halt", "did you mean module-never-halts?")]
    public void What_cannot_run_is_told_in_one_line(string arguments, string said)
    {
        CliRun run = CliRun.Of(arguments.Split(' '));

        Assert.Equal((2, ""), (run.Status, run.Out));
        Assert.Contains(said, Assert.Single(run.Error.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }
}
