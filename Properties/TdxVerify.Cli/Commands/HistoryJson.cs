using System.Text.Json;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Histories;
using TdxVerify.Properties.Traces;

namespace TdxVerify.Cli.Commands;

/// <summary>Why a history of overlapping calls was rejected, as members of the object that says where.</summary>
internal static class HistoryJson
{
    public static void Write(Utf8JsonWriter json, HistoryRejection rejection)
    {
        json.WriteNumber("explained", rejection.Explained);
        json.WriteString("event", rejection.Event);
        json.WriteString("recorded", rejection.Recorded);
        WriteTexts(json, "givenBy", rejection.GivenBy.Select(step => step.ToString()));
        json.WriteStartArray("inFlight");
        foreach (OverlappingCall call in rejection.InFlight)
        {
            json.WriteStartObject();
            json.WriteString("call", call.Call);
            json.WriteNumber("begin", call.BeginLine);
            if (call.EndLine is { } end)
                json.WriteNumber("end", end);
            else
                json.WriteNull("end");
            json.WriteString("answer", call.Answer);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("candidates");
        foreach (HistoryCandidate candidate in rejection.Candidates)
            WriteCandidate(json, candidate);
        json.WriteEndArray();
        json.WriteBoolean("candidatesComplete", rejection.IsComplete);
    }

    private static void WriteCandidate(Utf8JsonWriter json, HistoryCandidate candidate)
    {
        json.WriteStartObject();
        json.WriteString("answer", candidate.Answer);
        json.WriteNumber("states", candidate.States);
        json.WriteString("decidedBy", candidate.Deciding?.ToString());
        WriteTexts(json, "heldBy", candidate.HeldBy);
        json.WriteStartArray("registers");
        foreach (ComparedRegister register in candidate.Registers)
        {
            json.WriteStartObject();
            json.WriteString("register", TraceEventText.Name(register.Register));
            json.WriteString("recorded", $"0x{register.Recorded:x}");
            json.WriteString("possible", $"0x{register.Actual:x}");
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteTexts(json, "others", candidate.Others);
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
