using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Explain;
using TdxVerify.Properties.Proposals;
using TdxVerify.Properties.UserProposals;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary>A user's proposal at a terminal: what is refuted as soon as it is, and at the end all of it beside Linux 6.19.</summary>
internal sealed class CheckText(Terminal terminal)
{
    private const int RedrawMilliseconds = 250;
    private const int NameWidth = 22;
    private const int ConfigurationWidth = 36;

    private readonly Lock _writing = new();
    private readonly HashSet<ProposalProperty> _told = [];
    private bool _hasStatus;

    /// <summary>Runs, and tells each property when the first run is found that refutes it.</summary>
    public IReadOnlyList<ProposalReport> RunLive(Proposal proposal, ProposalRun run)
    {
        terminal.Out.WriteLine($"{terminal.Bold(proposal.Name)}  {Counted.Of(run.Cells, "configuration")}, small ones first");
        terminal.Out.Flush();
        run.CellDone += (_, result) => Tell(result, run.Elapsed);
        try
        {
            return Redrawn.While(terminal, RedrawMilliseconds, () => ShowStatus(run), run.Run);
        }
        finally
        {
            ClearStatus();
        }
    }

    /// <summary>Writes what came of it.</summary>
    public void Write(ProposalReport report, ProposalComparison comparison, TimeSpan time)
    {
        terminal.Out.WriteLine();
        WriteVerdicts(report, comparison);
        WriteDifference(report, comparison);
        WriteCounterexample(report, comparison);
        string verdict = report.Verdict.ToString().ToLowerInvariant();
        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"{(report.Verdict == ProposalVerdict.Safe ? terminal.Good(verdict) : terminal.Bad(verdict))}  {report.Proposal.Name}: "
            + $"{Counted.Of(comparison.Better, "cell")} better than {comparison.With.Name}, {comparison.Worse} worse; {report.States:N0} states, {time.TotalSeconds:0.0} s");
    }

    private static string Name(CellState state) => state switch
    {
        CellState.Held => "holds",
        CellState.HeldStrongly => "holds under strong fairness",
        CellState.Open => "is not decided",
        _ => "is refuted",
    };

    private void Tell(ConfigurationResult result, TimeSpan at)
    {
        lock (_writing)
        {
            foreach (ProposalProperty property in ProposalProperties.All)
            {
                if (result.Finding(property) is not { OnlyWeakly: false } finding || !_told.Add(property))
                    continue;
                ClearStatus();
                terminal.Out.WriteLine($"  {terminal.Bad("✗")} {$"not {property.Title()}",-NameWidth} {result.Configuration.Name}, {finding.Run.Steps} steps {terminal.Faint($"({at.TotalSeconds:0.0} s)")}");
                terminal.Out.Flush();
            }
        }
    }

    private void ShowStatus(ProposalRun run)
    {
        lock (_writing)
        {
            string line = $"{run.Done} of {run.Cells} configurations, {run.Elapsed.TotalSeconds:0} s: {string.Join(", ", run.UnderWay)}";
            terminal.ShowLine(line, terminal.Faint);
            _hasStatus = true;
        }
    }

    private void ClearStatus()
    {
        if (_hasStatus)
            terminal.ClearLine();
        _hasStatus = false;
    }

    private void WriteVerdicts(ProposalReport report, ProposalComparison comparison)
    {
        int here = Math.Max(report.Proposal.Name.Length, 6) + 2;
        terminal.Out.WriteLine(terminal.Faint($"  {"",-NameWidth}{report.Proposal.Name.PadRight(here)}{comparison.With.Name}"));
        foreach ((ProposalProperty property, bool? there) in ProposalProperties.All.Zip(comparison.Verdicts))
        {
            bool? holds = report.Holds(property);
            string mark = VerdictMark.Of(holds, report.Holds(property, weakly: true));
            string style = holds switch
            {
                false => terminal.Bad(mark),
                true => terminal.Good(mark),
                _ => mark,
            };
            terminal.Out.WriteLine($"  {property.Title(),-NameWidth}{style}{new string(' ', here - mark.Length)}{VerdictMark.Of(there, null)}");
        }

        foreach (((_, string title, Bound bound), string there) in report.Bounds.All.Zip(comparison.Bounds))
            terminal.Out.WriteLine($"  {$"most {title}",-NameWidth}{$"{bound}".PadRight(here)}{there}");
        terminal.Out.WriteLine();
        Paragraph.Write(terminal, "  ", terminal.Faint($"✓ proven in every configuration that is explored to the end, ✗ refuted, ? not decided, (✓) only under strong fairness; most in a row over all schedules: "
            + $"~ as long as another agent stands still, ∞ without end, ≥ not proven. What {comparison.With.Name} does is pinned, not explored again."));
    }

    private void WriteDifference(ProposalReport report, ProposalComparison comparison)
    {
        terminal.Out.WriteLine();
        string where = Counted.Of(report.Results.Count, "configuration");
        if (comparison.Cells.Count == 0 && comparison.BoundCells.Count == 0)
        {
            terminal.Out.WriteLine($"No cell and no bound differs from {comparison.With.Name} on {where}.");
            return;
        }

        terminal.Out.WriteLine(terminal.Bold($"Difference from {comparison.With.Name} on {where}"));
        foreach (CellDifference cell in comparison.Cells)
        {
            string mark = cell.IsBetter ? terminal.Good("better") : cell.IsWorse ? terminal.Bad("worse ") : "open  ";
            string steps = cell.Steps is { } length ? $", {length} steps" : "";
            Paragraph.Write(terminal, $"  {mark} {cell.Configuration,-ConfigurationWidth}", $"{cell.Property.Title()} {Name(cell.Here)} here, {Name(cell.There)} there{steps}");
        }

        foreach (IGrouping<string, BoundDifference> bounds in comparison.BoundCells.GroupBy(bound => bound.Configuration))
            Paragraph.Write(terminal, $"  bounds {bounds.Key,-ConfigurationWidth}", string.Join(", ", bounds.Select(bound => Paragraph.Unbroken($"{bound.Title} {bound.Here}, there {bound.There}"))));
    }

    private void WriteCounterexample(ProposalReport report, ProposalComparison comparison)
    {
        if (report.Refutations.MinBy(refutation => refutation.Finding.Run.Steps) is not { } shortest)
            return;
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Bold("Refuted, by the shortest run for each property"));
        foreach (Refutation refutation in report.Refutations)
            Paragraph.Write(terminal, $"  {refutation.Property.Title(),-NameWidth}", RefutationText.Line(refutation));

        WriteRun(shortest, "the shortest run that refutes it");
        if (comparison.ShortestWorse(report) is { } worse && (worse.Property, worse.In) != (shortest.Property, shortest.In))
            WriteRun(worse, $"the shortest run of what holds for {comparison.With.Name}");
    }

    private void WriteRun(Refutation refutation, string what) => RefutationText.WriteRun(terminal, refutation, $"not {refutation.Property.Title()}: {what}");
}
