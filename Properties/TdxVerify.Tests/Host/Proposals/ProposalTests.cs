using TdxVerify.Host;
using TdxVerify.Host.Kvm;
using TdxVerify.Host.Proposals;
using TdxVerify.Model;
using TdxVerify.Properties.Exploration;
using TdxVerify.Properties.Exploration.Reports;
using Xunit;

namespace TdxVerify.Tests.Host.Proposals;

/// <summary>The table of proposals, and the configurations on which they are tried.</summary>
public sealed class ProposalTests
{
    public static TheoryData<string> Names => [.. ProposalTable.All.Select(proposal => proposal.Name)];

    [Fact]
    public void Every_proposal_made_so_far_is_in_the_table()
    {
        string[] expected =
        [
            "avoid-zero-step", "demote-loop", "frozen-local-retry", "kick-first", "kick-on-busy", "module-no-free-entry-lock", "prefault-all",
            "retry-16", "retry-16-map-only", "retry-forever", "three-groups", "threshold-10", "upstream-6.16", "upstream-6.19", "walk-retry",
        ];

        Assert.Equal(expected, ProposalTable.All.Select(proposal => proposal.Name).Order(StringComparer.Ordinal));
        Assert.All(ProposalTable.All, proposal => Assert.All([proposal.Author, proposal.Date, proposal.Claim], text => Assert.NotEmpty(text)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_program_of_a_proposal_says_where_it_is_from_and_prints(string name)
    {
        foreach ((HostPath path, HostProgram top) in ProposalTable.Find(name)!.Host.All)
        {
            foreach (HostProgram program in top.WithCalled())
            {
                Assert.False(program.From.Length == 0, $"{path}: {program.Name} does not say where it is from");
                MachineGraph graph = ProgramGraph.Of(program);
                Assert.Equal(program.States.Length, graph.Nodes.Length);
                Assert.StartsWith("digraph", DotWriter.Write(graph), StringComparison.Ordinal);
                Assert.StartsWith("stateDiagram", MermaidWriter.Write(graph), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Every_standard_configuration_is_well_formed() => Assert.All(StandardConfigurations.All, standard => RequireMachine(Upstream.V6_19, standard));

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_proposal_is_well_formed(string name) =>
        Assert.All(["fault", "missing-table", "two-vcpus-share-and-zap", "build", "teardown"], standard => RequireMachine(ProposalTable.Find(name)!, StandardConfigurations.Find(standard)!));

    [Fact]
    public void Standard_configurations_have_names_of_their_own_and_say_what_happens()
    {
        Assert.Distinct(StandardConfigurations.All.Select(each => each.Name));
        Assert.All(StandardConfigurations.All, each => Assert.EndsWith(".", each.What, StringComparison.Ordinal));
        Assert.Contains(StandardConfigurations.All, each => each.Td.Vcpus == 3);
        Assert.Contains(StandardConfigurations.All, each => each.IsMalicious);
    }

    // What the mailing list found out by argument (facts/retry-proposals.md).
    [Theory]
    [InlineData("upstream-6.19", "fault-and-zap", Verdict.Held)]
    [InlineData("retry-16", "zap-and-refault", Verdict.Violated)]
    [InlineData("frozen-local-retry", "zap-and-refault", Verdict.Violated)]
    [InlineData("kick-on-busy", "zap-and-refault", Verdict.Held)]
    [InlineData("avoid-zero-step", "zap-and-refault", Verdict.Violated)]
    [InlineData("kick-first", "fault-and-zap", Verdict.Held)]
    [InlineData("upstream-6.19", "fault-and-invalidation", Verdict.Held)]
    [InlineData("three-groups", "fault-and-invalidation", Verdict.Held)]
    [InlineData("retry-forever", "fault-and-invalidation", Verdict.Livelock)]
    [InlineData("walk-retry", "fault-and-invalidation", Verdict.Livelock)]
    [InlineData("threshold-10", "fault-and-invalidation", Verdict.Livelock)]
    [InlineData("upstream-6.16", "memslot-deletion", Verdict.Livelock)]
    [InlineData("upstream-6.19", "memslot-deletion", Verdict.Held)]
    [InlineData("upstream-6.16", "build", Verdict.Violated)]
    [InlineData("upstream-6.19", "build", Verdict.Held)]
    [InlineData("upstream-6.19", "accept-against-aug", Verdict.Held)]
    [InlineData("frozen-local-retry", "accept-against-aug", Verdict.Violated)]
    [InlineData("module-no-free-entry-lock", "accept-against-aug", Verdict.Held)]
    [InlineData("prefault-all", "zap-and-refault", Verdict.Livelock)]
    [InlineData("upstream-6.19", "huge-page-split-with-interrupts", Verdict.Violated)]
    [InlineData("demote-loop", "huge-page-split-with-interrupts", Verdict.Held)]
    public void A_proposal_does_on_a_configuration_what_was_said_of_it(string proposal, string configuration, Verdict expected) =>
        Assert.Equal(expected, Explore(ProposalTable.Find(proposal)!.In(StandardConfigurations.Find(configuration)!)).Verdict);

    [Fact]
    public void On_a_module_that_does_not_lock_free_entries_a_guest_cannot_make_AUG_busy()
    {
        StandardConfiguration standard = StandardConfigurations.Find("accept-against-aug")!;

        Assert.Contains("TDH.MEM.PAGE.AUG is busy", Occurred(Explore(Upstream.V6_19.In(standard))));
        Assert.DoesNotContain("TDH.MEM.PAGE.AUG is busy", Occurred(Explore(ModuleNoFreeEntryLock.Proposal.In(standard))));
    }

    [Fact]
    public void Without_bound_the_demote_loop_is_starved_by_interrupts()
    {
        ExploreReport report = Explore(DemoteLoop.Proposal.In(StandardConfigurations.Find("huge-page-split-with-interrupts")!));

        Assert.Contains(report.Liveness, finding => !finding.UnderStrongFairness);
        Assert.Contains("DEMOTE is restarted", Occurred(report));
    }

    private static void RequireMachine(Proposal proposal, StandardConfiguration standard) =>
        Assert.Equal(standard.Roles.Length, new HostMachine(proposal.In(standard)).Agents.Count);

    private static IEnumerable<string> Occurred(ExploreReport report) => report.Sometimes.Where(each => each.Depth is not null).Select(each => each.Name);

    private static ExploreReport Explore(Configuration configuration) => Explorer.Run(configuration, new SearchOptions { Workers = 1 });
}
