using System.Text.Json;
using TdxVerify.Model;
using TdxVerify.Properties.Campaigns;

namespace TdxVerify.Cli.Commands;

/// <summary>The document of <c>props --json</c> and <c>replay --json</c>.</summary>
internal static class PropsJson
{
    public static void Write(Terminal terminal, PropsResult result, SavedFailure? saved) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteString("verdict", result.Failure is null ? "held" : "violated");
        json.WriteNumber("calls", result.Calls);
        json.WriteNumber("sequences", result.Sequences);
        json.WriteNumber("seconds", Math.Round(result.Seconds, 3));
        json.WriteString("seed", $"0x{result.Seed:x}");
        json.WriteBoolean("interrupted", result.WasInterrupted);
        WriteLaws(json, result.Laws);
        WriteDistribution(json, result);
        WriteFailure(json, result.Failure, saved);
        json.WriteEndObject();
    });

    private static void WriteLaws(Utf8JsonWriter json, IReadOnlyList<LawReport> laws)
    {
        json.WriteStartArray("laws");
        foreach (LawReport law in laws)
        {
            json.WriteStartObject();
            json.WriteString("name", law.Name);
            json.WriteNumber("checked", law.Checked);
            json.WriteStartObject("sometimes");
            foreach ((string item, long count) in law.Sometimes)
                json.WriteNumber(item, count);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteDistribution(Utf8JsonWriter json, PropsResult result)
    {
        json.WriteStartObject("distribution");
        json.WriteStartObject("statusByLeaf");
        foreach (LeafReport leaf in result.Leaves)
        {
            json.WriteStartObject(leaf.Leaf);
            foreach ((string status, long count) in Distribution.Statuses(leaf))
                json.WriteNumber(status, count);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteStartObject("septStateByLeaf");
        foreach ((string leaf, IReadOnlyList<long> states) in result.SeptStates)
        {
            json.WriteStartObject(leaf);
            for (int state = 0; state < states.Count; state++)
                json.WriteNumber(((SeptState)state).ToString(), states[state]);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteStartObject("checkSteps");
        foreach (LeafReport leaf in result.Leaves)
        {
            json.WriteStartObject(leaf.Leaf);
            json.WriteNumber("of", Distribution.CheckSteps(leaf).Count());
            json.WriteNumber("covered", Distribution.CheckSteps(leaf).Count(step => leaf.Failed[step] > 0));
            json.WriteStartArray("notCovered");
            foreach (int step in Distribution.NotCovered(leaf))
                json.WriteNumberValue(step);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteFailure(Utf8JsonWriter json, FoundFailure? failure, SavedFailure? saved)
    {
        if (failure is null)
        {
            json.WriteNull("failure");
            return;
        }

        json.WriteStartObject("failure");
        json.WriteString("law", failure.Failure.Law);
        json.WriteString("reason", failure.Failure.Reason);
        json.WriteString("file", saved?.File);
        json.WriteNumber("calls", failure.Events.Count(planned => planned.Event.Kind
            is Hardware.Trace.TraceEventKind.Seamcall or Hardware.Trace.TraceEventKind.Enter or Hardware.Trace.TraceEventKind.Exit));
        json.WriteNumber("events", failure.Events.Count);
        json.WriteString("seed", failure.Seed is { } seed ? $"0x{seed:x}" : null);
        json.WriteEndObject();
    }
}
