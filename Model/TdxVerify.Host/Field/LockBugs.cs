using TdxVerify.Abi;
using TdxVerify.Host.Kvm;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Field;

/// <summary>Bugs 8 to 14 and 16: kernel locks, and SEAMCALLs that they do not keep apart.</summary>
internal static class LockBugs
{
    private const string OtherInode = "invalidate_lock of another inode";

    private static readonly HostPrograms s_6_16 = KvmHost.Of(new KvmParts { Release = KvmRelease.V6_16 });
    private static readonly HostPrograms s_6_19 = KvmHost.Of(new KvmParts());

    public static FieldCase[] All { get; } =
    [
        new FieldCase("bad_local_retry_holds_srcu", 8, "the local retry holds SRCU while the memslot is INVALID, and its deletion waits for SRCU")
        {
            Configuration = FieldSystems.MemslotDeletion.With("bad", s_6_16),
        }.Ends(Expectation.Livelock),
        new FieldCase("good_local_retry_leaves_for_srcu", 8, "an INVALID memslot ends the local retry, and the run loop drops SRCU")
        {
            Configuration = FieldSystems.MemslotDeletion.With("good", s_6_19),
        },
        new FieldCase("good_local_retry_meets_zero_step", 8, "the same host, but the guest reads the page: each retry of the INVALID memslot enters and counts, and the page is listed before it is added")
        {
            Configuration = (FieldSystems.MemslotDeletion with { Guests = [Guests.Reads(0)] }).With("good", s_6_19),
        }.Ends(Expectation.Livelock, Cause.Module),
        new FieldCase("bad_busy_enters_again_with_irq_off", 9, "a vCPU that may not enter tries again with interrupts off, and the kicker waits for its IPI")
        {
            Configuration = FieldSystems.EntersWhileAnotherPageIsZapped.With("bad", KvmHost.Of(new KvmParts { EnterGuest = ReentersWithIrqOff() })),
        }.Ends(Expectation.Livelock),
        new FieldCase("good_busy_leaves_irq_off", 9, "the run loop is left as far as interrupts are on")
        {
            Configuration = FieldSystems.EntersWhileAnotherPageIsZapped.With("good", s_6_19),
        },
        new FieldCase("bad_extend_against_create", 10, "MR.EXTEND takes the TDR exclusively, VP.CREATE of another vCPU is busy: BUG")
        {
            Configuration = FieldSystems.AddAgainstCreate.With("bad", s_6_16),
        }.BugsTheVm(),
        new FieldCase("good_extend_and_create_under_all_locks", 10, "both ioctls take all locks of the VM")
        {
            Configuration = FieldSystems.AddAgainstCreate.With("good", s_6_19),
        },
        new FieldCase("bad_two_vcpus_initialised", 11, "VP.INIT version 1 takes the TDR exclusively (1.5.05 on), two vCPUs are initialised at once: BUG")
        {
            Configuration = FieldSystems.TwoCreate.With("bad", s_6_16),
        }.BugsTheVm(),
        new FieldCase("good_vcpus_initialised_under_all_locks", 11, "INIT_VCPU takes all locks of the VM")
        {
            Configuration = FieldSystems.TwoCreate.With("good", s_6_19),
        },
        new FieldCase("bad_create_against_finalize", 12, "MR.FINALIZE takes the TDR exclusively, VP.CREATE is busy: BUG")
        {
            Configuration = FieldSystems.CreateAgainstFinalize.With("bad", s_6_16),
        }.BugsTheVm(),
        new FieldCase("good_create_and_finalize_under_all_locks", 12, "both ioctls take all locks of the VM")
        {
            Configuration = FieldSystems.CreateAgainstFinalize.With("good", s_6_19),
        },
        new FieldCase("bad_init_against_punch_hole", 13, "VP.INIT holds the TDR exclusively, no kick ends it, and BLOCK is busy twice: BUG")
        {
            Configuration = FieldSystems.CreateAgainstZap.With("bad", s_6_19.With(HostPath.InitVcpu, BuildTd.InitVcpu(KvmRelease.V6_19, locksInit: false))),
        }.BugsTheVm(),
        new FieldCase("good_init_under_mmu_lock", 13, "mmu_lock for write around VP.INIT")
        {
            Configuration = FieldSystems.CreateAgainstZap.With("good", s_6_19),
        },
        new FieldCase("bad_finalize_against_punch_hole", 14, "MR.FINALIZE holds the TDR exclusively without mmu_lock, and BLOCK is busy twice: BUG. This is 6.19 as it is")
        {
            Configuration = FieldSystems.FinalizeAgainstZap.With("bad", s_6_19),
        }.BugsTheVm(),
        new FieldCase("good_finalize_under_mmu_lock", 14, "mmu_lock for write around MR.FINALIZE")
        {
            Configuration = FieldSystems.FinalizeAgainstZap.With("good", s_6_19.With(HostPath.FinalizeVm, BuildTd.FinalizeVm(KvmRelease.V6_19, locksFinalize: true))),
        },
        new FieldCase("bad_extend_against_punch_hole", 14, "the same with MR.EXTEND and a page of another guest_memfd. This is 6.19 as it is")
        {
            Configuration = FieldSystems.ExtendAgainstZap.With("bad", OfAnotherInode(s_6_19)),
        }.BugsTheVm(),
        new FieldCase("good_extend_under_mmu_lock", 14, "mmu_lock for write around MR.EXTEND, and PAGE.ADD with it")
        {
            Configuration = FieldSystems.ExtendAgainstZap.With("good", OfAnotherInode(s_6_19).With(HostPath.InitMemRegion, LocksExtend())),
        },
        new FieldCase("bad_zap_of_recorded_page", 16, "a page recorded in the mirror, but not added since PAGE.ADD was busy, is zapped: BLOCK finds a free entry: BUG")
        {
            Configuration = FieldSystems.AddAgainstCpuid.With("bad", s_6_16.With(HostPath.PunchHole, ZapWithoutPremap())),
        }.BugsTheVm(),
        new FieldCase("good_zap_of_recorded_page", 16, "before the TD is finalized that error is expected, and counted")
        {
            Configuration = FieldSystems.AddAgainstCpuid.With("good", s_6_16),
        },
    ];

