using System.Globalization;
using TdxVerify.Host.Field;
using TdxVerify.Host.Proposals;

namespace TdxVerify.Properties.Proposals.Manifest;

/// <summary>What is pinned of proposals and of the bugs of the field, as Markdown tables.</summary>
public static class ProposalDocument
{
    /// <summary>A row for each proposal: verdicts, bounds, states.</summary>
    public static IEnumerable<string> Verdicts()
    {
        yield return $"| proposal | {string.Join(" | ", ProposalProperties.All.Select(property => property.Title()))} | {string.Join(" | ", Bounds.Unknown.All.Select(bound => bound.Title))} | states |";
        yield return $"|---|{string.Concat(Enumerable.Repeat("---|", ProposalProperties.All.Count))}{string.Concat(Enumerable.Repeat("--:|", Bounds.Unknown.All.Count + 1))}";
        foreach (Proposal proposal in ProposalTable.All)
        {
            CellPin[] cells = [.. ProposalManifest.CellsOf(proposal)];
            IEnumerable<string> properties = ProposalProperties.All.Select(property => Verdict(proposal, cells, property));
            IEnumerable<string> bounds = Bounds.Unknown.All.Select((_, bound) => CellPin.Most(Explored(cells), bound));
            yield return $"| `{proposal.Name}` | {string.Join(" | ", properties)} | {string.Join(" | ", bounds)} | {cells.Sum(cell => cell.States).ToString("#,0", CultureInfo.InvariantCulture)} |";
        }
    }

    /// <summary>A row for each configuration: what happens in it, and which proposals it refutes.</summary>
    public static IEnumerable<string> Refutations()
    {
        yield return $"| configuration | what happens | {string.Join(" | ", ProposalProperties.All.Select(property => $"not {property.Title()}"))} |";
        yield return $"|---|---|{string.Concat(Enumerable.Repeat("---|", ProposalProperties.All.Count))}";
        foreach (StandardConfiguration configuration in StandardConfigurations.All)
        {
            CellPin[] cells = [.. ProposalManifest.Cells.Where(cell => cell.Configuration == configuration.Name)];
            IEnumerable<string> refuted = ProposalProperties.All.Select(property => Names([.. cells.Where(cell => cell.Refutes(property)).Select(cell => cell.Proposal)]));
            yield return $"| `{configuration.Name}` | {configuration.What}{Extent(configuration, cells)} | {string.Join(" | ", refuted)} |";
        }
    }

    /// <summary>A row for each proposal: who made it, what it claims, what was said against it.</summary>
    public static IEnumerable<string> Claims()
    {
        yield return "| proposal | by | claim | objection |";
        yield return "|---|---|---|---|";
        foreach (Proposal proposal in ProposalTable.All)
            yield return $"| `{proposal.Name}` | {proposal.Author}, {proposal.Date}{(proposal.Subject.Length > 0 ? $", “{proposal.Subject}”" : "")} | {Escaped(proposal.Claim)} | {Escaped(proposal.Objection)} |";
    }

    /// <summary>A row for each bug of the field and each fix.</summary>
    public static IEnumerable<string> Field()
    {
        yield return "| bug | case | what goes wrong, or what the fix does | found | steps | cause |";
        yield return "|--:|---|---|---|--:|---|";
        foreach (FieldPin pin in ProposalManifest.Field)
        {
            FieldCase field = FieldTable.Find(pin.Case)!;
            yield return $"| {field.Bug} | `{field.Name}` | {field.What} | {pin.Verdict} | {pin.Steps} | {pin.Cause} |";
        }
    }

    private static string Escaped(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static IEnumerable<CellPin> Explored(IEnumerable<CellPin> cells) =>
        cells.Where(cell => StandardConfigurations.Find(cell.Configuration)!.IsExplored);

    private static string Verdict(Proposal proposal, CellPin[] cells, ProposalProperty property)
    {
        if (ProposalManifest.Causes.FirstOrDefault(pin => pin.Proposal == proposal.Name && pin.Property == property.JsonName()) is { } cause)
            return $"✗ {cause.Cause}: `{cause.Configuration}`, {cause.Steps} steps";
        string[] judgements = [.. Explored(cells).Select(cell => cell[property])];
        return judgements.Contains(CellPin.Open) ? "?" : judgements.All(judgement => judgement is CellPin.Held or CellPin.NotAsked) ? "✓" : "(✓)";
    }

    private static string Extent(StandardConfiguration configuration, CellPin[] cells)
    {
        if (configuration.IsExplored)
            return "";
        int whole = cells.Count(cell => cell.Coverage is Coverage.Complete or Coverage.Reduced);
        return whole == 0
            ? " Explored in part, and sampled."
            : whole == cells.Length
                ? " Explored with reductions, so whether agents get on is not decided."
                : $" Explored with reductions for {whole}; for the rest in part, and sampled.";
    }

    // All but a few, where that is shorter.
    private static string Names(string[] proposals)
    {
        string[] others = [.. ProposalTable.All.Select(proposal => proposal.Name).Except(proposals)];
        return others.Length == 0 ? "all" : others.Length < proposals.Length / 2 ? $"all but {List(others)}" : List(proposals);
    }

    private static string List(string[] names) => string.Join(", ", names.Select(name => $"`{name}`"));
}
