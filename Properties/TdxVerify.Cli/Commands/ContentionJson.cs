using System.Text.Json;
using TdxVerify.Abi;
using TdxVerify.Properties.Contention;
using TdxVerify.Properties.Lanes;

namespace TdxVerify.Cli.Commands;

/// <summary>Contention as one JSON document.</summary>
internal static class ContentionJson
{
    public static void WriteComparison(Terminal terminal, ModuleProfile profile, Granularity granularity, ContentionResult result, TimeSpan time) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteString("profile", profile.Name());
        json.WriteString("granularity", granularity == Granularity.All ? "all" : "std");
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
            WritePair(json, pair);
            json.WriteStartArray("witnesses");
            foreach (PairWitness witness in pair.Result.Witnesses)
            {
                json.WriteStartObject();
                WriteWitness(json, witness);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    public static void WritePairs(Terminal terminal, ModuleProfile profile, IReadOnlyList<(ContentionPair Pair, IReadOnlyList<LaneDiagram> Lanes)> told) =>
        JsonOutput.Write(terminal, json =>
        {
            json.WriteStartObject();
            json.WriteString("profile", profile.Name());
            json.WriteStartArray("pairs");
            foreach ((ContentionPair pair, IReadOnlyList<LaneDiagram> lanes) in told)
            {
                json.WriteStartObject();
                WritePair(json, pair);
                Write(json, "outcomes", pair.Result.Outcomes);
                json.WriteStartArray("witnesses");
                for (int i = 0; i < lanes.Count; i++)
                {
                    json.WriteStartObject();
                    WriteWitness(json, pair.Result.Witnesses[i]);
                    json.WriteNumber("events", lanes[i].EventCount);
                    LaneJson.WriteProperties(json, lanes[i]);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });

    public static void WriteDiff(Terminal terminal, ContentionDiff diff) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteString("before", diff.Before.Name());
        json.WriteString("after", diff.After.Name());
        json.WriteNumber("compared", diff.Compared);
        WriteCauses(json, "newBusy", diff.NewCauses);
        WriteCauses(json, "goneBusy", diff.GoneCauses);
        json.WriteStartArray("pairs");
        foreach (PairChange change in diff.Pairs)
        {
            json.WriteStartObject();
            json.WriteString("scenario", change.After.Scenario);
            json.WriteString("a", change.After.A.Name);
            json.WriteString("b", change.After.B.Name);
            json.WriteString("relation", change.After.Relation);
            Write(json, "aNewBusy", change.After.BusyA.Except(change.Before.BusyA));
            Write(json, "bNewBusy", change.After.BusyB.Except(change.Before.BusyB));
            Write(json, "aGoneBusy", change.Before.BusyA.Except(change.After.BusyA));
            Write(json, "bGoneBusy", change.Before.BusyB.Except(change.After.BusyB));
            Write(json, "newNotSerializable", change.NewNotSerializable);
            Write(json, "goneNotSerializable", change.GoneNotSerializable);
            json.WriteBoolean("newlyHalts", change.NewlyHalts);
            json.WriteBoolean("noLongerHalts", change.NoLongerHalts);
            Write(json, "newOutcomes", change.After.Result.Outcomes.Except(change.Before.Result.Outcomes));
            Write(json, "goneOutcomes", change.Before.Result.Outcomes.Except(change.After.Result.Outcomes));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void WritePair(Utf8JsonWriter json, ContentionPair pair)
    {
        json.WriteString("scenario", pair.Scenario);
        json.WriteString("a", pair.A.Name);
        json.WriteString("b", pair.B.Name);
        json.WriteString("relation", pair.Relation);
        Write(json, "aBusy", pair.BusyA);
        Write(json, "bBusy", pair.BusyB);
        json.WriteBoolean("serializable", pair.IsSerializable);
        json.WriteBoolean("moduleHalts", pair.HaltsModule);
    }

    // A schedule is a list such as "a24 b7 a3": whose visible steps, how many.
    private static void WriteWitness(Utf8JsonWriter json, PairWitness witness)
    {
        json.WriteString("of", witness.Of switch
        {
            WitnessOf.BusyA => "aBusy",
            WitnessOf.BusyB => "bBusy",
            WitnessOf.Halt => "moduleHalts",
            _ => "notSerializable",
        });
        json.WriteString("what", witness.What);
        json.WriteNumber("contextSwitches", witness.ContextSwitches);
        json.WriteNumber("steps", witness.Steps);
        json.WriteString("schedule", string.Join(' ', witness.Runs));
    }

    private static void WriteCauses(Utf8JsonWriter json, string name, IEnumerable<BusyCause> causes)
    {
        json.WriteStartArray(name);
        foreach (BusyCause cause in causes)
        {
            json.WriteStartObject();
            json.WriteString("leaf", cause.Leaf);
            json.WriteString("operand", cause.Operand);
            json.WriteString("because", cause.Maker);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
