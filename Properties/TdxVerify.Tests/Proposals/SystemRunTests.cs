using TdxVerify.Host.Field;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Proposals;
using Xunit;

namespace TdxVerify.Tests.Proposals;

/// <summary>How a proposal is judged on a configuration, what bounds it has, and whose fault it is where it fails.</summary>
public sealed class SystemRunTests
{
    private static readonly SystemLimits s_tiny = new() { States = 100, ReducedStates = 100, LargeStates = 100, Schedules = 20, StepsOfSchedule = 500 };

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, null, null)]
    [InlineData(null, false, false)]
    [InlineData(true, false, false)]
    public void A_judgement_is_never_rounded_up(bool? one, bool? other, bool? both)
    {
        Assert.Equal(both, Judgement.And(one, other));
        Assert.Equal(both, Judgement.And(other, one));
    }

    [Fact]
    public void What_was_not_explored_to_the_end_is_not_decided()
    {
        SystemResult result = Look("upstream-6.19", "fault-and-zap", s_tiny);

        Assert.Equal(Coverage.Sampled, result.Coverage);
        Assert.All(ProposalProperties.All, property => Assert.Null(result.Holds(property)));
        Assert.Equal(20, result.Sample!.Schedules);
        Assert.All(result.Bounds.All, bound => Assert.False(bound.Bound.IsProven));
    }

    [Fact]
    public void A_random_schedule_refutes_what_it_breaks_and_decides_nothing_else()
    {
        SystemResult result = Look("frozen-local-retry", "build-and-zap", s_tiny with { Schedules = 500 });

        Assert.False(result.Holds(ProposalProperty.BugFree));
        Assert.False(result.Findings.Single().IsShortest);
        Assert.Null(result.Holds(ProposalProperty.TlbSafe));
    }

    [Fact]
    public void With_reductions_laws_are_decided_and_whether_agents_get_on_is_not()
    {
        SystemResult result = SystemRun.Of(ProposalTable.Find("upstream-6.19")!.In(StandardConfigurations.Find("fault-and-zap")!), new SystemLimits(), isLarge: true);

        Assert.Equal(Coverage.Reduced, result.Coverage);
        Assert.True(result.Holds(ProposalProperty.BugFree));
        Assert.Null(result.Holds(ProposalProperty.LivelockFree));
    }

    [Theory]
    [InlineData("upstream-6.19", "fault-and-zap", "1", "2")]
    [InlineData("kick-first", "zap-and-refault", "0", "1")]
    [InlineData("retry-16", "fault-and-zap", "~", "1")]
    [InlineData("retry-forever", "fault-and-zap", "0", "2")]
    [InlineData("retry-forever", "attributes-against-zap", "1", "2")]
    [InlineData("demote-loop", "huge-page-split-with-interrupts", "∞", "1")]
    public void Repeats_and_kicks_have_the_bound_that_the_program_gives_them(string proposal, string configuration, string repeats, string kicks)
    {
        Bounds bounds = Look(proposal, configuration, new SystemLimits()).Bounds;

        Assert.Equal((repeats, kicks), ($"{bounds.SeamcallRepeats}", $"{bounds.Kicks}"));
    }

    [Fact]
    public void A_host_that_kicks_first_is_never_refused_and_keeps_vCPUs_out_only_while_it_stands_still()
    {
        Bounds bounds = Look("kick-first", "fault-and-zap", new SystemLimits()).Bounds;

        Assert.Equal(("0", "~"), ($"{bounds.FailedEntries}", $"{bounds.BlockedEntries}"));
    }

    [Theory]
    [InlineData("frozen-local-retry", "attributes-against-zap", ProposalProperty.BugFree, Cause.Host)]
    [InlineData("upstream-6.16", "memslot-deletion", ProposalProperty.LivelockFree, Cause.Host)]
    [InlineData("frozen-local-retry", "accept-against-aug", ProposalProperty.GuestCannotBug, Cause.Host)]
    [InlineData("frozen-local-retry", "attributes-against-aug", ProposalProperty.GuestCannotBug, Cause.Guest)]
    public void The_cause_is_found_by_changing_one_thing(string proposal, string configuration, ProposalProperty property, Cause cause)
    {
        ProposalReport report = Run(proposal, configuration);

        Assert.Equal(ProposalVerdict.Unsafe, report.Verdict);
        Assert.Equal(cause, report.Refutations.Single(refutation => refutation.Property == property).Cause!.Kind);
    }

    [Fact]
    public void Of_a_guest_that_misbehaves_nothing_is_asked_but_that_it_does_no_harm()
    {
        ConfigurationResult result = Run("upstream-6.19", "touches-pending").Results.Single();

        Assert.False(result.Result.Holds(ProposalProperty.LivelockFree));
        Assert.Equal(
            [ProposalProperty.TlbSafe, ProposalProperty.MirrorAgrees, ProposalProperty.GuestCannotBug], ProposalProperties.All.Where(result.Asks));
    }

    private static SystemResult Look(string proposal, string configuration, SystemLimits limits) =>
        SystemRun.Of(ProposalTable.Find(proposal)!.In(StandardConfigurations.Find(configuration)!), limits);

    private static ProposalReport Run(string proposal, string configuration) => new ProposalRun(new ProposalOptions
    {
        Proposals = [ProposalTable.Find(proposal)!],
        Configurations = [StandardConfigurations.Find(configuration)!],
        Workers = 1,
    }).Run().Single();
}
