using System.Text.Json;
using TdxVerify.Abi;
using TdxVerify.Properties.Lanes;
using TdxVerify.Properties.Schedules;

namespace TdxVerify.Cli.Commands;

/// <summary>Random schedules as one JSON document.</summary>
internal static class SchedulesJson
{
    public static void Write(Terminal terminal, ScheduleOptions options, ScheduleResult result, (string File, LaneDiagram Lanes)? saved) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteString("profile", options.Platform.Profile.Name());
        json.WriteString("strategy", options.Strategy.ToString().ToLowerInvariant());
        json.WriteNumber("depth", options.Depth);
        json.WriteNumber("agents", options.Platform.LpCount);
        json.WriteNumber("calls", options.Calls);
        json.WriteString("seed", $"0x{options.Seed:x}");
        json.WriteString("verdict", result.Found is null ? "held" : "violated");
        WriteCoverage(json, result.Coverage);
        json.WriteStartArray("laws");
        foreach ((string name, string statement, long judged) in result.Laws)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("statement", statement);
            json.WriteNumber("judged", judged);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("seconds", Math.Round(result.Time.TotalSeconds, 3));
        json.WritePropertyName("counterexample");
        if (result.Found is { } found)
        {
            json.WriteStartObject();
            WriteFailing(json, found.Smallest, saved!.Value.Lanes);
            json.WriteString("seed", $"0x{found.Seed:x}");
            json.WriteString("file", saved.Value.File);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNullValue();
        }

        json.WriteEndObject();
    });

    public static void WriteReplay(Terminal terminal, FailingSchedule replayed, LaneDiagram lanes) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteString("profile", replayed.Plan.Platform.Profile.Name());
        json.WriteString("verdict", replayed.Outcome.Failure is null ? "held" : "violated");
        WriteFailing(json, replayed, lanes);
        json.WriteEndObject();
    });

    private static void WriteCoverage(Utf8JsonWriter json, ScheduleCoverage coverage)
    {
        json.WriteNumber("plans", coverage.Plans);
        json.WriteNumber("schedules", coverage.Schedules);
        json.WriteNumber("distinctSchedules", coverage.DistinctSchedules);
        json.WriteNumber("finalStates", coverage.FinalStates);
        json.WriteNumber("steps", coverage.Steps);
        json.WriteNumber("contextSwitches", coverage.ContextSwitches);
        json.WriteNumber("callsMade", coverage.Calls);
        json.WriteNumber("outcomes", coverage.Outcomes);
        json.WriteNumber("overlaps", coverage.Overlaps);
        json.WriteNumber("halts", coverage.Halts);
        json.WriteStartArray("busy");
        foreach ((string leaf, string operand, long count) in coverage.Busy)
        {
            json.WriteStartObject();
            json.WriteString("leaf", leaf);
            json.WriteString("operand", operand);
            json.WriteNumber("count", count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteFailing(Utf8JsonWriter json, FailingSchedule failing, LaneDiagram lanes)
    {
        json.WriteString("law", failing.Outcome.Failure?.Law);
        json.WriteString("reason", failing.Outcome.Failure?.Reason);
        json.WriteNumber("contextSwitches", failing.Outcome.ContextSwitches);
        json.WriteNumber("callsLeft", failing.Plan.Calls.Count);
        json.WriteNumber("setupEvents", failing.Plan.Setup.Count);
        json.WriteString("schedule", ScheduleRun.Text(failing.Outcome.Schedule));
        json.WriteNumber("events", lanes.EventCount);
        LaneJson.WriteProperties(json, lanes);
    }
}
