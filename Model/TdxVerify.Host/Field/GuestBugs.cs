using TdxVerify.Abi;
using TdxVerify.Host.Kvm;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Field;

/// <summary>Bugs 19, 20, 22 and 23: what guests meet.</summary>
internal static class GuestBugs
{
    private static readonly HostPrograms s_upstream = KvmHost.Of(new KvmParts());

    public static FieldCase[] All { get; } =
    [
        new FieldCase("bad_pending_access_kills_the_vm", 19, "a vCPU touches a page that another is about to accept, and the VM is killed")
        {
            Configuration = FieldSystems.TouchesPending.With("bad", s_upstream),
        }.Ends(Expectation.Livelock),
        new FieldCase("good_pending_access_leaves_to_user_space", 19, "a memory-fault exit; user space runs the vCPU again")
        {
            Configuration = FieldSystems.TouchesPending.With("good", KvmHost.Of(new KvmParts { PendingViolation = MemoryFaultExit() })),
        },
        new FieldCase("bad_split_of_the_shared_root", 20, "an ACCEPT of 4 KiB in a 2 MiB page: the split walks the shared root and finds nothing, so the violation repeats")
        {
            Configuration = FieldSystems.SmallAccept.With("bad", s_upstream.With(HostPath.RunVcpuWithHugePages, SplitsTheSharedRoot())),
        }.Ends(Expectation.Livelock),
        new FieldCase("good_split_of_the_mirror_root", 20, "the split walks the mirror root")
        {
            Configuration = FieldSystems.SmallAccept.With("good", s_upstream),
        },
        new FieldCase("bad_host_priority_is_left", 22, "AUG is busy on the entry, an event ends the local retry, and ACCEPT is refused for ever by the host priority left there")
        {
            Configuration = FieldSystems.TwoAccept.With("bad", s_upstream),
        }.Ends(Expectation.Livelock),
        new FieldCase("good_host_priority_is_used", 22, "AUG is repeated at once while the entry is busy; the host's priority lets it win")
        {
            Configuration = FieldSystems.TwoAccept.With("good", KvmHost.Of(new KvmParts { MapCall = UntilTheEntryIsFree })),
        },
        new FieldCase("bad_hot_plug_zaps_the_mirror", 23, "non-coherent DMA: all roots are zapped, the mirror with them, and the guest's memory is lost")
        {
            Configuration = FieldSystems.DeviceHotPlug.With("bad", s_upstream),
        }.Ends(Expectation.Livelock),
        new FieldCase("good_hot_plug_zaps_shared_memory", 23, "only the shared root is zapped")
        {
            Configuration = FieldSystems.DeviceHotPlug.With("good", s_upstream.With(HostPath.PunchHole, ZapCallers.MmuNotifier(KvmRelease.V6_19))),
        },
    ];

    private static HostProgram MemoryFaultExit() => HostProgram.Named("tdx_handle_ept_violation, pending page", "tdx.c, as proposed 2025-08")
        .State("V2", Goto).Next($"return {KvmCodes.MemoryFault}")
        .Build();

    private static HostProgram SplitsTheSharedRoot()
    {
        HostProgram fault = FaultPath.Of(KvmRelease.V6_19, HugePage.Map(new KvmParts()));
        HostProgram violation = EptViolationHandler.Of(KvmRelease.V6_19, LocalRetry.Always, fault);
        return VcpuRun.Of(KvmRelease.V6_19, VcpuEnterGuest.Of(KvmRelease.V6_19), violation, violation, EptViolationHandler.Pending(KvmRelease.V6_19));
    }

    private static HostAction UntilTheEntryIsFree(HostLeaf leaf, int level) =>
        Call(HostProgram.Named($"{leaf.Name()}, until the entry is free", "not proposed yet")
            .State("call", Seamcall(leaf, level))
                .On(BusyOn(OperandId.RCX), "call")
                .Otherwise(HostProgram.ReturnStatus)
            .Build());
}
