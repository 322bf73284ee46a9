using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Host.Kvm;
using TdxVerify.Properties.LockMaps;
using Xunit;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Tests.LockMaps;

/// <summary>The kernel locks held at each SEAMCALL, and what they exclude.</summary>
public sealed class LockMapTests
{
    private const string Zap = "invalidate_lock, mmu_lock write";
    private const string SlotsZap = "slots_lock, mmu_lock write";
    private const string Fault = "own vcpu->mutex, mmu_lock read, frozen SPTE, srcu";
    private const string FaultOfTable = "own vcpu->mutex, mmu_lock read, frozen SPTE level 1, srcu";
    private const string Guard = "kvm->lock, every vcpu->mutex, slots_lock";

    private static readonly HostPrograms s_6_16 = KvmHost.Of(new KvmParts { Release = KvmRelease.V6_16 });
    private static readonly HostPrograms s_6_19 = KvmHost.Of(new KvmParts());
    private static readonly Lazy<IReadOnlyList<OverlapCause>> s_causes =
        new(() => OverlapCauses.Compute(ModuleProfile.V1_5_05, LockMap.LeavesOf(s_6_16).Union(LockMap.LeavesOf(s_6_19)).ToHashSet(), Environment.ProcessorCount));
    private static readonly Lazy<LockMap> s_of_6_16 = new(() => Map(s_6_16));
    private static readonly Lazy<LockMap> s_of_6_19 = new(() => Map(s_6_19));

    /// <summary>facts/kvm-locks.csv: release ("" for both), path, SEAMCALL, locks. RCU and preemption are not in the model.</summary>
    public static TheoryData<string, HostPath, HostLeaf, string> Facts => new()
    {
        { "", HostPath.RunVcpu, HostLeaf.TDH_VP_ENTER, "own vcpu->mutex, irq off" },
        { "", HostPath.RunVcpu, HostLeaf.TDH_MEM_SEPT_ADD, FaultOfTable },
        { "", HostPath.RunVcpu, HostLeaf.TDH_MEM_PAGE_AUG, Fault },
        { "", HostPath.Prefault, HostLeaf.TDH_MEM_SEPT_ADD, FaultOfTable },
        { "", HostPath.Prefault, HostLeaf.TDH_MEM_PAGE_AUG, Fault },
        { "", HostPath.PunchHole, HostLeaf.TDH_MEM_RANGE_BLOCK, Zap },
        { "", HostPath.PunchHole, HostLeaf.TDH_MEM_TRACK, Zap },
        { "", HostPath.PunchHole, HostLeaf.TDH_MEM_PAGE_REMOVE, Zap },
        { "", HostPath.PunchHole, HostLeaf.TDH_PHYMEM_PAGE_WBINVD, Zap },
        { "", HostPath.ConvertToShared, HostLeaf.TDH_MEM_RANGE_BLOCK, SlotsZap },
        { "", HostPath.ConvertToShared, HostLeaf.TDH_MEM_PAGE_REMOVE, SlotsZap },
        { "", HostPath.DeleteMemslot, HostLeaf.TDH_MEM_TRACK, SlotsZap },
        { "", HostPath.DeleteMemslot, HostLeaf.TDH_PHYMEM_PAGE_WBINVD, SlotsZap },
        { "", HostPath.DestroyVm, HostLeaf.TDH_MEM_RANGE_BLOCK, "slots_lock, invalidate_lock, mmu_lock write" },
        { "6.16", HostPath.InitMemRegion, HostLeaf.TDH_MEM_SEPT_ADD, "own vcpu->mutex, slots_lock, invalidate_lock, mmu_lock read, frozen SPTE level 1" },
        { "6.16", HostPath.InitMemRegion, HostLeaf.TDH_MEM_PAGE_ADD, "own vcpu->mutex, slots_lock, invalidate_lock" },
        { "6.16", HostPath.InitMemRegion, HostLeaf.TDH_MR_EXTEND, "own vcpu->mutex, slots_lock, invalidate_lock" },
        { "6.19", HostPath.InitMemRegion, HostLeaf.TDH_MEM_SEPT_ADD, $"{Guard}, invalidate_lock, mmu_lock read, frozen SPTE level 1" },
        { "6.19", HostPath.InitMemRegion, HostLeaf.TDH_MEM_PAGE_ADD, $"{Guard}, invalidate_lock, mmu_lock read, frozen SPTE" },
        { "6.19", HostPath.InitMemRegion, HostLeaf.TDH_MR_EXTEND, $"{Guard}, invalidate_lock" },
        { "6.16", HostPath.InitVcpu, HostLeaf.TDH_VP_CREATE, "own vcpu->mutex" },
        { "6.16", HostPath.InitVcpu, HostLeaf.TDH_VP_ADDCX, "own vcpu->mutex" },
        { "6.16", HostPath.InitVcpu, HostLeaf.TDH_VP_INIT, "own vcpu->mutex" },
        { "6.19", HostPath.InitVcpu, HostLeaf.TDH_VP_CREATE, Guard },
        { "6.19", HostPath.InitVcpu, HostLeaf.TDH_VP_ADDCX, Guard },
        { "6.19", HostPath.InitVcpu, HostLeaf.TDH_VP_INIT, $"{Guard}, mmu_lock write" },
        { "6.16", HostPath.FinalizeVm, HostLeaf.TDH_MR_FINALIZE, "kvm->lock, slots_lock" },
        { "6.19", HostPath.FinalizeVm, HostLeaf.TDH_MR_FINALIZE, Guard },
        { "", HostPath.GetCpuid, HostLeaf.TDH_MNG_RD, "own vcpu->mutex" },
        { "", HostPath.RunMigratingVcpu, HostLeaf.TDH_VP_FLUSH, "own vcpu->mutex, irq off" },
        { "", HostPath.OfflineProcessor, HostLeaf.TDH_VP_FLUSH, "cpus write, irq off" },
        { "", HostPath.DestroyVm, HostLeaf.TDH_VP_FLUSH, "cpus read, irq off" },
        { "", HostPath.DestroyVm, HostLeaf.TDH_MNG_VPFLUSHDONE, "cpus read, tdx_lock" },
        { "", HostPath.DestroyVm, HostLeaf.TDH_PHYMEM_CACHE_WB, "cpus read, tdx_lock" },
        { "", HostPath.DestroyVm, HostLeaf.TDH_MNG_KEY_FREEID, "cpus read, tdx_lock" },
        { "", HostPath.SplitHugePage, HostLeaf.TDH_MEM_PAGE_DEMOTE, "mmu_lock write" },
        { "", HostPath.SplitHugePage, HostLeaf.TDH_MEM_TRACK, "mmu_lock write" },
    };