    private static HostProgram ReentersWithIrqOff() => HostProgram.Named("vcpu_enter_guest, enters again on the fast path", "x86.c, as reviewed 2024-12")
        .State("E5", IrqOff).Next("E6")
        .State("E6", SetMode(VcpuMode.IN_GUEST_MODE)).Next("E12b")
        .State("E12b", Test(KvmVariables.WaitForSeptZap))
            .On(Yes, "E12b")
            .On(No, "E12d")
        .State("E12d", Seamcall(HostLeaf.TDH_VP_ENTER))
            .On(Busy, "E12b")
            .Otherwise("E13")
        .State("E13", SetMode(VcpuMode.OUTSIDE_GUEST_MODE)).Next("E15")
        .State("E15", IrqOn).Next($"return {KvmCodes.Handled}")
        .Build();

    private static HostPrograms OfAnotherInode(HostPrograms host) => host.With(
        HostPath.PunchHole, ZapCallers.PunchHole(KvmRelease.V6_19, Zap(RemovePage.Of(KvmRelease.V6_19, NoFail)), OtherInode));

    private static HostProgram LocksExtend() =>
        BuildTd.InitMemRegion(KvmRelease.V6_19, MapPage.Of(new KvmParts(), HostLeaf.TDH_MEM_PAGE_ADD), locksExtend: true);

    private static HostProgram ZapWithoutPremap() => ZapCallers.PunchHole(KvmRelease.V6_16, Zap(RemovePage.Of(KvmRelease.V6_19, NoFail)));

    private static HostProgram Zap(HostProgram removePage) => ZapLeafs.Of(KvmRelease.V6_19, removePage);

    private static HostAction NoFail(HostLeaf leaf, int level) => Call(NoVcpus.Of(KvmRelease.V6_19, leaf, level));
}
