using System.Text.Json;
using TdxVerify.Properties.Schedules;
using TdxVerify.Properties.Schedules.Laws;
using TdxVerify.Tests.Hardware;
using TdxVerify.Tests.Schedules;
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

    [Fact]
    public void A_saved_failure_is_followed_again_and_told_as_lanes()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "halt.jsonl");
        ConcurrentPlan plan = SchedulePlans.Of("run", "PAGE.AUG 3000/0", "PAGE.REMOVE 3000/0");
        ScheduleFile.Write(file, SchedulePlans.Find(plan, ScheduleStrategy.Uniform, SchedulePlans.Leaves, 3000, NeverHaltsLaw.LawName)!);
        CliRun run = CliRun.Of("replay", file);

        Assert.Equal(1, run.Status);
        Assert.Contains("schedule  a17 b17\n", run.Out, StringComparison.Ordinal);
        Assert.Contains("✗ the module halts\n", run.Out, StringComparison.Ordinal);
        Assert.EndsWith("violated  module-never-halts: the module halts\n", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_schedules_of_a_seed_are_carried_out_again()
    {
        using var folder = new TemporaryFolder();
        CliRun run = CliRun.Of("replay", "0x1", "--schedule", "pos", "--output", folder.Path);

        Assert.Equal(0, run.Status);
        Assert.Contains("held  5 laws, 16 schedules of 1 set of calls", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a1 ?", "the schedule is not a list such as a24 b7 a3")]
    [InlineData("a1 b2", "the schedule names more calls than begin in the trace")]
    public void A_schedule_that_cannot_be_followed_is_told_in_one_line(string schedule, string said)
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "wrong.jsonl");
        File.WriteAllText(
            file, $$$"""{"format":"tdxverify-trace","version":1,"implementation":"x","schedule":"{{{schedule}}}","info":{}}""" + "\n"
                + """{"e":"reset"}""" + "\n" + """{"e":"begin","id":1,"lp":0,"t":1,"in":{"rax":"0x26"}}""" + "\n");
        CliRun run = CliRun.Of("replay", file);

        Assert.Equal((2, ""), (run.Status, run.Out));
        Assert.Contains(said, Assert.Single(run.Error.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("props --schedule random", "it is uniform, pct or pos")]
    [InlineData("props --schedule pct --target reference", "--schedule carries calls out on the model")]
    [InlineData("props --schedule pct --agents 1", "it is from 2 to 16")]
    [InlineData("props --schedule pct --law module-never-halt", "did you mean module-never-halts?")]
    [InlineData("props --schedule pct --operations 9", "--operations: it has no meaning with --schedule")]
    [InlineData("props --depth 3", "--depth: it has no meaning without --schedule")]
    [InlineData("replay 0x1 --calls 3", "--calls: it has no meaning without --schedule")]
    [InlineData("props --threads 4 --schedule pct", "--schedule: it has no meaning with --threads")]
    [InlineData("props --threads 4 --jobs 2", "--jobs: it has no meaning with --threads")]
    [InlineData("props --threads 4 --law conformance", "a run with --threads has one law")]
    [InlineData("props --threads 1", "it is from 2 to 16")]
    [InlineData("props --threads 4 --target model", "leave --threads out")]
    public void What_cannot_run_is_told_in_one_line(string arguments, string said)
    {
        CliRun run = CliRun.Of(arguments.Split(' '));

        Assert.Equal((2, ""), (run.Status, run.Out));
        Assert.Contains(said, Assert.Single(run.Error.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }
}
