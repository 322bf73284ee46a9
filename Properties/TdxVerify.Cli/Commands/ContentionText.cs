using TdxVerify.Abi;
using TdxVerify.Properties.Contention;

namespace TdxVerify.Cli.Commands;

/// <summary>Contention for a reader.</summary>
internal sealed class ContentionText(Terminal terminal)
{
    public void WriteComparison(ModuleProfile profile, string folder, Granularity granularity, ContentionResult result, TimeSpan time)
    {
        terminal.Out.WriteLine($"{terminal.Bold("contention")}  model of TDX module {profile.Name()}, compared with {folder}{(granularity == Granularity.All ? ", each atomic instruction of a lock a step" : "")}");
        terminal.Out.WriteLine();
        foreach (PairDifference difference in result.Differences)
            Write(difference);
        int unexplained = result.Differences.Count(difference => StatedLimits.Explain(difference) is null);
        string verdict = unexplained == 0 ? terminal.Good("agree") : terminal.Bad("disagree");
        terminal.Out.WriteLine(
            $"{verdict}  {result.Pairs - result.Differences.Count:#,0} of {result.Pairs:#,0} pairs have the recorded outcomes, "
            + $"{result.Differences.Count - unexplained} differ as explained, {unexplained} differ; {result.States:#,0} states in {time.TotalSeconds:0.0} s");
    }

    public void WriteMatrix(ContentionMatrix matrix, TimeSpan time)
    {
        terminal.Out.WriteLine($"{terminal.Bold("contention")}  model of TDX module {matrix.Profile.Name()}: who makes whom return OPERAND_BUSY");
        terminal.Out.WriteLine();
        int widest = matrix.ByLeaf().Max(row => row.Leaf.Length);
        foreach ((string leaf, string operand, IReadOnlyCollection<string> makers) in matrix.ByLeaf())
            Paragraph.Write(terminal, $"{leaf.PadRight(widest)}  {operand,-10}", string.Join(", ", makers.Select(Paragraph.Unbroken)));
        terminal.Out.WriteLine();
        WritePairs("Halts the module", matrix.Pairs.Where(pair => pair.HaltsModule));
        WritePairs("Outcomes that neither order of the calls gives", matrix.Pairs.Where(pair => !pair.IsSerializable));
        terminal.Out.WriteLine($"{matrix.Pairs.Count:#,0} pairs, {matrix.States:#,0} states, {time.TotalSeconds:0.0} s");
    }

    private void Write(PairDifference difference)
    {
        terminal.Out.WriteLine($"  {difference.Pair.Scenario}: {terminal.Bold(difference.Pair.A)} and {terminal.Bold(difference.Pair.B)}");
        foreach (string outcome in difference.Missing)
            terminal.Out.WriteLine($"    {terminal.Bad("recorded, not in the model")}  {outcome}");
        foreach (string outcome in difference.Extra)
            terminal.Out.WriteLine($"    {terminal.Bad("in the model, not recorded")}  {outcome}");
        if (StatedLimits.Explain(difference) is { } why)
            Paragraph.Write(terminal, "    explained ", why);
        terminal.Out.WriteLine();
    }

    private void WritePairs(string heading, IEnumerable<ContentionPair> pairs)
    {
        terminal.Out.WriteLine(terminal.Bold(heading));
        foreach (ContentionPair pair in pairs)
        {
            terminal.Out.WriteLine($"  {pair.Scenario}: {pair.A.Name} and {pair.B.Name}");
            foreach (string outcome in pair.Result.Outcomes.Where(outcome => outcome == PairResult.Fatal || PairResult.IsNotSerializable(outcome)))
                terminal.Out.WriteLine($"    {outcome}");
        }

        terminal.Out.WriteLine();
    }
}
