using System.Text.Json;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Cli;

public class BenchCommandTests
{
    private const string ShortTime = "0.05s";

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
    public void The_json_document_has_every_speed_and_none_is_0()
    {
        CliRun run = CliRun.Of("bench", "--time", ShortTime, "--trace", Recordings.PathOf("pages-4k"), "--json");

        Assert.Equal((0, ""), (run.Status, run.Error));
        using var json = JsonDocument.Parse(run.Out);
        Assert.Equal(["model", "reference", "props", "traceJudge"], json.RootElement.EnumerateObject().Select(part => part.Name));
        foreach (string part in (string[])["model", "reference", "props"])
        {
            JsonElement speed = json.RootElement.GetProperty(part);
            Assert.Equal(["callsPerSecond", "bytesPerCall"], speed.EnumerateObject().Select(figure => figure.Name));
            Assert.True(speed.GetProperty("callsPerSecond").GetDouble() > 0, part);
        }

        JsonElement judge = json.RootElement.GetProperty("traceJudge");
        Assert.Equal(["callsPerSecond", "callsPerSecondWithParsing"], judge.EnumerateObject().Select(figure => figure.Name));
        Assert.All(judge.EnumerateObject(), figure => Assert.True(figure.Value.GetDouble() > 0, figure.Name));
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
