using System.Text.Json;
using TdxVerify.Abi;
using TdxVerify.Properties.Contention;

namespace TdxVerify.Cli.Commands;

/// <summary>Contention as one JSON document.</summary>
internal static class ContentionJson
{
    public static void WriteComparison(Terminal terminal, ModuleProfile profile, ContentionResult result, TimeSpan time) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteString("profile", profile.Name());
        json.WriteNumber("pairs", result.Pairs);
        json.WriteNumber("agree", result.Pairs - result.Differences.Count);
        json.WriteStartArray("differences");
        foreach (PairDifference difference in result.Differences)
        {
            json.WriteStartObject();
            json.WriteString("scenario", difference.Pair.Scenario);
            json.WriteString("a", difference.Pair.A);
            json.WriteString("b", difference.Pair.B);
            Write(json, "missing", difference.Missing);
            Write(json, "extra", difference.Extra);
            json.WriteString("explained", StatedLimits.Explain(difference));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("states", result.States);
        json.WriteNumber("seconds", Math.Round(time.TotalSeconds, 3));
        json.WriteEndObject();
    });

    public static void WriteMatrix(Terminal terminal, ContentionMatrix matrix) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteString("profile", matrix.Profile.Name());
        json.WriteStartArray("pairs");
        foreach (ContentionPair pair in matrix.Pairs)
        {
            json.WriteStartObject();
            json.WriteString("scenario", pair.Scenario);
            json.WriteString("a", pair.A.Name);
            json.WriteString("b", pair.B.Name);
            json.WriteString("relation", pair.Relation);
            Write(json, "aBusy", pair.BusyA);
            Write(json, "bBusy", pair.BusyB);
            json.WriteBoolean("serializable", pair.IsSerializable);
            json.WriteBoolean("moduleHalts", pair.HaltsModule);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
