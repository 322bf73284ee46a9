using TdxVerify.Abi;

namespace TdxVerify.Properties.Exploration.Reports;

/// <summary>What came of exploring a configuration.</summary>
/// <param name="Name">The configuration.</param>
/// <param name="Profile">The module.</param>
/// <param name="Verdict">The verdict.</param>
/// <param name="Search">How large it is.</param>
/// <param name="Workers">Threads used.</param>
/// <param name="Symmetry">Renamings were one state.</param>
/// <param name="PartialOrder">Independent steps came first.</param>
/// <param name="Violations">Laws that are broken, each with a run.</param>
/// <param name="Liveness">Who need not get on.</param>
/// <param name="LivenessNotJudged">Why that was not looked at; null: it was.</param>
/// <param name="StoppedBy">Why not everything was explored; null: it was.</param>
/// <param name="Sometimes">Cases that occurred, and those that should have.</param>
public sealed record ExploreReport(
    string Name,
    ModuleProfile Profile,
    Verdict Verdict,
    SearchProgress Search,
    int Workers,
    bool Symmetry,
    bool PartialOrder,
    IReadOnlyList<Counterexample> Violations,
    IReadOnlyList<LivenessReport> Liveness,
    string? LivenessNotJudged,
    string? StoppedBy,
    IReadOnlyList<SometimesReport> Sometimes)
{
    /// <summary>The counterexample that the verdict rests on; null: there is none.</summary>
    public Counterexample? Counterexample =>
        Violations.Count > 0 ? Violations[0] : Liveness.FirstOrDefault(finding => finding.UnderStrongFairness)?.Run;

    /// <summary>Guards that did not occur: a verdict that everything held means little then.</summary>
    public IEnumerable<string> MissingGuards => Sometimes.Where(sometimes => sometimes.IsGuard && sometimes.Depth is null).Select(sometimes => sometimes.Name);
}
