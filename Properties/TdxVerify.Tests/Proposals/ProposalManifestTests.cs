using System.Globalization;
using TdxVerify.Host.Field;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Proposals;
using TdxVerify.Properties.Proposals.Manifest;
using Xunit;

namespace TdxVerify.Tests.Proposals;

/// <summary>
/// The pinned verdicts on proposals. What takes longer than a moment is left out here: <c>./run-props.sh proposals manifest</c>
/// runs all of it.
/// </summary>
public sealed class ProposalManifestTests
{
    private const int SmallStates = 8_000;

    public static TheoryData<string> Proposals => [.. ProposalTable.All.Select(proposal => proposal.Name)];

    public static TheoryData<string> Cases => [.. FieldTable.All.Select(each => each.Name)];

    [Fact]
    public void It_has_a_row_for_each_proposal_in_each_configuration_and_for_each_bug_of_the_field()
    {
        Assert.Equal(
            ProposalTable.All.SelectMany(_ => StandardConfigurations.All, (proposal, configuration) => (proposal.Name, configuration.Name)),
            ProposalManifest.Cells.Select(cell => (cell.Proposal, cell.Configuration)));
        Assert.Equal(FieldTable.All.Select(field => field.Name), ProposalManifest.Field.Select(pin => pin.Case));
    }

    [Fact]
    public void All_configurations_of_two_vCPUs_are_explored_to_the_end()
    {
        IEnumerable<CellPin> cells = ProposalManifest.Cells.Where(cell => StandardConfigurations.Find(cell.Configuration)!.Td.Vcpus <= 2);

        Assert.All(cells, cell => Assert.Equal(Coverage.Complete, cell.Coverage));
        Assert.DoesNotContain(cells, cell => cell.Judgements.Contains(CellPin.Open));
    }

    [Theory]
    [MemberData(nameof(Proposals))]
    public void A_proposal_does_on_small_configurations_what_is_pinned(string name)
    {
        CellPin[] pinned = [.. ProposalManifest.Cells.Where(cell => cell.Proposal == name && cell.Coverage == Coverage.Complete && cell.States < SmallStates)];
        var options = new ProposalOptions
        {
            Proposals = [ProposalTable.Find(name)!],
            Configurations = [.. pinned.Select(cell => StandardConfigurations.Find(cell.Configuration)!)],
            FindsCauses = false,
        };

        ProposalReport report = new ProposalRun(options).Run().Single();

        Assert.True(pinned.Length > 8);
        Assert.Equal(pinned.Select(cell => cell.Row), report.Results.Select(result => CellPin.Of(report.Proposal, result).Row));
    }

    [Theory]
    [MemberData(nameof(Proposals))]
    public void Each_property_that_is_refuted_has_its_shortest_run_and_its_cause_pinned(string name)
    {
        foreach (ProposalProperty property in ProposalProperties.All)
        {
            CellPin[] refuted = [.. ProposalManifest.Cells.Where(cell => cell.Proposal == name && cell.Refutes(property))];
            CausePin[] causes = [.. ProposalManifest.Causes.Where(pin => pin.Proposal == name && pin.Property == property.JsonName())];

            Assert.Equal(
                refuted.Select(cell => int.Parse(cell[property], CultureInfo.InvariantCulture)).Order().Take(1),
                causes.Select(pin => pin.Steps));
            Assert.All(causes, pin => Assert.NotEmpty(pin.Cause));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_bug_of_the_field_is_found_as_pinned_and_as_expected(string name)
    {
        FieldResult result = FieldRun.Run([FieldTable.Find(name)!], workers: 1, new SystemLimits()).Single();

        Assert.True(result.IsAsExpected);
        Assert.Equal(ProposalManifest.Field.Single(pin => pin.Case == name).Row, FieldPin.Of(result).Row);
    }
}
