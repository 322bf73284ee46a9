using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Proposals;
using Xunit;

namespace TdxVerify.Tests.Proposals;

/// <summary>Proposals that are the same system in a configuration share one exploration; those that are not do not.</summary>
public sealed class SystemKeyTests
{
    [Theory]
    [InlineData("demote-loop", "fault-and-zap", true)]
    [InlineData("demote-loop", "huge-page-split-with-interrupts", false)]
    [InlineData("kick-on-busy", "fault", true)]
    [InlineData("kick-on-busy", "fault-and-zap", false)]
    [InlineData("module-no-free-entry-lock", "fault", false)]
    [InlineData("prefault-all", "fault", false)]
    [InlineData("retry-16", "accept-against-aug", false)]
    public void Two_proposals_are_the_same_system(string proposal, string configuration, bool same)
    {
        StandardConfiguration standard = StandardConfigurations.Find(configuration)!;
        var one = new SystemKey(Upstream.V6_19.In(standard));
        var other = new SystemKey(ProposalTable.Find(proposal)!.In(standard));

        Assert.Equal(same, one.Equals(other));
        Assert.True(!same || one.GetHashCode() == other.GetHashCode());
    }

    [Fact]
    public void A_configuration_with_other_guests_is_another_system()
    {
        StandardConfiguration standard = StandardConfigurations.Find("accept-against-aug")!;

        Assert.NotEqual(new SystemKey(Upstream.V6_19.In(standard)), new SystemKey(Upstream.V6_19.In(standard.Benign())));
    }
}
