using System.Text.Json;
using TdxVerify.Properties.Traces;

namespace TdxVerify.Cli.Commands;

/// <summary>Verdicts on traces as one JSON document.</summary>
internal static class TraceCheckJson
{
    public static void Write(Terminal terminal, IReadOnlyList<TraceVerdict> verdicts) => JsonOutput.Write(terminal, json =>
    {
        long calls = verdicts.Sum(verdict => verdict.Calls);
        double seconds = verdicts.Sum(verdict => verdict.Elapsed.TotalSeconds);
        json.WriteStartObject();
        json.WriteStartArray("files");
        foreach (TraceVerdict verdict in verdicts)
            WriteFile(json, verdict);
        json.WriteEndArray();
        json.WriteNumber("calls", calls);
        json.WriteNumber("seconds", Math.Round(seconds, 6));
        json.WriteNumber("callsPerSecond", seconds > 0 ? Math.Round(calls / seconds) : 0);
        json.WriteEndObject();
    });

    private static void WriteFile(Utf8JsonWriter json, TraceVerdict verdict)
    {
        json.WriteStartObject();
        json.WriteString("file", verdict.File);
        json.WriteNumber("sequences", verdict.Sequences);
        json.WriteNumber("events", verdict.Events);
        json.WriteNumber("calls", verdict.Calls);
        json.WriteString("verdict", Name(verdict.Outcome));
        if (verdict.Finding is { } finding)
        {
            json.WriteStartObject("rejectedAt");
            WriteNumber(json, "line", finding.Line);
            WriteNumber(json, "sequence", finding.Sequence);
            json.WriteString("reason", finding.Reason);
            if (finding.History is { } history)
                HistoryJson.Write(json, history);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("rejectedAt");
        }

        json.WriteEndObject();
    }

    private static string Name(TraceOutcome outcome) => outcome switch
    {
        TraceOutcome.Accepted => "accepted",
        TraceOutcome.Rejected => "rejected",
        TraceOutcome.Unreadable => "unreadable",
        _ => "out-of-scope",
    };

    private static void WriteNumber(Utf8JsonWriter json, string name, int? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }
}
