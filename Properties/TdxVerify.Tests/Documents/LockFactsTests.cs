using TdxVerify.Abi;
using TdxVerify.Model;
using Xunit;

namespace TdxVerify.Tests.Documents;

/// <summary>
/// The locks that the leaves declare are those of the facts (facts/locks.csv, facts/profile-1.5.05-locks.csv), which
/// are written down here once more: locks in the order in which they are taken, then the order in which a call that
/// succeeds drops them.
/// </summary>
public sealed class LockFactsTests
{
    private const string Walk = ", walk";
    private const string Implicit = ", implicit";
    private const string S = "shared";
    private const string X = "exclusive";
    private const string Tdr = "TDR PAMT";
    private const string Tdvpr = "TDVPR PAMT";
    private const string Target = "target page PAMT";
    private const string Mapped = "mapped page PAMT";
    private const string OpState = "OP_STATE";
    private const string Tree = "S-EPT tree";
    private const string Entry = "S-EPT entry";
    private const string Children = "child S-EPT entries";
    private const string Epoch = "TD epoch";
    private const string Kot = "KOT";

    private static readonly (string Lock, string Mode)[] s_sharedTd = [(Tdr, S + Walk), (OpState, S)];
    private static readonly (string Lock, string Mode)[] s_sharedSept = [.. s_sharedTd, (Tree, S), (Entry, "host")];
    private static readonly (string Lock, string Mode)[] s_exclusiveSept = [.. s_sharedTd, (Tree, X), (Entry, "host")];

    public static TheoryData<string, (string Lock, string Mode)[], string> Facts => new()
    {
        { "TDH.MNG.CREATE", [(Target, X + Walk), (Kot, X)], $"{Kot} > {Target}" },
        { "TDH.MNG.KEY.CONFIG", [(Tdr, X + Walk)], Tdr },
        { "TDH.MNG.ADDCX", [(Tdr, X + Walk), (Target, X + Walk)], $"{Tdr} > {Target}" },
        { "TDH.MNG.INIT", [(Tdr, X + Walk)], Tdr },
        { "TDH.MNG.VPFLUSHDONE", [(Tdr, X + Walk), (Kot, X)], $"{Kot} > {Tdr}" },
        { "TDH.MNG.KEY.FREEID", [(Tdr, X + Walk), (Kot, X)], $"{Kot} > {Tdr}" },
        { "TDH.MNG.KEY.RECLAIMID", [], "" },
        { "TDH.MNG.RD", s_sharedTd, $"{OpState} > {Tdr}" },
        { "TDH.VP.CREATE", [.. s_sharedTd, (Target, X + Walk)], $"{Target} > {OpState} > {Tdr}" },
        { "TDH.VP.ADDCX", [(Tdvpr, X + Walk), (Tdr, S + Implicit), (OpState, S), (Target, X + Walk)], $"{Tdvpr} > {Target} > {OpState} > {Tdr}" },
        { "TDH.VP.INIT", [(Tdvpr, X + Walk), (Tdr, S + Implicit), (OpState, S)], $"{OpState} > {Tdr} > {Tdvpr}" },
        { "TDH.VP.FLUSH", [(Tdvpr, X + Walk), (Tdr, S + Implicit)], $"{Tdr} > {Tdvpr}" },
        { "TDH.VP.RD", [(Tdvpr, S + Walk), (Tdr, S + Implicit), (OpState, S)], $"{OpState} > {Tdr} > {Tdvpr}" },
        {
            "TDH.VP.ENTER",
            [(Tdvpr, S + Walk), (Tdr, S + Implicit), (OpState, S), (Epoch, S), (Tree, X + " (if a GPA is listed as faulting)")],
            $"{Epoch} > {OpState} > {Tree}"
        },
        { "TD exit", [], $"{Tdr} > {Tdvpr}" },
        { "TDH.MEM.SEPT.ADD", [.. s_sharedSept, (Target, X + Walk)], $"{Entry} > {Target} > {Tree} > {OpState} > {Tdr}" },
        { "TDH.MEM.SEPT.REMOVE", [.. s_exclusiveSept, (Mapped, X + Implicit)], $"{Entry} > {Mapped} > {Tree} > {OpState} > {Tdr}" },
        { "TDH.MEM.SEPT.RD", s_sharedSept, $"{Entry} > {Tree} > {OpState} > {Tdr}" },
        { "TDH.MEM.PAGE.ADD", [(Tdr, X + Walk), (Target, X + Walk)], $"{Target} > {Tdr}" },
        {
            "TDH.MEM.PAGE.AUG", [.. s_sharedSept, (Target, X + Walk + " (if level 0); 2 MiB entry promoted to exclusive (if level 1)")],
            $"{Entry} > {Target} > {Tree} > {OpState} > {Tdr}"
        },
        { "TDH.MEM.PAGE.REMOVE", [.. s_sharedSept, (Mapped, X + Implicit)], $"{Entry} > {Mapped} > {Tree} > {OpState} > {Tdr}" },
        {
            "TDH.MEM.PAGE.RELOCATE", [.. s_sharedSept, (Mapped, X + Implicit), (Target, X + Walk)],
            $"{Target} > {Mapped} > {Entry} > {Tree} > {OpState} > {Tdr}"
        },
        {
            "TDH.MEM.PAGE.PROMOTE",
            [.. s_sharedSept, (Mapped, X + Implicit + "; large page's entry exclusive for a moment"), (Children, "host")],
            $"{Children} > {Mapped} > {Entry} > {Tree} > {OpState} > {Tdr}"
        },
        {
            "TDH.MEM.PAGE.DEMOTE", [.. s_sharedSept, (Target, X + Walk), (Mapped, "large page's entry exclusive for a moment")],
            $"{Target} > {Entry} > {Tree} > {OpState} > {Tdr}"
        },
        { "TDH.MEM.RANGE.BLOCK", s_exclusiveSept, $"{Entry} > {Tree} > {OpState} > {Tdr}" },
        { "TDH.MEM.RANGE.UNBLOCK", s_exclusiveSept, $"{Entry} > {Tree} > {OpState} > {Tdr}" },
        { "TDH.MEM.TRACK", [.. s_sharedTd, (Epoch, X)], $"{Epoch} > {OpState} > {Tdr}" },
        { "TDH.MR.EXTEND", [(Tdr, X + Walk)], Tdr },
        { "TDH.MR.FINALIZE", [(Tdr, X + Walk)], Tdr },
        {
            "TDH.PHYMEM.PAGE.RECLAIM",
            [(Target, X + Walk + " (if no larger page ended the walk)"), (Tdr, S + Implicit + " (if the page is no TDR)")],
            $"{Tdr} > {Target}"
        },
        { "TDH.PHYMEM.PAGE.RDMD", [(Target, S + Walk + " (if no larger page ended the walk)")], Target },
        { "TDH.PHYMEM.PAGE.WBINVD", [(Target, S + Walk)], Target },
        { "TDH.PHYMEM.CACHE.WB", [("write-back mutex", "host"), (Kot, S)], $"{Kot} > write-back mutex" },
        { "TDG.MEM.PAGE.ACCEPT", [(Entry, "guest")], Entry },
        { "TDG.MEM.PAGE.ATTR.RD", [(Entry, "guest")], Entry },
        { "TDG.MEM.PAGE.ATTR.WR", [(Entry, "guest")], Entry },
        { "TDG.VP.VMCALL", [], "" },
        { "TDG.VP.INFO", [], "" },
        { "TDG.VP.VEINFO.GET", [], "" },
    };

