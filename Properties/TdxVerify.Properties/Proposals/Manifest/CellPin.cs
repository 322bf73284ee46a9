using System.Globalization;
using TdxVerify.Host.Proposals;

namespace TdxVerify.Properties.Proposals.Manifest;

/// <summary>What came of a proposal in one configuration: a row of <c>proposals.csv</c>.</summary>
/// <param name="Proposal">The proposal.</param>
/// <param name="Configuration">The configuration.</param>
/// <param name="Coverage">How much was looked at.</param>
/// <param name="States">States.</param>
/// <param name="Judgements">One for each property, in their order: <see cref="Held"/>, the steps of the run that refutes it, <c>weak</c> and the steps of one under weak fairness alone, <see cref="Open"/>, <see cref="NotAsked"/>.</param>
/// <param name="Bounds">One for each bound, as tables print it.</param>
public sealed record CellPin(
    string Proposal, string Configuration, Coverage Coverage, long States, IReadOnlyList<string> Judgements, IReadOnlyList<string> Bounds)
{
    /// <summary>Proven.</summary>
    public const string Held = "held";

    /// <summary>Not decided.</summary>
    public const string Open = "open";

    /// <summary>Not asked for in this configuration.</summary>
    public const string NotAsked = "-";

    private const string Weak = "weak ";

    /// <summary>The columns.</summary>
    public static string Header { get; } =
        $"proposal,configuration,coverage,states,{string.Join(',', ProposalProperties.All.Select(property => property.JsonName()))},{string.Join(',', Proposals.Bounds.Unknown.All.Select(bound => bound.JsonName))}";

    /// <summary>The row as it is written.</summary>
    public string Row => string.Join(
        ',', [Proposal, Configuration, Coverage.ToString().ToLowerInvariant(), States.ToString(CultureInfo.InvariantCulture), .. Judgements, .. Bounds]);

    /// <summary>What was found.</summary>
    public static CellPin Of(Proposal proposal, ConfigurationResult result) => new(
        proposal.Name, result.Configuration.Name, result.Result.Coverage, result.Result.States,
        [.. ProposalProperties.All.Select(property => Judge(result, property))],
        [.. result.Result.Bounds.All.Select(bound => bound.Bound.ToString())]);

    /// <summary>Of a row.</summary>
    internal static CellPin Parse(string[] row) => new(
        row[0], row[1], Enum.Parse<Coverage>(row[2], ignoreCase: true), long.Parse(row[3], CultureInfo.InvariantCulture),
        row[4..(4 + ProposalProperties.All.Count)], row[(4 + ProposalProperties.All.Count)..]);

    /// <summary>What is pinned of a property.</summary>
    public string this[ProposalProperty property] => Judgements[(int)property];

    /// <summary>The property is refuted, strongly.</summary>
    public bool Refutes(ProposalProperty property) => char.IsAsciiDigit(this[property][0]);

    /// <summary>The steps of the run that refutes the property, if only weakly; null: there is none.</summary>
    public int? StepsOf(ProposalProperty property) =>
        int.TryParse(this[property].Replace(Weak, "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out int steps) ? steps : null;

    /// <summary>The most of a bound in some cells, as <see cref="Bound"/> prints it.</summary>
    public static string Most(IEnumerable<CellPin> cells, int bound)
    {
        string[] all = [.. cells.Select(cell => cell.Bounds[bound])];
        string mark = all.Any(each => each.StartsWith('≥')) ? "≥" : "";
        if (all.Contains("∞"))
            return "∞";
        return mark + (all.Any(each => each.EndsWith('~')) ? "~" : all.Select(each => int.Parse(each.TrimStart('≥'), CultureInfo.InvariantCulture)).DefaultIfEmpty().Max().ToString(CultureInfo.InvariantCulture));
    }

    private static string Judge(ConfigurationResult result, ProposalProperty property)
    {
        if (!result.Asks(property))
            return NotAsked;
        string steps = result.Finding(property)?.Run.Steps.ToString(CultureInfo.InvariantCulture) ?? "";
        return (result.Holds(property), result.Holds(property, weakly: true)) switch
        {
            (false, _) => steps,
            (null, _) => Open,
            (true, false) => Weak + steps,
            _ => Held,
        };
    }
}
