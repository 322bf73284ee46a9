using System.Text.Json;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Cli;

public class BenchCommandTests
{
    private const string ShortTime = "0.05s";

    // Far below the targets (a twentieth and less): what a gross mistake would cost, not what a busy machine does.
    private static readonly (string Part, double CallsPerSecond)[] s_floors = [("model", 200_000), ("reference", 100_000), ("props", 5_000)];
    private static readonly (string Figure, double CallsPerSecond)[] s_judgeFloors = [("callsPerSecond", 25_000), ("callsPerSecondWithParsing", 5_000)];

    [Fact]
    public void Without_a_trace_the_built_in_recording_is_measured()
    {
        CliRun run = CliRun.Of("bench", "--time", ShortTime);

        Assert.Equal((0, ""), (run.Status, run.Error));
        string[] lines = run.Out.TrimEnd().Split('\n');
        Assert.StartsWith("bench  built-in mixed-long", lines[0], StringComparison.Ordinal);
        Assert.Equal(5, lines.Length - 1);
        Assert.All(lines[1..], line => Assert.Matches(@"^  \S.* [\d,]+ calls/s +[\d.]+ bytes/call$", line));
    }

    [Fact]
    public void The_json_document_has_every_speed_and_none_is_hopelessly_low()
    {
        CliRun run = CliRun.Of("bench", "--time", "1s", "--trace", Recordings.PathOf("pages-4k"), "--json");

        Assert.Equal((0, ""), (run.Status, run.Error));
        using var json = JsonDocument.Parse(run.Out);
        Assert.Equal(["model", "reference", "props", "traceJudge"], json.RootElement.EnumerateObject().Select(part => part.Name));
        foreach ((string part, double floor) in s_floors)
        {
            JsonElement speed = json.RootElement.GetProperty(part);
            Assert.Equal(["callsPerSecond", "bytesPerCall"], speed.EnumerateObject().Select(figure => figure.Name));
            AssertAbove(floor, speed, "callsPerSecond", part);
        }

        JsonElement judge = json.RootElement.GetProperty("traceJudge");
        Assert.Equal(["callsPerSecond", "callsPerSecondWithParsing"], judge.EnumerateObject().Select(figure => figure.Name));
        Assert.All(s_judgeFloors, floor => AssertAbove(floor.CallsPerSecond, judge, floor.Figure, "traceJudge"));
    }

    private static void AssertAbove(double floor, JsonElement speed, string figure, string part)
    {
        double actual = speed.GetProperty(figure).GetDouble();
        Assert.True(actual > floor, $"{part}.{figure} is {actual}, far below all that was ever measured");
    }

    [Fact]
    public void A_trace_that_cannot_be_measured_is_one_line_on_stderr_and_status_2()
    {
        CliRun missing = CliRun.Of("bench", "--trace", "no/such.jsonl");
        CliRun overlapping = CliRun.Of("bench", "--time", ShortTime, "--trace", Recordings.PathOf("concurrent-mem"));

        Assert.Equal((2, "tdxverify: no/such.jsonl: no such file\n"), (missing.Status, missing.Error));
        Assert.Equal((2, "", 1), (overlapping.Status, overlapping.Out, overlapping.Error.Count(c => c == '\n')));
        Assert.Contains("calls overlap", overlapping.Error, StringComparison.Ordinal);
    }
}
