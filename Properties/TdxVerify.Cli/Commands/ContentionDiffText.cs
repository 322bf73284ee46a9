using TdxVerify.Abi;
using TdxVerify.Properties.Contention;

namespace TdxVerify.Cli.Commands;

/// <summary>What a module version changes for the host, for a reader at a terminal.</summary>
internal sealed class ContentionDiffText(Terminal terminal)
{
    public void Write(ContentionDiff diff, TimeSpan time)
    {
        terminal.Out.WriteLine($"{terminal.Bold("contention")}  what {diff.After.Name()} changes for calls that overlap, compared with {diff.Before.Name()}");
        terminal.Out.WriteLine();
        WriteBusy("New BUSY", DiffSummary.NewBusy(diff), terminal.Bad);
        WriteBusy("BUSY that is gone", DiffSummary.GoneBusy(diff), terminal.Good);
        WritePairs("Newly halts the module", diff.Pairs, change => change.NewlyHalts ? [PairResult.Fatal] : []);
        WritePairs("No longer halts the module", diff.Pairs, change => change.NoLongerHalts ? [PairResult.Fatal] : []);
        WritePairs("New outcomes that neither order of the calls gives", diff.Pairs, change => change.NewNotSerializable);
        WritePairs("Such outcomes that are gone", diff.Pairs, change => change.GoneNotSerializable);
        WriteAnswers(DiffSummary.OtherAnswers(diff));
        terminal.Out.WriteLine($"{diff.Pairs.Count:#,0} of {diff.Compared:#,0} pairs have other outcomes, {time.TotalSeconds:0.0} s");
    }

    private void WriteBusy(string heading, IReadOnlyList<BusyRow> rows, Func<string, string> style)
    {
        bool partly = rows.Any(row => row.Makers.Any(maker => !maker.Everywhere));
        terminal.Out.WriteLine($"{terminal.Bold(heading)}{(rows.Count == 0 ? ": none" : partly ? terminal.Faint(" (with a number: only in so many pairs of these leaves)") : "")}");
        foreach (BusyRow row in rows)
        {
            string leaf = row.Leaf.PadRight(rows.Max(each => each.Leaf.Length));
            string padding = new(' ', rows.Max(each => each.Operand.Length) - row.Operand.Length);
            Paragraph.Write(terminal, $"  {leaf}  {style(row.Operand)}{padding}  ", string.Join(", ", row.Makers.Select(Describe)) + Example(row));
        }

        terminal.Out.WriteLine();
    }

    private static string Describe(BusyMaker maker) => maker.Everywhere ? maker.Leaf : $"{maker.Leaf} ({maker.Pairs})";

    private static string Example(BusyRow row) =>
        row.Makers.FirstOrDefault(maker => !maker.Everywhere) is { Example: var pair } ? $"; such as {pair.A.Name} and {pair.B.Name}" : "";

    private void WritePairs(string heading, IEnumerable<PairChange> changes, Func<PairChange, IEnumerable<string>> outcomes)
    {
        PairChange[] all = [.. changes.Where(change => outcomes(change).Any())];
        terminal.Out.WriteLine($"{terminal.Bold(heading)}{(all.Length == 0 ? ": none" : "")}");
        foreach (PairChange change in all)
        {
            terminal.Out.WriteLine($"  {change.After.Scenario}: {change.After.A.Name} and {change.After.B.Name}");
            foreach (string outcome in outcomes(change))
                terminal.Out.WriteLine($"    {outcome}");
        }

        terminal.Out.WriteLine();
    }

    private void WriteAnswers(IReadOnlyList<AnswerRow> rows)
    {
        terminal.Out.WriteLine($"{terminal.Bold("Other answers")}{(rows.Count == 0 ? ": none" : "")}");
        foreach (AnswerRow row in rows)
        {
            terminal.Out.WriteLine($"  {row.Leaf} {terminal.Faint(row.Pairs == 1 ? "in 1 pair" : $"in {row.Pairs} pairs")}");
            if (row.New.Count > 0)
                Paragraph.Write(terminal, "    new   ", string.Join(", ", row.New));
            if (row.Gone.Count > 0)
                Paragraph.Write(terminal, "    gone  ", string.Join(", ", row.Gone));
        }

        terminal.Out.WriteLine();
    }
}
