using System.Text.Json;
using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Properties.Exploration;
using TdxVerify.Properties.Exploration.Manifest;
using TdxVerify.Properties.Exploration.Reports;
using TdxVerify.Properties.Lanes;

namespace TdxVerify.Cli.Commands;

/// <summary>The documents of <c>explore --scenario --json</c> and <c>explore --list --json</c>.</summary>
internal static class ScenarioJson
{
    public static void WriteList(Terminal terminal) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("scenarios");
        foreach (Scenario scenario in ScenarioTable.All)
            WriteScenario(json, scenario, ScenarioManifest.Find(scenario.Name));
        json.WriteEndArray();
        json.WriteEndObject();
    });

    public static void Write(Terminal terminal, ExploreReport report) => JsonOutput.Write(terminal, json =>
    {
        SearchProgress size = report.Search;
        json.WriteStartObject();
        json.WriteString("scenario", report.Name);
        json.WriteString("profile", report.Profile.Name());
        json.WriteString("verdict", report.Verdict.ToString().ToLowerInvariant());
        json.WriteNumber("states", size.States);
        json.WriteNumber("transitions", size.Transitions);
        json.WriteNumber("depth", size.Depth);
        json.WriteNumber("seconds", Math.Round(size.Elapsed.TotalSeconds, 3));
        json.WriteNumber("statesPerSecond", Math.Round(size.StatesPerSecond));
        json.WriteNumber("bytesPerState", Math.Round(size.BytesPerState, 1));
        json.WriteNumber("workers", report.Workers);
        json.WriteStartObject("reductions");
        json.WriteBoolean("symmetry", report.Symmetry);
        json.WriteBoolean("partialOrder", report.PartialOrder);
        json.WriteEndObject();
        json.WriteStartObject("sometimes");
        foreach (SometimesReport sometimes in report.Sometimes)
        {
            if (sometimes.Depth is { } depth)
                json.WriteNumber(sometimes.Name, depth);
            else
                json.WriteNull(sometimes.Name);
        }

        json.WriteEndObject();
        WriteNames(json, "missing", report.MissingGuards);
        WriteLiveness(json, report);
        json.WritePropertyName("counterexample");
        if (report.Counterexample is { } run)
            WriteRun(json, run);
        else
            json.WriteNullValue();
        WriteWitnesses(json, report);
        json.WriteEndObject();
    });

    private static void WriteScenario(Utf8JsonWriter json, Scenario scenario, ScenarioPin? pin)
    {
        json.WriteStartObject();
        json.WriteString("name", scenario.Name);
        json.WriteNumber("vcpus", scenario.Configuration.Td.Vcpus);
        json.WriteNumber("gpas", scenario.Configuration.Td.Gpas.Length);
        json.WriteNumber("pages", scenario.Pages);
        WriteNames(json, "agents", scenario.Configuration.Agents.Select(agent => agent.Name));
        json.WriteString("expected", pin?.Verdict.ToString().ToLowerInvariant());
        if (pin?.States is { } states)
            json.WriteNumber("states", states);
        else
            json.WriteNull("states");
        json.WriteString("question", scenario.Question);
        json.WriteEndObject();
    }

    private static void WriteNames(Utf8JsonWriter json, string property, IEnumerable<string> names)
    {
        json.WriteStartArray(property);
        foreach (string name in names)
            json.WriteStringValue(name);
        json.WriteEndArray();
    }

    private static void WriteLiveness(Utf8JsonWriter json, ExploreReport report)
    {
        json.WriteStartObject("liveness");
        json.WriteString("notJudged", report.LivenessNotJudged);
        WriteNames(json, "strongFairness", report.Liveness.Where(finding => finding.UnderStrongFairness).Select(finding => finding.Property));
        WriteNames(json, "weakFairness", report.Liveness.Where(finding => !finding.UnderStrongFairness).Select(finding => finding.Property));
        json.WriteEndObject();
    }

    private static void WriteRun(Utf8JsonWriter json, Counterexample run)
    {
        json.WriteStartObject();
        json.WriteString("property", run.Property);
        json.WriteNumber("events", run.Lanes.EventCount);
        json.WriteNumber("contextSwitches", run.ContextSwitches);
        LaneJson.WriteProperties(json, run.Lanes);
        json.WriteEndObject();
    }

    private static void WriteWitnesses(Utf8JsonWriter json, ExploreReport report)
    {
        if (report.Sometimes.All(sometimes => sometimes.Witness is null))
            return;
        json.WriteStartObject("witnesses");
        foreach (SometimesReport sometimes in report.Sometimes)
        {
            if (sometimes.Witness is not { } witness)
                continue;
            json.WritePropertyName(sometimes.Name);
            WriteRun(json, witness);
        }

        json.WriteEndObject();
    }
}
