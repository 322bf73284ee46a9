using TdxVerify.Host;
using TdxVerify.Properties.Exploration.Reports;

namespace TdxVerify.Properties.Exploration.Manifest;

/// <summary>A scenario explored in the ways that the manifest pins, and compared with it.</summary>
/// <param name="Scenario">The scenario.</param>
/// <param name="Pin">What the manifest says; null: it is not in it.</param>
/// <param name="Found">What was found; counts of ways that were not explored are null.</param>
/// <param name="Missing">Guards that did not occur in some way of exploring, and what occurred without reductions but not with them.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record ScenarioCheck(Scenario Scenario, ScenarioPin? Pin, ScenarioPin Found, IReadOnlyList<string> Missing, double Seconds)
{
    /// <summary>It is as pinned.</summary>
    public bool Agrees => Pin == Found && Missing.Count == 0;

    /// <summary>Explores a scenario without reductions, with each, and with both.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="options">Workers and memory.</param>
    /// <param name="progress">Told every second how far a search is; null: nobody.</param>
    public static ScenarioCheck Run(Scenario scenario, SearchOptions options, Action<SearchProgress>? progress = null)
    {
        ScenarioPin? pin = ScenarioManifest.Find(scenario.Name);
        long start = TimeProvider.System.GetTimestamp();
        var missing = new HashSet<string>();
        HashSet<string>? seen = null;
        ExploreReport? full = Explore(symmetry: false, partialOrder: false);
        ExploreReport? symmetric = Explore(symmetry: true, partialOrder: false);
        ExploreReport? ordered = Explore(symmetry: false, partialOrder: true);
        ExploreReport? both = Explore(symmetry: true, partialOrder: true);
        var found = new ScenarioPin(
            scenario.Name, pin?.IsLarge ?? false, (full ?? both)?.Verdict ?? Verdict.Incomplete, full?.Search.States, full?.Search.Transitions, full?.Search.Depth,
            symmetric?.Search.States, ordered?.Search.States, both?.Search.States);
        return new ScenarioCheck(scenario, pin, found, [.. missing], TimeProvider.System.GetElapsedTime(start).TotalSeconds);

        ExploreReport? Explore(bool symmetry, bool partialOrder)
        {
            if (pin is not null && pin.StatesWith(symmetry, partialOrder) is null)
                return null;
            ExploreReport report = Explorer.Run(scenario.Configuration, options with { Symmetry = symmetry, PartialOrder = partialOrder, GoesOn = true }, progress);
            missing.UnionWith(report.MissingGuards);
            seen ??= Occurred(report);
            missing.UnionWith(seen.Except(Occurred(report)).Select(each => $"{each} (with {(symmetry ? "symmetry" : "")}{(symmetry && partialOrder ? " and " : "")}{(partialOrder ? "partial order" : "")})"));
            return report;
        }
    }

    private static HashSet<string> Occurred(ExploreReport report) =>
        [.. report.Sometimes.Where(each => each.Depth is not null).Select(each => each.Name), .. report.Violations.Select(each => each.Property)];
}
