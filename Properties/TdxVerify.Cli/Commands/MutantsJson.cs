using TdxVerify.Properties.Mutants;

namespace TdxVerify.Cli.Commands;

/// <summary>A run of mutants as one JSON document.</summary>
internal static class MutantsJson
{
    public static void Write(Terminal terminal, MutantsResult result) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteNumber("sampled", result.Verdicts.Count);
        json.WriteNumber("of", result.Of);
        json.WriteStartObject("killed");
        json.WriteNumber("conformance", result.KilledByConformance);
        json.WriteNumber("laws", result.KilledByLaws);
        json.WriteEndObject();
        json.WriteStartObject("killedBy");
        json.WriteNumber("randomSequence", result.Verdicts.Count(verdict => verdict.Conformance.By == KilledBy.RandomSequence));
        json.WriteNumber("sweepOnly", result.Verdicts.Count(verdict => verdict.Conformance.By == KilledBy.Sweep));
        json.WriteNumber("recordingOnly", result.Verdicts.Count(verdict => verdict.Conformance.By == KilledBy.Recording));
        json.WriteNumber("crash", result.Verdicts.Count(verdict => verdict.Conformance.By == KilledBy.Crash));
        json.WriteNumber("lawsByCrashOnly", result.Verdicts.Count(verdict => verdict.Shadow is null && verdict.Laws.By == KilledBy.Crash));
        json.WriteEndObject();
        json.WriteStartArray("survived");
        foreach (MutantVerdict verdict in result.Survivors)
            json.WriteStringValue(verdict.Id);
        json.WriteEndArray();
        json.WriteStartArray("survivedLaws");
        foreach (MutantVerdict verdict in result.Verdicts.Where(verdict => verdict.Shadow is null && !verdict.Laws.IsKilled))
            json.WriteStringValue(verdict.Id);
        json.WriteEndArray();
        json.WriteStartArray("equivalent");
        foreach (MutantVerdict verdict in result.Equivalent)
        {
            json.WriteStartObject();
            json.WriteString("mutant", verdict.Id);
            json.WriteString("shadowedBy", verdict.Shadow!.By);
            json.WriteNumber("occasions", verdict.Shadow.Occasions);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("seconds", Math.Round(result.Seconds, 3));
        json.WriteEndObject();
    });
}
