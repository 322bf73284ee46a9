using TdxVerify.Properties.Explain;

namespace TdxVerify.Cli.Commands;

/// <summary>Explanations as people read them.</summary>
internal static class ExplainText
{
    // A status that every leaf can return would fill screens.
    private const int MaxOrigins = 16;

    // A failure that repeats does so thousands of times.
    private const int MaxLines = 6;

    // Who can hold a lock fills lines; for more locks than these a leaf is to be named.
    private const int MaxLocks = 4;

    private const string Indent = "  ";

    public static void Write(Terminal terminal, IReadOnlyList<ExplainedFinding> all)
    {
        for (int index = 0; index < all.Count; index++)
        {
            if (index > 0)
                terminal.Out.WriteLine();
            WriteOne(terminal, all[index]);
        }
    }

    private static void WriteOne(Terminal terminal, ExplainedFinding explained)
    {
        (LogFinding finding, StatusExplanation explanation) = explained;
        StatusQuery query = explanation.Query;
        string value = query.AnyDetails ? $"0x{query.Status.Value >> 32:X8}xxxxxxxx" : $"0x{query.Status.Value:X16}";
        string name = query.Status.Info is null && KernelStatus.NameOf(query.Status.Value) is null ? "unknown status" : query.Name;
        terminal.Out.WriteLine($"{value}  {terminal.Bold(name)}");

        List<(string, string)> rows = [];
        if (finding.Text.Length > 0)
            rows.Add(("found in", finding.Text + Where(finding.Lines)));
        rows.Add(("kind", Kind(explanation)));
        Add(rows, "details", explanation.Detail);
        Add(rows, "leaf", explanation.Leaf ?? "");
        Add(rows, "S-EPT entry", SeptEntry(explained));
        Add(rows, "PAMT entry", PamtEntry(explained));
        rows.Add(("retry", explanation.RetryAdvice));
        Add(rows, "note", explanation.Note);
        Paragraph.WriteRows(terminal, Indent, rows);
        WriteOrigins(terminal, explanation);
    }

    private static void Add(List<(string, string)> rows, string label, string text)
    {
        if (text.Length > 0)
            rows.Add((label, text));
    }

    private static string Where(IReadOnlyList<int> lines) => lines.Count switch
    {
        0 => "",
        1 => $" (line {lines[0]})",
        _ => $" ({lines.Count} times: lines {string.Join(", ", lines.Take(MaxLines))}{(lines.Count > MaxLines ? ", ..." : "")})",
    };

    private static string Kind(StatusExplanation explanation)
    {
        string kind = explanation.Class.Length > 0 ? $"{explanation.Kind}; class {explanation.Class}" : explanation.Kind;
        return explanation.Flags.Count > 0 ? $"{kind}; {string.Join(", ", explanation.Flags)}" : kind;
    }

    private static string SeptEntry(ExplainedFinding explained) =>
        !explained.HasSeptEntry ? "" : explained.SeptEntry?.ToString() ?? "none in RCX and RDX: the call failed before it looked at an entry";

    private static string PamtEntry(ExplainedFinding explained) =>
        !explained.HasPamtEntry ? "" : explained.PamtEntry?.ToString() ?? "none in RCX and RDX: the call failed before it checked the page type";

    private static void WriteOrigins(Terminal terminal, StatusExplanation explanation)
    {
        if (explanation.Origins.Count == 0)
        {
            if (explanation.LeafIsModelled && explanation.Leaf is not null)
                Paragraph.Write(terminal, Indent, $"No step of {explanation.Leaf} returns this.");
            return;
        }

        string leaf = "";
        foreach (StatusOrigin origin in explanation.Origins.Take(MaxOrigins))
        {
            if (origin.Leaf != leaf)
                terminal.Out.WriteLine($"{Indent}{terminal.Bold(leaf = origin.Leaf)}");
            string registers = origin.Registers.Length > 0 ? $"; {origin.Registers}" : "";
            Paragraph.Write(terminal, $"{Indent}{Indent}step {origin.Step,2}, {origin.Kind}: ", origin.Text + registers);
        }

        int left = explanation.Origins.Count - MaxOrigins;
        if (left > 0)
            Paragraph.Write(terminal, Indent, $"and {left} more steps; --leaf NAME shows those of one leaf, --json all");
        WriteHolders(terminal, explanation);
    }

    private static void WriteHolders(Terminal terminal, StatusExplanation explanation)
    {
        string[] locks = [.. explanation.Origins.Select(origin => origin.Holders).Where(holders => holders.Length > 0).Distinct()];
        if (locks.Length == 0)
            return;
        int shown = explanation.Leaf is null ? MaxLocks : locks.Length;
        terminal.Out.WriteLine($"{Indent}{terminal.Bold("who can hold it against this call")}");
        foreach (string holders in locks.Take(shown))
            Paragraph.Write(terminal, Indent + Indent, holders);
        if (locks.Length > shown)
            Paragraph.Write(terminal, Indent + Indent, $"and {locks.Length - shown} more locks; --leaf NAME shows those of one leaf, --json all");
    }
}
