using System.Text.Json;
using TdxVerify.Abi;
using TdxVerify.Properties.Proposals;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary>Proposals as one JSON document.</summary>
internal static class ProposalsJson
{
    public static void Write(Terminal terminal, IReadOnlyList<ProposalReport> reports, TimeSpan time, Action<Utf8JsonWriter>? more = null) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("proposals");
        foreach (ProposalReport report in reports)
        {
            json.WriteStartObject();
            WriteProperties(json, report);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        more?.Invoke(json);
        json.WriteNumber("seconds", Math.Round(time.TotalSeconds, 3));
        json.WriteEndObject();
    });

    /// <summary>Writes the properties of a proposal into the object that is open.</summary>
    public static void WriteProperties(Utf8JsonWriter json, ProposalReport report)
    {
        json.WriteString("name", report.Proposal.Name);
        json.WriteString("profile", report.Proposal.Profile.Name());
        json.WriteString("verdict", report.Verdict.ToString().ToLowerInvariant());
        foreach (ProposalProperty property in ProposalProperties.All)
            Write(json, property.JsonName(), report.Holds(property));
        json.WriteStartObject("bounds");
        foreach ((string name, _, Bound bound) in report.Bounds.All)
            Write(json, name, bound);
        json.WriteEndObject();
        json.WriteStartArray("configurations");
        foreach (ConfigurationResult result in report.Results)
        {
            json.WriteStartObject();
            json.WriteString("name", result.Configuration.Name);
            json.WriteNumber("states", result.Result.States);
            json.WriteNumber("seconds", Math.Round(result.Result.Seconds, 3));
            json.WriteBoolean("complete", result.Result.Coverage is Coverage.Complete or Coverage.Reduced);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (report.Refutations is [var first, ..])
            Write(json, first);
        else
            json.WriteNull("counterexample");
    }

    private static void Write(Utf8JsonWriter json, Refutation refutation)
    {
        json.WriteStartObject("counterexample");
        json.WriteString("property", refutation.Property.JsonName());
        json.WriteNumber("events", refutation.Finding.Run.Steps);
        json.WriteNumber("contextSwitches", refutation.Finding.Run.ContextSwitches);
        json.WriteString("cause", refutation.Cause?.Name);
        json.WriteEndObject();
    }

    // A number where there is a bound; else null, and why.
    private static void Write(Utf8JsonWriter json, string name, Bound bound)
    {
        json.WriteStartObject(name);
        if (bound.IsEndless || bound.Spins)
            json.WriteNull("most");
        else
            json.WriteNumber("most", bound.Most);
        json.WriteBoolean("spins", bound.Spins);
        json.WriteBoolean("endless", bound.IsEndless);
        json.WriteBoolean("proven", bound.IsProven);
        json.WriteEndObject();
    }

    /// <summary>Writes a judgement; null: not decided.</summary>
    public static void Write(Utf8JsonWriter json, string name, bool? value)
    {
        if (value is { } decided)
            json.WriteBoolean(name, decided);
        else
            json.WriteNull(name);
    }
}
