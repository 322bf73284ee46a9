using System.Reflection;
using System.Text.RegularExpressions;
using TdxVerify.Host;
using TdxVerify.Host.Kvm;
using TdxVerify.Host.Proposals;
using TdxVerify.Properties.Proposals;
using TdxVerify.Properties.Proposals.Manifest;
using TdxVerify.Properties.UserProposals;
using Xunit;

namespace TdxVerify.Tests.Proposals;

/// <summary>A user's own proposal is judged as the built-in ones are.</summary>
public sealed partial class UserProposalTests
{
    private const int SmallStates = 6_000;

    private static readonly string s_template = ProposalTemplate.Of("mine", "mine.cs", new DateOnly(2026, 1, 31));

    /// <summary>Built-in proposals as a user would write them.</summary>
    public static TheoryData<string, string> Copies => new()
    {
        { "upstream-6.16", "public static class Mine { static Proposal Proposal => new(\"mine\") { Author = \"a\", Date = \"d\", Claim = \"c\", Host = KvmHost.Of(new() { Release = KvmRelease.V6_16 }) }; }" },
        {
            "retry-forever",
            """
            namespace Somewhere;

            internal sealed class Mine
            {
                private static readonly Proposal s_mine = new("mine")
                {
                    Author = "a", Date = "d", Claim = "c",
                    Host = KvmHost.Of(new KvmParts
                    {
                        MapCall = (leaf, level) => Call(Forever(leaf, level)),
                        MapRetries = BusyOn(OperandId.SEPT_TREE),
                        NoFailCall = (leaf, level) => Call(leaf == HostLeaf.TDH_MEM_TRACK ? Track() : Forever(leaf, level)),
                        LocalRetry = LocalRetry.Never,
                    }),
                };

                private static HostProgram Forever(HostLeaf leaf, int level) => HostProgram.Named("forever")
                    .State("call", Seamcall(leaf, level)).On(BusyOn(OperandId.SEPT_TREE), "call").Otherwise("return status")
                    .Build();

                private static HostProgram Track() => HostProgram.Named("track")
                    .State("keep out", Set("wait_for_sept_zap")).Next("kick")
                    .State("kick", Kick()).Next("track")
                    .State("track", Seamcall(HostLeaf.TDH_MEM_TRACK)).On(Busy, "track").Otherwise("let in")
                    .State("let in", Clear("wait_for_sept_zap")).Next("return status")
                    .Build();
            }
            """
        },
    };

    [Theory]
    [MemberData(nameof(Copies))]
    public void A_copy_of_a_built_in_proposal_has_its_cells_and_bounds(string name, string text)
    {
        using UserFile file = UserFile.Of(text);
        CellPin[] pinned = [.. Small(name)];

        ProposalReport report = Run(UserProposal.Load(file.Path), pinned);

        Assert.True(pinned.Length > 8);
        Assert.Equal(pinned.Select(pin => pin.Row), report.Results.Select(result => (CellPin.Of(report.Proposal, result) with { Proposal = name }).Row));
    }

    [Fact]
    public void The_template_is_Linux_6_19_but_for_repeats()
    {
        using UserFile file = UserFile.Of(s_template);
        CellPin[] pinned = [.. Small("upstream-6.19")];

        ProposalReport report = Run(UserProposal.Load(file.Path), pinned);
        ProposalComparison comparison = ProposalComparison.WithUpstream(report);

        Assert.Equal(ProposalVerdict.Unsafe, report.Verdict);
        Assert.Equal(report.Verdict, comparison.Verdict);
        Assert.Empty(comparison.Cells);
        Assert.NotEmpty(comparison.BoundCells);
        Assert.All(comparison.BoundCells, bound => Assert.Equal(("seamcallRepeats", "1", "4"), (bound.JsonName, bound.There, bound.Here)));
    }

    [Fact]
    public void The_template_without_repeats_is_Linux_6_19()
    {
        using UserFile file = UserFile.Of(s_template.Replace("Repeats = 3;", "Repeats = 0;", StringComparison.Ordinal));

        ProposalComparison comparison = ProposalComparison.WithUpstream(Run(UserProposal.Load(file.Path), [.. Small("upstream-6.19")]));

        Assert.Empty(comparison.Cells);
        Assert.Empty(comparison.BoundCells);
    }

    [Theory]
    [InlineData(typeof(Do))]
    [InlineData(typeof(When))]
    [InlineData(typeof(KvmParts))]
    public void The_template_names_all_that_programs_are_made_of(Type vocabulary)
    {
        HashSet<string> named = [.. Word().Matches(s_template).Select(word => word.Value)];
        IEnumerable<string> members = vocabulary.GetMembers(BindingFlags.Public | BindingFlags.DeclaredOnly | (vocabulary == typeof(KvmParts) ? BindingFlags.Instance : BindingFlags.Static))
            .Where(member => member is PropertyInfo || (member is MethodInfo { IsSpecialName: false } && vocabulary != typeof(KvmParts)))
            .Select(member => member.Name)
            .Except(["BitwiseAnd", "LogicalNot", "EqualityContract"]);

        Assert.All(members, name => Assert.Contains(name, named));
    }

    [Fact]
    public void Small_configurations_come_first_so_that_a_verdict_is_early()
    {
        long[] states = [.. ProposalComparison.SmallFirst(StandardConfigurations.All).Where(standard => standard.IsExplored)
            .Select(standard => ProposalManifest.Cells.Single(pin => pin.Proposal == "upstream-6.19" && pin.Configuration == standard.Name).States)];

        Assert.Equal(states.Order(), states);
        Assert.Equal(StandardConfigurations.All.Count(standard => standard.IsExplored), states.Length);
    }

    [Fact]
    public void A_comparison_names_what_is_better_and_what_is_worse()
    {
        CellPin[] pinned = [.. ProposalManifest.Cells.Where(pin => pin.Proposal == "upstream-6.19" && pin.Configuration is "fault-and-invalidation" or "huge-page-split-with-interrupts")];

        ProposalComparison worse = ProposalComparison.WithUpstream(Run(Retry16.Proposal, pinned));
        ProposalComparison better = ProposalComparison.WithUpstream(Run(DemoteLoop.Proposal, pinned));

        Assert.Equal((0, 2), (worse.Better, worse.Worse));
        Assert.Equal(
            new CellDifference("fault-and-invalidation", ProposalProperty.LivelockFree, CellState.Held, CellState.Refuted, 157),
            worse.Cells.Single(cell => cell.Property == ProposalProperty.LivelockFree));
        Assert.Equal((1, 2), (better.Better, better.Worse));
        Assert.Equal(
            new CellDifference("huge-page-split-with-interrupts", ProposalProperty.BugFree, CellState.Refuted, CellState.Held, 76), better.Cells.Single(cell => cell.IsBetter));
        Assert.All(better.Cells.Where(cell => cell.IsWorse), cell => Assert.Equal(CellState.HeldStrongly, cell.Here));
    }

    private static IEnumerable<CellPin> Small(string name) =>
        ProposalManifest.Cells.Where(cell => cell.Proposal == name && cell.Coverage == Coverage.Complete && cell.States < SmallStates);

    private static ProposalReport Run(Proposal proposal, CellPin[] pinned) => new ProposalRun(new ProposalOptions
    {
        Proposals = [proposal],
        Configurations = [.. pinned.Select(pin => StandardConfigurations.Find(pin.Configuration)!)],
        FindsCauses = false,
    }).Run().Single();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();
}
