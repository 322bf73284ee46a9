using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Pins;

namespace TdxVerify.Properties.Proposals.Manifest;

/// <summary>
/// The pinned verdicts on proposals and on the bugs of the field, in the files beside this one. <c>proposals manifest</c>
/// compares them with what comes of running all of it, and writes them anew.
/// </summary>
public static class ProposalManifest
{
    /// <summary>The file of <see cref="Cells"/>.</summary>
    public const string CellsFile = "proposals.csv";

    /// <summary>The file of <see cref="Causes"/>.</summary>
    public const string CausesFile = "causes.csv";

    /// <summary>The file of <see cref="Field"/>.</summary>
    public const string FieldFile = "field.csv";

    private static readonly Lazy<IReadOnlyList<CellPin>> s_cells = new(() => [.. PinFile.Read(CellsFile, CellPin.Header).Select(CellPin.Parse)]);
    private static readonly Lazy<IReadOnlyList<CausePin>> s_causes = new(() => [.. PinFile.Read(CausesFile, CausePin.Header).Select(CausePin.Parse)]);
    private static readonly Lazy<IReadOnlyList<FieldPin>> s_field = new(() => [.. PinFile.Read(FieldFile, FieldPin.Header).Select(FieldPin.Parse)]);

    /// <summary>Each proposal in each configuration.</summary>
    public static IReadOnlyList<CellPin> Cells => s_cells.Value;

    /// <summary>A proposal in each configuration.</summary>
    public static IEnumerable<CellPin> CellsOf(Proposal proposal) => Cells.Where(cell => cell.Proposal == proposal.Name);

    /// <summary>Each property that a proposal does not have.</summary>
    public static IReadOnlyList<CausePin> Causes => s_causes.Value;

    /// <summary>Each bug of the field, and each fix.</summary>
    public static IReadOnlyList<FieldPin> Field => s_field.Value;

    /// <summary>What is pinned, as the lines of each file.</summary>
    public static IReadOnlyList<PinnedFile> Pinned =>
    [
        new(CellsFile, CellPin.Header, [.. Cells.Select(pin => pin.Row)]),
        new(CausesFile, CausePin.Header, [.. Causes.Select(pin => pin.Row)]),
        new(FieldFile, FieldPin.Header, [.. Field.Select(pin => pin.Row)]),
    ];

    /// <summary>What was found, as the lines of each file.</summary>
    public static IReadOnlyList<PinnedFile> Found(IReadOnlyList<ProposalReport> reports, IReadOnlyList<FieldResult> field) =>
    [
        new(CellsFile, CellPin.Header, [.. reports.SelectMany(report => report.Results, (report, result) => CellPin.Of(report.Proposal, result).Row)]),
        new(CausesFile, CausePin.Header, [.. reports.SelectMany(report => report.Refutations, (report, refutation) => CausePin.Of(report.Proposal, refutation).Row)]),
        new(FieldFile, FieldPin.Header, [.. field.Select(result => FieldPin.Of(result).Row)]),
    ];
}

/// <summary>A file of the manifest.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Header">Its columns.</param>
/// <param name="Rows">Its rows.</param>
public sealed record PinnedFile(string Name, string Header, IReadOnlyList<string> Rows)
{
    /// <summary>All of it.</summary>
    public string Text => string.Concat(Rows.Prepend(Header).Select(row => row + "\n"));
}
