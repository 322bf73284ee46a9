using System.Text.Json;
using TdxVerify.Abi;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.LockMaps;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary>A lock map as one JSON document. Calls are numbered, and overlaps name them by number.</summary>
internal static class LocksJson
{
    public static void Write(Terminal terminal, Proposal proposal, LockMap map) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteString("name", proposal.Name);
        json.WriteString("profile", map.Profile.Name());
        json.WriteStartArray("calls");
        foreach (CallClass calls in map.Classes)
            WriteCalls(json, calls);
        json.WriteEndArray();
        json.WriteStartArray("overlaps");
        Dictionary<CallClass, int> numbers = map.Classes.Select((calls, number) => (calls, number)).ToDictionary();
        foreach (Overlap overlap in map.Overlaps)
            WriteOverlap(json, overlap, numbers);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void WriteCalls(Utf8JsonWriter json, CallClass calls)
    {
        json.WriteStartObject();
        json.WriteString("seamcall", calls.Kind.Name);
        Write(json, "locks", calls.Locks.Select(held => held.Text));
        json.WriteString("gate", calls.Gate?.Name);
        WritePhases(json, calls.Phases);
        Write(json, "paths", calls.Paths);
        Write(json, "functions", calls.Functions);
        json.WriteEndObject();
    }

    private static void WriteOverlap(Utf8JsonWriter json, Overlap overlap, Dictionary<CallClass, int> numbers)
    {
        json.WriteStartObject();
        json.WriteNumber("busy", numbers[overlap.Victim]);
        json.WriteString("operand", overlap.Operand);
        json.WriteNumber("because", numbers[overlap.Maker]);
        Write(json, "guest", overlap.What);
        WritePhases(json, overlap.Phases);
        Write(json, "excludedBy", overlap.ExcludedBy);
        json.WriteBoolean("canOccur", overlap.CanOccur);
        Write(json, "then", overlap.CanOccur ? overlap.Then.Select(way => way.Text) : []);
        json.WriteBoolean("bugsTheVm", overlap.CanOccur && overlap.Bugs);
        json.WriteEndObject();
    }

    private static void WritePhases(Utf8JsonWriter json, TdPhases phases)
    {
        json.WriteBoolean("beforeFinalize", phases.HasFlag(TdPhases.Building));
        json.WriteBoolean("afterFinalize", phases.HasFlag(TdPhases.Running));
        json.WriteBoolean("atTheEnd", phases.HasFlag(TdPhases.TornDown));
    }

    private static void Write(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