    [Theory]
    [MemberData(nameof(Facts))]
    public void The_locks_held_at_a_SEAMCALL_are_those_of_the_facts(string release, HostPath path, HostLeaf leaf, string locks)
    {
        foreach (LockMap map in release switch { "6.16" => [s_of_6_16.Value], "6.19" => [s_of_6_19.Value], _ => (LockMap[])[s_of_6_16.Value, s_of_6_19.Value] })
            Assert.Equal([locks], Held(map, path, leaf));
    }

    /// <summary>The pages of a VM that is destroyed are reclaimed under no lock, tables under mmu_lock.</summary>
    [Fact]
    public void Pages_of_a_destroyed_VM_are_reclaimed_without_a_lock() =>
        Assert.Equal(["mmu_lock write", "none"], Held(s_of_6_19.Value, HostPath.DestroyVm, HostLeaf.TDH_PHYMEM_PAGE_RECLAIM).Order());

    [Fact]
    public void In_6_19_these_are_the_BUSY_that_bug_the_VM() => Assert.Equal(
        [
            "TDH.MEM.PAGE.REMOVE (wait_for_sept_zap set, kicked) RDX before FINALIZE: TDH.MR.EXTEND, TDH.MR.FINALIZE",
            "TDH.MEM.RANGE.BLOCK (wait_for_sept_zap set, kicked) RDX before FINALIZE: TDH.MR.EXTEND, TDH.MR.FINALIZE",
            "TDH.MR.EXTEND RDX before FINALIZE: TDH.MEM.PAGE.REMOVE, TDH.MEM.RANGE.BLOCK, TDH.VP.FLUSH",
            "TDH.VP.INIT version 1 TDR before FINALIZE: TDH.VP.FLUSH",
        ],
        Bugs(s_of_6_19.Value));

    [Fact]
    public void Once_a_TD_runs_every_BUSY_of_6_19_is_about_an_entry_and_none_bugs_the_VM()
    {
        Overlap[] open = [.. s_of_6_19.Value.Overlaps.Where(overlap => overlap.CanOccur && overlap.Phases.HasFlag(TdPhases.Running))];

        Assert.NotEmpty(open);
        Assert.All(open, overlap => Assert.Contains(HostLeaf.TDH_VP_ENTER, new[] { overlap.Victim.Kind.Leaf, overlap.Maker.Kind.Leaf }));
        Assert.DoesNotContain(open, overlap => overlap.Bugs);
    }

    [Fact]
    public void In_6_16_VP_INIT_bugs_the_VM_with_whatever_works_on_the_TD()
    {
        OpenRow init = LockMapRows.Open(s_of_6_16.Value).Single(row => row is { Bugs: true, Victim: "TDH.VP.INIT version 1" });

        Assert.Superset(
            new HashSet<string> { "TDH.MNG.RD", "TDH.VP.FLUSH", "TDH.VP.CREATE", "TDH.MR.FINALIZE", "TDH.MEM.RANGE.BLOCK", "TDH.MEM.PAGE.ADD" }, init.Makers.ToHashSet());
    }

