using TdxVerify.Host;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Exploration;
using TdxVerify.Properties.Exploration.Reports;
using Xunit;

namespace TdxVerify.Tests.Host;

/// <summary>What a configuration cannot observe is left out of its programs, and nothing else.</summary>
public sealed class SpecialisationTests
{
    [Theory]
    [InlineData("upstream-6.19", "fault-and-invalidation")]
    [InlineData("retry-forever", "fault-and-invalidation")]
    [InlineData("upstream-6.19", "fault-and-zap")]
    [InlineData("three-groups", "fault-and-zap")]
    [InlineData("upstream-6.16", "memslot-deletion-under-access")]
    [InlineData("upstream-6.16", "build-and-zap")]
    [InlineData("kick-first", "fault-and-zap")]
    public void The_whole_programs_come_to_the_same(string proposal, string name)
    {
        StandardConfiguration standard = StandardConfigurations.Find(name)! with { Interrupts = InterruptMode.Fair };
        ExploreReport whole = Explore(standard.Whole(ProposalTable.Find(proposal)!));
        ExploreReport cut = Explore(ProposalTable.Find(proposal)!.In(standard));

        Assert.Equal(whole.Verdict, cut.Verdict);
        Assert.Equal(Found(whole), Found(cut));
        Assert.True(cut.Search.States < whole.Search.States);
    }

    [Fact]
    public void A_lock_that_one_thread_takes_alone_costs_no_state()
    {
        Configuration cut = Upstream.V6_19.In(StandardConfigurations.Find("fault")!);

        HostAction[] actions = [.. cut.Agents[0].Program.WithCalled().SelectMany(program => program.States).Select(state => state.Action)];
        Assert.DoesNotContain(actions, action => action is SrcuLockAction or IrqOffAction or SetModeAction or TestVariableAction);
        Assert.DoesNotContain(actions, action => action is TakeLockAction { Lock: KernelLocks.OwnVcpuMutex });
        Assert.Contains(actions, action => action is TakeLockAction { Lock: KernelLocks.MmuLock });
    }

    private static string[] Found(ExploreReport report) =>
        [.. report.Sometimes.Where(each => each.Depth is not null && report.Violations.Count == 0).Select(each => each.Name).Order(StringComparer.Ordinal)];

    private static ExploreReport Explore(Configuration configuration) => Explorer.Run(configuration, new SearchOptions { Workers = 1 });
}