    private static readonly LeafSet<ArraysState> s_1501 = LeafSet<ArraysState>.Of(ModuleProfile.V1_5_01);
    private static readonly LeafSet<ArraysState> s_1505 = LeafSet<ArraysState>.Of(ModuleProfile.V1_5_05);

    [Theory]
    [MemberData(nameof(Facts))]
    public void A_leaf_takes_and_drops_the_locks_of_the_facts(string leaf, (string Lock, string Mode)[] locks, string released)
    {
        foreach (Leaf<ArraysState> declared in s_1501.All.Where(declared => declared.Id.BaseName == leaf))
        {
            LockSummary summary = LockSummary.Of(declared);
            Assert.Equal(locks, summary.Acquired.Select(row => (row.Column.Name(), row.Mode)));
            Assert.Equal(released, string.Join(" > ", summary.ReleasedOnSuccess.Select(column => column.Name())));
        }
    }

    [Fact]
    public void The_facts_are_about_every_declared_leaf() =>
        Assert.Equal(
            s_1501.All.Where(leaf => leaf.Id.Number >= 0).Select(leaf => leaf.Id.BaseName).Append("TD exit").Distinct().Order(),
            Facts.Select(row => (string)row[0]!).Order());

    [Fact]
    public void A_vCPU_in_the_guest_keeps_TDR_and_TDVPR_locked() =>
        Assert.Equal([LockColumn.TdrPamt, LockColumn.TdvprPamt], LockSummary.Of(s_1501.All.Single(leaf => leaf.Id.Name == "TDH.VP.ENTER")).Kept.ToArray());

    [Fact]
    public void Module_1_5_05_changes_only_the_TDR_lock_of_TDH_VP_INIT_version_1()
    {
        Leaf<ArraysState> version1 = Assert.Single(s_1505.All, leaf => s_1501.All.All(other => other.Id != leaf.Id));

        Assert.Equal("TDH.VP.INIT (version 1)", version1.Id.Name);
        Assert.Equal(
            [(Tdvpr, X + Walk), (Tdr, X + Implicit), (OpState, S)],
            LockSummary.Of(version1).Acquired.Select(row => (row.Column.Name(), row.Mode)));
        Assert.All(s_1501.All, leaf =>
        {
            LockSummary before = LockSummary.Of(leaf);
            LockSummary after = LockSummary.Of(s_1505.All.Single(other => other.Id == leaf.Id));
            Assert.Equal(before.Acquired.Select(row => (row.Column, row.Mode)), after.Acquired.Select(row => (row.Column, row.Mode)));
        });
    }

    [Fact]
    public void Every_lock_that_is_refused_gives_a_busy_status() =>
        Assert.All(
            s_1505.All.SelectMany(leaf => leaf.Steps).Where(step => step.Kind == StepKind.Lock),
            step => Assert.Equal(Status.TDX_OPERAND_BUSY, new StatusCode(step.Failure.Status).Base.Value));
}
