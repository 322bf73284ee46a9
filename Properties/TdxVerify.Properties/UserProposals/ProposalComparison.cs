using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Proposals;
using TdxVerify.Properties.Proposals.Manifest;

namespace TdxVerify.Properties.UserProposals;

/// <summary>What is known of a cell.</summary>
public enum CellState
{
    /// <summary>Proven.</summary>
    Held,

    /// <summary>Refuted only if what is possible again and again may be refused each time.</summary>
    HeldStrongly,

    /// <summary>Not decided.</summary>
    Open,

    /// <summary>Refuted.</summary>
    Refuted,
}

/// <summary>A cell that differs.</summary>
/// <param name="Configuration">The configuration.</param>
/// <param name="Property">The property.</param>
/// <param name="There">What is pinned of the baseline.</param>
/// <param name="Here">What came of the proposal.</param>
/// <param name="Steps">The steps of the run that refutes the one that is refuted, or more so; null: none is.</param>
public sealed record CellDifference(string Configuration, ProposalProperty Property, CellState There, CellState Here, int? Steps)
{
    /// <summary>The proposal is better there.</summary>
    public bool IsBetter => Here != CellState.Open && There != CellState.Open && Here < There;

    /// <summary>The proposal is worse there.</summary>
    public bool IsWorse => Here != CellState.Open && There != CellState.Open && Here > There;
}

/// <summary>A bound that differs.</summary>
/// <param name="Configuration">The configuration.</param>
/// <param name="JsonName">The bound, as JSON names it.</param>
/// <param name="Title">The bound, as tables name it.</param>
/// <param name="There">The pinned one of the baseline, as tables print it.</param>
/// <param name="Here">That of the proposal.</param>
public sealed record BoundDifference(string Configuration, string JsonName, string Title, string There, string Here);

/// <summary>A proposal beside a baseline, of which all results are pinned: it is not run again.</summary>
/// <param name="With">The baseline.</param>
/// <param name="Verdicts">What the baseline is, property by property, on the same configurations.</param>
/// <param name="Bounds">The bounds of the baseline on them, as tables print them.</param>
/// <param name="Cells">The cells that differ.</param>
/// <param name="BoundCells">The bounds that differ.</param>
public sealed record ProposalComparison(
    Proposal With, IReadOnlyList<bool?> Verdicts, IReadOnlyList<string> Bounds, IReadOnlyList<CellDifference> Cells, IReadOnlyList<BoundDifference> BoundCells)
{
    /// <summary>What the baseline is, all in all.</summary>
    public ProposalVerdict Verdict => Verdicts.Aggregate((bool?)true, Judgement.And) switch
    {
        true => ProposalVerdict.Safe,
        false => ProposalVerdict.Unsafe,
        null => ProposalVerdict.Undecided,
    };

    /// <summary>Cells in which the proposal is better.</summary>
    public int Better => Cells.Count(cell => cell.IsBetter);

    /// <summary>Cells in which the proposal is worse.</summary>
    public int Worse => Cells.Count(cell => cell.IsWorse);

    /// <summary>The shortest run that refutes a cell which holds for the baseline; null: there is none.</summary>
    public Refutation? ShortestWorse(ProposalReport report)
    {
        if (Cells.Where(cell => cell is { IsWorse: true, Here: CellState.Refuted }).MinBy(cell => cell.Steps) is not { } worst)
            return null;
        ConfigurationResult result = report.Results.First(result => result.Configuration.Name == worst.Configuration);
        return report.Refutations.FirstOrDefault(refutation => refutation.Property == worst.Property && refutation.In == result)
            ?? new Refutation(worst.Property, result, result.Finding(worst.Property)!, null);
    }

    /// <summary>Configurations with those first of which few states of Linux 6.19 are pinned, so that a verdict comes early.</summary>
    public static IReadOnlyList<StandardConfiguration> SmallFirst(IEnumerable<StandardConfiguration> configurations)
    {
        Dictionary<string, long> states = ProposalManifest.CellsOf(Upstream.V6_19).ToDictionary(pin => pin.Configuration, pin => pin.States);
        return [.. configurations.OrderBy(configuration => !configuration.IsExplored).ThenBy(configuration => states[configuration.Name])];
    }

    /// <summary>Compares what came of a proposal with what is pinned of Linux 6.19, on the configurations that were looked at.</summary>
    public static ProposalComparison WithUpstream(ProposalReport report)
    {
        Proposal upstream = Upstream.V6_19;
        Dictionary<string, CellPin> pins = ProposalManifest.CellsOf(upstream).ToDictionary(pin => pin.Configuration);
        (CellPin There, CellPin Here)[] pairs = [.. report.Results.Select(result => (pins[result.Configuration.Name], CellPin.Of(report.Proposal, result)))];
        bool anyExplored = report.Results.Any(result => result.Configuration.IsExplored);
        CellPin[] explored = [.. pairs.Select(pair => pair.There).Where(pin => !anyExplored || StandardConfigurations.Find(pin.Configuration)!.IsExplored)];
        return new ProposalComparison(
            upstream,
            [.. ProposalProperties.All.Select(property => Judge([.. pairs.Select(pair => pair.There)], explored, property))],
            [.. Proposals.Bounds.Unknown.All.Select((_, bound) => CellPin.Most(explored, bound))],
            [.. pairs.SelectMany(pair => Differing(pair.There, pair.Here))],
            [.. pairs.SelectMany(pair => DifferingBounds(pair.There, pair.Here))]);
    }

    private static bool? Judge(CellPin[] all, CellPin[] explored, ProposalProperty property) =>
        all.Any(pin => pin.Refutes(property)) ? false : explored.Any(pin => pin[property] == CellPin.Open) ? null : true;

    private static IEnumerable<CellDifference> Differing(CellPin there, CellPin here) =>
        from property in ProposalProperties.All
        where there[property] != CellPin.NotAsked && here[property] != CellPin.NotAsked
        let before = StateOf(there, property)
        let now = StateOf(here, property)
        where before != now
        select new CellDifference(here.Configuration, property, before, now, (now > before ? here : there).StepsOf(property));

    private static CellState StateOf(CellPin pin, ProposalProperty property) => pin[property] switch
    {
        CellPin.Held => CellState.Held,
        CellPin.Open => CellState.Open,
        _ => pin.Refutes(property) ? CellState.Refuted : CellState.HeldStrongly,
    };

    private static IEnumerable<BoundDifference> DifferingBounds(CellPin there, CellPin here) => Proposals.Bounds.Unknown.All
        .Select((bound, number) => new BoundDifference(here.Configuration, bound.JsonName, bound.Title, there.Bounds[number], here.Bounds[number]))
        .Where(bound => bound.There != bound.Here);
}
