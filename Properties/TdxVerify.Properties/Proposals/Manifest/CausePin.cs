using System.Globalization;
using TdxVerify.Host.Proposals;

namespace TdxVerify.Properties.Proposals.Manifest;

/// <summary>Why a proposal does not have a property: a row of <c>causes.csv</c>.</summary>
/// <param name="Proposal">The proposal.</param>
/// <param name="Property">The property, as JSON names it.</param>
/// <param name="Configuration">The configuration with the shortest run that shows it.</param>
/// <param name="Steps">The steps of that run.</param>
/// <param name="Cause">Whose fault it is.</param>
/// <param name="Why">What shows that.</param>
public sealed record CausePin(string Proposal, string Property, string Configuration, int Steps, string Cause, string Why)
{
    /// <summary>The columns.</summary>
    public const string Header = "proposal,property,configuration,steps,cause,why";

    /// <summary>The row as it is written.</summary>
    public string Row => string.Join(',', Proposal, Property, Configuration, Steps.ToString(CultureInfo.InvariantCulture), Cause, Why);

    /// <summary>What was found.</summary>
    public static CausePin Of(Proposal proposal, Refutation refutation) => new(
        proposal.Name, refutation.Property.JsonName(), refutation.In.Configuration.Name, refutation.Finding.Run.Steps, refutation.Cause?.Name ?? "", refutation.Cause?.Why ?? "");

    /// <summary>Of a row.</summary>
    internal static CausePin Parse(string[] row) => new(row[0], row[1], row[2], int.Parse(row[3], CultureInfo.InvariantCulture), row[4], row[5]);
}
