using TdxVerify.Abi;
using TdxVerify.Properties.Contention;
using TdxVerify.Properties.Lanes;

namespace TdxVerify.Cli.Commands;

/// <summary>Contention as Markdown, for a mail or a document.</summary>
internal static class ContentionMarkdown
{
    public static void WriteMatrix(TextWriter output, ContentionMatrix matrix)
    {
        output.WriteLine($"# Contention in TDX module {matrix.Profile.Name()}");
        output.WriteLine();
        output.WriteLine($"{matrix.Pairs.Count:#,0} pairs of calls, all interleavings.");
        output.WriteLine();
        output.WriteLine("| returns OPERAND_BUSY | operand | because of |");
        output.WriteLine("|---|---|---|");
        foreach ((string leaf, string operand, IReadOnlyCollection<string> makers) in matrix.ByLeaf())
            output.WriteLine($"| {leaf} | {operand} | {string.Join(", ", makers)} |");
        WriteList(output, "Halts the module", matrix.Pairs.Where(pair => pair.HaltsModule).Select(Describe));
        WriteList(
            output, "Outcomes that neither order of the calls gives",
            matrix.Pairs.SelectMany(pair => pair.Result.NotSerializableOutcomes.Select(outcome => $"{Describe(pair)}: {Outcome(outcome)}")));
    }

    public static void WriteDiff(TextWriter output, ContentionDiff diff)
    {
        output.WriteLine($"# What {diff.After.Name()} changes for calls that overlap, compared with {diff.Before.Name()}");
        output.WriteLine();
        output.WriteLine($"{diff.Pairs.Count:#,0} of {diff.Compared:#,0} pairs of calls have other outcomes.");
        WriteBusy(output, "New BUSY", DiffSummary.NewBusy(diff));
        WriteBusy(output, "BUSY that is gone", DiffSummary.GoneBusy(diff));
        WriteList(output, "Newly halts the module", diff.Pairs.Where(change => change.NewlyHalts).Select(change => Describe(change.After)));
        WriteList(output, "No longer halts the module", diff.Pairs.Where(change => change.NoLongerHalts).Select(change => Describe(change.After)));
        WriteList(
            output, "New outcomes that neither order of the calls gives",
            diff.Pairs.SelectMany(change => change.NewNotSerializable.Select(outcome => $"{Describe(change.After)}: {Outcome(outcome)}")));
        WriteList(
            output, "Such outcomes that are gone",
            diff.Pairs.SelectMany(change => change.GoneNotSerializable.Select(outcome => $"{Describe(change.Before)}: {Outcome(outcome)}")));
        IReadOnlyList<AnswerRow> answers = DiffSummary.OtherAnswers(diff);
        if (answers.Count == 0)
            return;
        output.WriteLine();
        output.WriteLine("## Other answers");
        output.WriteLine();
        output.WriteLine("| leaf | new | gone | pairs |");
        output.WriteLine("|---|---|---|---|");
        foreach (AnswerRow row in answers)
            output.WriteLine($"| {row.Leaf} | {string.Join(", ", row.New)} | {string.Join(", ", row.Gone)} | {row.Pairs} |");
    }

    public static void WritePairs(TextWriter output, ModuleProfile profile, IReadOnlyList<(ContentionPair Pair, IReadOnlyList<LaneDiagram> Lanes)> told)
    {
        foreach ((ContentionPair pair, IReadOnlyList<LaneDiagram> lanes) in told)
        {
            output.WriteLine($"# {Describe(pair)} (TDX module {profile.Name()})");
            output.WriteLine();
            foreach (string outcome in pair.Result.Outcomes)
                output.WriteLine($"- {Outcome(outcome)}");
            foreach (LaneDiagram diagram in lanes)
            {
                output.WriteLine();
                output.WriteLine($"## {diagram.Title}");
                output.WriteLine();
                output.WriteLine($"```mermaid\n{LaneMermaid.Write(diagram)}```");
            }
        }
    }

    private static void WriteBusy(TextWriter output, string heading, IReadOnlyList<BusyRow> rows)
    {
        output.WriteLine();
        output.WriteLine($"## {heading}");
        output.WriteLine();
        if (rows.Count == 0)
        {
            output.WriteLine("None.");
            return;
        }

        output.WriteLine("| leaf | operand | because of | pairs | such as |");
        output.WriteLine("|---|---|---|---|---|");
        foreach (BusyRow row in rows)
        {
            foreach (BusyMaker maker in row.Makers)
                output.WriteLine($"| {row.Leaf} | {row.Operand} | {maker.Leaf} | {maker.Pairs}{(maker.Everywhere ? " (all)" : "")} | {Describe(maker.Example)} |");
        }
    }

    private static void WriteList(TextWriter output, string heading, IEnumerable<string> lines)
    {
        output.WriteLine();
        output.WriteLine($"## {heading}");
        output.WriteLine();
        string[] all = [.. lines];
        foreach (string line in all)
            output.WriteLine($"- {line}");
        if (all.Length == 0)
            output.WriteLine("None.");
    }

    private static string Describe(ContentionPair pair) => $"{pair.Scenario}: {pair.A.Name} and {pair.B.Name}";

    private static string Outcome(string outcome) => $"`{outcome}`";
}
