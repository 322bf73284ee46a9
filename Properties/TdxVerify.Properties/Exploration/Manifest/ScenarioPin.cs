using TdxVerify.Properties.Exploration.Reports;

namespace TdxVerify.Properties.Exploration.Manifest;

/// <summary>What exploring a scenario must come to: a row of the manifest.</summary>
/// <param name="Name">The scenario.</param>
/// <param name="IsLarge">It takes more than a few seconds: tests leave it out, <c>explore --check --all</c> does not.</param>
/// <param name="Verdict">The verdict without reductions.</param>
/// <param name="States">States without reductions; null: not explored so, it would not fit.</param>
/// <param name="Transitions">Transitions without reductions.</param>
/// <param name="Depth">Levels without reductions.</param>
/// <param name="Symmetry">States with symmetry reduction; null: not explored so.</param>
/// <param name="PartialOrder">States with partial-order reduction; null: not explored so.</param>
/// <param name="Both">States with both.</param>
public sealed record ScenarioPin(string Name, bool IsLarge, Verdict Verdict, long? States, long? Transitions, int? Depth, long? Symmetry, long? PartialOrder, long? Both)
{
    /// <summary>The pinned number of states with some reductions; null: it is not explored so.</summary>
    public long? StatesWith(bool symmetry, bool partialOrder) => (symmetry, partialOrder) switch
    {
        (false, false) => States,
        (true, false) => Symmetry,
        (false, true) => PartialOrder,
        _ => Both,
    };
}
