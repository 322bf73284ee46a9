using TdxVerify.Host.Field;
using TdxVerify.Properties.Exploration;
using TdxVerify.Properties.Exploration.Reports;

namespace TdxVerify.Properties.LockMaps;

/// <summary>A finding explored: all states of its small system.</summary>
/// <param name="Shown">A shortest run to the event that shows it; null: no run comes to it.</param>
/// <param name="States">States of the system.</param>
public sealed record LockFindingRun(Counterexample? Shown, long States)
{
    /// <summary>Explores a finding.</summary>
    public static LockFindingRun Of(LockFinding finding)
    {
        ExploreReport report = Explorer.Run(finding.Configuration, new SearchOptions { Workers = 1 }, witnesses: true);
        Counterexample? shown = report.Violations.FirstOrDefault(run => run.Property == finding.Shows)
            ?? report.Sometimes.FirstOrDefault(some => some.Name == finding.Shows)?.Witness;
        return new LockFindingRun(shown, report.Search.States);
    }
}