    [Fact]
    public void What_a_flag_and_a_kick_keep_out_is_TDH_VP_ENTER_and_nothing_else()
    {
        Overlap[] gated = [.. s_of_6_19.Value.Overlaps.Where(overlap => overlap.ExcludedBy is [KvmVariables.WaitForSeptZap])];

        Assert.NotEmpty(gated);
        Assert.All(gated, overlap => Assert.Contains(HostLeaf.TDH_VP_ENTER, new[] { overlap.Victim.Kind.Leaf, overlap.Maker.Kind.Leaf }));
        Assert.DoesNotContain(s_of_6_19.Value.Overlaps, overlap => overlap is { CanOccur: true, Victim.Gate: not null, Maker.Kind.Leaf: HostLeaf.TDH_VP_ENTER });
    }

    [Fact]
    public void A_flag_that_is_tested_before_IN_GUEST_MODE_keeps_nobody_out()
    {
        HostProgram enter = HostProgram.Named("vcpu_enter_guest, tests too early")
            .State("test", Test(KvmVariables.WaitForSeptZap)).On(Yes, $"return {KvmCodes.Handled}").On(No, "mode")
            .State("mode", SetMode(VcpuMode.IN_GUEST_MODE)).Next("enter")
            .State("enter", Seamcall(HostLeaf.TDH_VP_ENTER)).Whatever("out")
            .State("out", SetMode(VcpuMode.OUTSIDE_GUEST_MODE)).Next($"return {KvmCodes.Handled}")
            .Build();

        OpenRow[] bugs = [.. LockMapRows.Open(Map(KvmHost.Of(new KvmParts { EnterGuest = enter }))).Where(row => row.Bugs)];

        Assert.Contains(bugs, row => row is { Victim: "TDH.MEM.TRACK", Operand: "TD_EPOCH" } && row.Makers.Any(maker => maker.StartsWith("TDH.VP.ENTER", StringComparison.Ordinal)));
    }

    [Fact]
    public void Without_mmu_lock_around_VP_INIT_the_map_shows_bug_13() => Assert.Contains(
        LockMapRows.Open(Map(s_6_19.With(HostPath.InitVcpu, BuildTd.InitVcpu(KvmRelease.V6_19, locksInit: false)))),
        row => row is { Bugs: true, Victim: "TDH.MEM.RANGE.BLOCK (wait_for_sept_zap set, kicked)" } && row.Makers.Contains("TDH.VP.INIT version 1"));

    [Fact]
    public void With_mmu_lock_around_FINALIZE_and_EXTEND_only_processors_that_go_offline_are_left()
    {
        HostPrograms host = s_6_19
            .With(HostPath.FinalizeVm, BuildTd.FinalizeVm(KvmRelease.V6_19, locksFinalize: true))
            .With(HostPath.InitMemRegion, BuildTd.InitMemRegion(KvmRelease.V6_19, MapPage.Of(new KvmParts(), HostLeaf.TDH_MEM_PAGE_ADD), locksExtend: true));

        Assert.Equal(
            ["TDH.MR.EXTEND RDX before FINALIZE: TDH.VP.FLUSH", "TDH.VP.INIT version 1 TDR before FINALIZE: TDH.VP.FLUSH"],
            Bugs(Map(host)));
    }

    [Fact]
    public void What_the_host_does_about_BUSY_is_followed_to_the_next_SEAMCALL()
    {
        Overlap aug = s_of_6_19.Value.Overlaps.First(overlap =>
            overlap.Victim.Kind.Leaf == HostLeaf.TDH_MEM_PAGE_AUG && overlap.CanOccur && overlap.Victim.Sites.Any(site => site.Path == HostPath.RunVcpu));

        Assert.Equal(
            [(BusyEnd.Again, "again"), (BusyEnd.PathEnds, $"if {BugVmAction.VmDeadRequest}, the path ends"), (BusyEnd.OtherCall, "if event or signal pending, TDH.VP.ENTER"),
                (BusyEnd.OtherCall, "if the table is missing, TDH.MEM.SEPT.ADD 2M")],
            aug.Then.Select(way => (way.End, way.Text)));
    }

    private static LockMap Map(HostPrograms host) => LockMap.Of(host, ModuleProfile.V1_5_05, s_causes.Value);

    private static IEnumerable<string> Held(LockMap map, HostPath path, HostLeaf leaf) => map.Classes
        .Where(calls => calls.Kind.Leaf == leaf && calls.Sites.Any(site => site.Path == path)).Select(calls => calls.LocksText).Distinct();

    private static IEnumerable<string> Bugs(LockMap map) => LockMapRows.Open(map).Where(row => row.Bugs)
        .Select(row => $"{row.Victim} {row.Operand} {LockMapRows.Text(row.Phases)}: {string.Join(", ", row.Makers)}");
}
