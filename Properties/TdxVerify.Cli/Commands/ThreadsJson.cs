using System.Text.Json;
using TdxVerify.Properties.Threads;

namespace TdxVerify.Cli.Commands;

/// <summary>The document of <c>props --threads N --json</c>.</summary>
internal static class ThreadsJson
{
    public static void Write(Terminal terminal, ThreadsOptions options, ThreadsResult result, string? file, IReadOnlyList<string> undecided) => JsonOutput.Write(terminal, json =>
    {
        ThreadsFigures figures = result.Figures;
        json.WriteStartObject();
        json.WriteString("verdict", result.Failure is not null ? "violated" : undecided.Count > 0 ? "undecided" : "held");
        json.WriteNumber("calls", figures.Calls);
        json.WriteNumber("sequences", result.Histories);
        json.WriteNumber("seconds", Math.Round(result.Seconds, 3));
        json.WriteNumber("judgingSeconds", Math.Round(result.JudgingSeconds, 3));
        json.WriteString("seed", $"0x{result.Seed:x}");
        json.WriteBoolean("interrupted", result.WasInterrupted);
        json.WriteNumber("threads", options.Threads);
        json.WriteNumber("overlapPercent", Math.Round(ThreadsFigures.Percent(figures.Overlapping, figures.Calls), 2));
        json.WriteNumber("busyPercent", Math.Round(ThreadsFigures.Percent(figures.Busy, figures.Calls), 2));
        json.WriteNumber("hostPriority", figures.HostPriority);
        json.WriteNumber("guestBusy", figures.GuestBusy);
        json.WriteStartArray("undecided");
        foreach (string saved in undecided)
            json.WriteStringValue(saved);
        json.WriteEndArray();
        WriteFailure(json, result.Failure, file);
        json.WriteEndObject();
    });

    private static void WriteFailure(Utf8JsonWriter json, ThreadsFailure? failure, string? file)
    {
        if (failure is null)
        {
            json.WriteNull("failure");
            return;
        }

        json.WriteStartObject("failure");
        json.WriteString("law", ThreadsProps.Law);
        json.WriteString("reason", failure.Reason);
        json.WriteString("file", file);
        json.WriteNumber("calls", failure.Calls);
        json.WriteNumber("events", failure.Events.Count);
        json.WriteNumber("callsMade", failure.CallsMade);
        if (failure.Finding is { } finding)
            HistoryJson.Write(json, finding.Rejection);
        json.WriteEndObject();
    }
}
