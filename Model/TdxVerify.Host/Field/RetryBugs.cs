using TdxVerify.Abi;
using TdxVerify.Host.Kvm;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Field;

/// <summary>Bugs 1 to 6: how a busy call is repeated.</summary>
internal static class RetryBugs
{
    private static readonly HostPrograms s_upstream = KvmHost.Of(new KvmParts());

    public static FieldCase[] All { get; } =
    [
        new FieldCase("bad_track_retried_endlessly", 1, "TRACK meets VP.ENTER on the epoch lock again and again, and is repeated for ever")
        {
            Configuration = FieldSystems.EntersWhileAnotherPageIsZapped.With("bad", KvmHost.Of(new KvmParts { NoFailCall = TrackForever })),
        }.Ends(Expectation.WeakStarvation),
        new FieldCase("good_track_without_vcpus", 1, "one more TRACK while no vCPU can enter")
        {
            Configuration = FieldSystems.EntersWhileAnotherPageIsZapped.With("good", s_upstream),
        },
        new FieldCase("bad_zero_step_bugs_aug", 2, "violations that are not resolved arm zero-step, so TDH.VP.ENTER locks the tree, and an AUG at the same time is busy: BUG")
        {
            Configuration = FieldSystems.PrefaultDuringInvalidation.With("bad", KvmHost.Of(new KvmParts { MapRetries = null, LocalRetry = LocalRetry.Never })),
        }.BugsTheVm(),
        new FieldCase("good_aug_busy_is_retried", 2, "BUSY of AUG is RET_PF_RETRY, tried again on the spot")
        {
            Configuration = FieldSystems.PrefaultDuringInvalidation.With("good", s_upstream),
        },
        new FieldCase("bad_invalidation_arms_zero_step", 3, "each RET_PF_RETRY of an invalidation enters again; after seven the page is listed, added too late, and the vCPU never runs again")
        {
            Configuration = FieldSystems.FaultsDuringInvalidation.With("bad", KvmHost.Of(new KvmParts { LocalRetry = LocalRetry.Never })),
        }.Ends(Expectation.Livelock),
        new FieldCase("good_invalidation_retried_locally", 3, "RET_PF_RETRY is tried again without TDH.VP.ENTER")
        {
            Configuration = FieldSystems.FaultsDuringInvalidation.With("good", s_upstream),
        },
        new FieldCase("good_zero_step_pending", 3, "the same host, but events end the local retry seven times: the listed page is pending, and the module lets the vCPU accept it never")
        {
            Configuration = (FieldSystems.FaultsDuringInvalidation with { Interrupts = InterruptMode.Fair }).With("good", s_upstream),
        }.Ends(Expectation.Livelock, Cause.Module),
        new FieldCase("bad_accept_bugs_aug", 4, "ACCEPT locks a free entry before it looks at it, so a guest makes AUG busy: BUG")
        {
            Configuration = FieldSystems.AcceptAgainstAug.With("bad", KvmHost.Of(new KvmParts { MapRetries = null })),
        }.BugsTheVm(),
        new FieldCase("good_accept_delays_aug", 4, "BUSY of AUG is tried again; host priority lets it win")
        {
            Configuration = FieldSystems.AcceptAgainstAug.With("good", s_upstream),
        },
        new FieldCase("bad_busy_tested_as_mask", 5, "err & TDX_OPERAND_BUSY is true of TDX_EPT_WALK_FAILED too: a missing table is retried for ever")
        {
            Configuration = MissingTable(AnyBitOf(Status.TDX_OPERAND_BUSY)),
        }.Ends(Expectation.Livelock),
        new FieldCase("good_busy_tested_as_class", 5, "the upper half of the status is compared")
        {
            Configuration = MissingTable(Busy),
        },
        new FieldCase("bad_retry_clobbers_arguments", 6, "the second call gets the registers that the first one returned")
        {
            Configuration = FieldSystems.AcceptAgainstAug.With("bad", KvmHost.Of(new KvmParts { MapCall = (leaf, level) => Call(AgainWith(leaf, level, true)) })),
        }.BugsTheVm(),
        new FieldCase("good_retry_keeps_arguments", 6, "the second call gets the arguments of the first")
        {
            Configuration = FieldSystems.AcceptAgainstAug.With("good", KvmHost.Of(new KvmParts { MapCall = (leaf, level) => Call(AgainWith(leaf, level, false)) })),
        },
    ];

    private static HostAction TrackForever(HostLeaf leaf, int level) =>
        leaf == HostLeaf.TDH_MEM_TRACK ? Proposals.RetryWrappers.TrackForever(leaf) : Call(NoVcpus.Of(KvmRelease.V6_19, leaf, level));

    // A map function that looks for the table only when AUG says that it is missing.
    private static Configuration MissingTable(When isBusy) => (FieldSystems.FaultsDuringInvalidation with
    {
        Td = FieldSystems.FaultsDuringInvalidation.Td with { Gpas = [new GpaLayout { HasTable = false }] },
        Roles = [Proposals.HostRole.RunsVcpu(0)],
    }).With("missing table", KvmHost.Of(new KvmParts
    {
        Map = HostProgram.Named("kvm_tdp_mmu_map, table on demand", "tdx.c, before 6.16")
            .State("freeze", CompareExchangeSpte(SpteKind.None, SpteKind.Frozen))
                .On(Yes, "aug")
                .On(No, $"return {KvmCodes.Spurious}")
            .State("aug", Seamcall(HostLeaf.TDH_MEM_PAGE_AUG))
                .On(Success, "present")
                .On(isBusy, "aug")
                .On(Class(Status.TDX_EPT_WALK_FAILED), "add")
                .Otherwise("bug")
            .State("add", Seamcall(HostLeaf.TDH_MEM_SEPT_ADD, SeptLevel.Page2M))
                .On(Success, "aug")
                .Otherwise("bug")
            .State("bug", BugVm("TDH.MEM.PAGE.AUG failed")).Next("none")
            .State("none", WriteSpte(SpteKind.None)).Next($"return {KvmCodes.Retry}")
            .State("present", WriteSpte(SpteKind.Present)).Next($"return {KvmCodes.Fixed}")
            .Build(),
    }));

    // What a failed call returns in RCX and RDX is 0.
    private static HostProgram AgainWith(HostLeaf leaf, int level, bool clobbered) =>
        HostProgram.Named($"seamcall_ret, repeated ({leaf.Name()})", "tdx_ops.h, series of 2024-09")
            .State("call", Seamcall(leaf, level))
                .On(Busy, "again")
                .Otherwise(HostProgram.ReturnStatus)
            .State("again", clobbered
                ? Seamcall(leaf, level, operands: [(Register.Rcx, Operand.Number(0)), (Register.Rdx, Operand.Number(0))])
                : Seamcall(leaf, level)).Whatever(HostProgram.ReturnStatus)
            .Build();
}
