using System.Text.Json;
using TdxVerify.Abi;
using TdxVerify.Properties.Explain;

namespace TdxVerify.Cli.Commands;

/// <summary>Explanations as one JSON document.</summary>
internal static class ExplainJson
{
    public static void Write(Terminal terminal, IReadOnlyList<ExplainedFinding> all) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("statuses");
        foreach (ExplainedFinding explained in all)
            WriteOne(json, explained);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void WriteOne(Utf8JsonWriter json, ExplainedFinding explained)
    {
        (LogFinding finding, StatusExplanation explanation) = explained;
        StatusCode status = explanation.Query.Status;
        json.WriteStartObject();
        json.WriteString("value", Hex(status.Value));
        json.WriteString("name", explanation.Query.Name);
        json.WriteString("status", KernelStatus.NameOf(status.Value) ?? explanation.Query.BareName);
        json.WriteString("kind", explanation.Kind);
        json.WriteString("class", explanation.Class);
        json.WriteBoolean("error", status.IsError);
        json.WriteBoolean("nonRecoverable", status.IsNonRecoverable);
        json.WriteBoolean("fatal", status.IsFatal);
        json.WriteBoolean("hostRecoverabilityHint", status.HasHostRecoverabilityHint);
        WriteNumber(json, "details", explanation.Query.AnyDetails ? null : status.Details);
        json.WriteString("detailsText", explanation.Detail);
        json.WriteString("retry", RetryName(explanation.Retry));
        json.WriteString("retryAdvice", explanation.RetryAdvice);
        json.WriteString("note", explanation.Note);
        json.WriteString("leaf", explanation.Leaf);
        json.WriteBoolean("modelled", explanation.LeafIsModelled);
        WriteOrigins(json, explanation.Origins);
        WriteFound(json, finding);
        WriteSeptEntry(json, explained.SeptEntry);
        WritePamtEntry(json, explained.PamtEntry);
        json.WriteEndObject();
    }

    private static string? RetryName(Retry? retry) => retry switch
    {
        Retry.NotApplicable => "not-applicable",
        Retry.Yes => "yes",
        Retry.After => "after",
        Retry.No => "no",
        _ => null,
    };

    private static void WriteOrigins(Utf8JsonWriter json, IReadOnlyList<StatusOrigin> origins)
    {
        json.WriteStartArray("origins");
        foreach (StatusOrigin origin in origins)
        {
            json.WriteStartObject();
            json.WriteString("leaf", origin.Leaf);
            json.WriteNumber("step", origin.Step);
            json.WriteString("kind", origin.Kind);
            json.WriteString("text", origin.Text);
            json.WriteString("status", Hex(origin.Status));
            json.WriteString("registers", origin.Registers);
            json.WriteString("holders", origin.Holders);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteFound(Utf8JsonWriter json, LogFinding finding)
    {
        json.WriteString("text", finding.Text);
        json.WriteStartArray("lines");
        foreach (int line in finding.Lines)
            json.WriteNumberValue(line);
        json.WriteEndArray();
    }

    private static void WriteSeptEntry(Utf8JsonWriter json, SeptEntryDetails? entry)
    {
        if (entry is null)
        {
            json.WriteNull("septEntry");
            return;
        }

        json.WriteStartObject("septEntry");
        json.WriteString("rcx", Hex(entry.Rcx));
        json.WriteString("rdx", Hex(entry.Rdx));
        json.WriteNumber("level", entry.Level);
        json.WriteNumber("state", entry.State);
        json.WriteString("stateName", entry.StateName);
        json.WriteBoolean("leaf", entry.IsLeaf);
        json.WriteNumber("vm", entry.Vm);
        json.WriteString("access", entry.Access);
        json.WriteString("hpa", entry.Hpa is { } hpa ? $"0x{hpa:x}" : null);
        json.WriteEndObject();
    }

    private static void WritePamtEntry(Utf8JsonWriter json, PamtEntryDetails? entry)
    {
        if (entry is null)
        {
            json.WriteNull("pamtEntry");
            return;
        }

        json.WriteStartObject("pamtEntry");
        json.WriteString("type", entry.TypeName);
        json.WriteString("owner", $"0x{entry.Owner:x}");
        WriteNumber(json, "size", entry.Size);
        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, ulong? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }

    private static string Hex(ulong value) => $"0x{value:x16}";
}
