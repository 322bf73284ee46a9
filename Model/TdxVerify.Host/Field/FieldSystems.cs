using System.Collections.Immutable;
using TdxVerify.Host.Kvm;
using TdxVerify.Host.Proposals;

namespace TdxVerify.Host.Field;

/// <summary>The systems on which bugs of the field show: each as small as the bug allows.</summary>
internal static class FieldSystems
{
    /// <summary>vCPU 0 reads its page and leaves, again and again; another page is zapped once.</summary>
    public static StandardConfiguration EntersWhileAnotherPageIsZapped { get; } = new("enters-while-zapping", "")
    {
        Td = Td(1, Mapped, Mapped),
        Guests = [ReadsAndLeaves],
        Roles = [HostRole.RunsVcpu(0), Once("zapper", HostPath.PunchHole, 1, 1)],
    };

    /// <summary>vCPU 0 faults its page in; one invalidation of its range by the MMU notifier.</summary>
    public static StandardConfiguration FaultsDuringInvalidation { get; } = new("faults-during-invalidation", "")
    {
        Td = Td(1, new GpaLayout()),
        Guests = [Guests.Reads(0)],
        Roles = [HostRole.RunsVcpu(0), Once("notifier", HostPath.MmuNotifier, 1, 0)],
    };

    /// <summary>vCPU 0 faults its page in while its range is invalidated once; another page is prefaulted.</summary>
    public static StandardConfiguration PrefaultDuringInvalidation { get; } = new("prefault-during-invalidation", "")
    {
        Td = Td(2, new GpaLayout(), new GpaLayout()),
        Guests = [Guests.Reads(0)],
        Roles =
        [
            HostRole.RunsVcpu(0),
            Once("prefaulter", HostPath.Prefault, 1, 1) with { Vcpu = 1 },
            Once("notifier", HostPath.MmuNotifier, 2, 0),
        ],
    };

    /// <summary>vCPU 0 faults a page in that vCPU 1 accepts in a loop.</summary>
    public static StandardConfiguration AcceptAgainstAug { get; } = new("accept-against-aug", "")
    {
        Td = Td(2, new GpaLayout()),
        Guests = [Guests.Reads(0), Guests.AcceptsInALoop(0)],
        Roles = [HostRole.RunsVcpu(0), HostRole.RunsVcpu(1)],
    };

    /// <summary>vCPU 0 accepts a page that is not there yet; the memslot is deleted once.</summary>
    public static StandardConfiguration MemslotDeletion { get; } = new("memslot-deletion", "")
    {
        Td = Td(1, new GpaLayout()),
        Guests = [Guests.AcceptsOnce(0)],
        Roles = [HostRole.RunsVcpu(0), Once("deleter", HostPath.DeleteMemslot, 1, 0)],
    };

    /// <summary>vCPU 0 is initialised and adds a page; vCPU 1 is initialised meanwhile.</summary>
    public static StandardConfiguration AddAgainstCreate { get; } = Building("add-against-create", 1, [new GpaLayout()],
        Once("adder", HostPath.InitMemRegion, 0, 0) with { Vcpu = 0 }, Creator(1));

    /// <summary>Two vCPUs are initialised at the same time.</summary>
    public static StandardConfiguration TwoCreate { get; } = Building("two-create", 0, [new GpaLayout()], Creator(0), Creator(1));

    /// <summary>vCPU 1 is initialised while the TD is finalized.</summary>
    public static StandardConfiguration CreateAgainstFinalize { get; } = Building("create-against-finalize", 1, [new GpaLayout()],
        Once("finalizer", HostPath.FinalizeVm, 0, 0), Creator(1));

    /// <summary>vCPU 1 is initialised while a page is zapped.</summary>
    public static StandardConfiguration CreateAgainstZap { get; } = Building("create-against-zap", 1, [Mapped],
        Once("zapper", HostPath.PunchHole, 0, 0), Creator(1));

    /// <summary>The TD is finalized while a page is zapped.</summary>
    public static StandardConfiguration FinalizeAgainstZap { get; } = Building("finalize-against-zap", 1, [Mapped],
        Once("zapper", HostPath.PunchHole, 0, 0), Once("finalizer", HostPath.FinalizeVm, 1, 0));

    /// <summary>A page is added and measured while another page, of another guest_memfd, is zapped.</summary>
    public static StandardConfiguration ExtendAgainstZap { get; } = Building("extend-against-zap", 1, [Mapped, new GpaLayout()],
        Once("zapper", HostPath.PunchHole, 1, 0), Once("adder", HostPath.InitMemRegion, 0, 1) with { Vcpu = 0 });

    /// <summary>A page is added, and zapped, while another vCPU reads CPUID.</summary>
    public static StandardConfiguration AddAgainstCpuid { get; } = Building("add-against-cpuid", 2, [new GpaLayout()],
        Once("adder", HostPath.InitMemRegion, 0, 0) with { Vcpu = 0 },
        Once("reader", HostPath.GetCpuid, 1, 0) with { Vcpu = 1 },
        Once("zapper", HostPath.PunchHole, 2, 0));

    /// <summary>vCPU 0 touches a pending page that vCPU 1 is about to accept; #VE is disabled.</summary>
    public static StandardConfiguration TouchesPending { get; } = new("touches-pending", "")
    {
        Td = Td(2, new GpaLayout { Start = GpaStart.Pending }) with { SeptVeDisable = true },
        Guests = [Guests.TouchesUnaccepted(0), Guests.Accepts(0)],
        Roles = [HostRole.RunsVcpu(0), HostRole.RunsVcpu(1)],
    };

    /// <summary>The guest accepts 4 KiB of a page that is mapped at 2 MiB.</summary>
    public static StandardConfiguration SmallAccept { get; } = new("small-accept", "")
    {
        Td = Td(1, new GpaLayout { Level = 1, Start = GpaStart.Pending }),
        Guests = [Guests.AcceptsSmall(0)],
        Roles = [HostRole.RunsVcpu(0, HostPath.RunVcpuWithHugePages)],
        Laws = HostLaws.NoHostBug,
    };

    /// <summary>Two vCPUs accept the same page; interrupts arrive.</summary>
    public static StandardConfiguration TwoAccept { get; } = new("two-accept", "")
    {
        Td = Td(2, new GpaLayout()),
        Guests = [Guests.AcceptsOnce(0), Guests.AcceptsOnce(0)],
        Roles = [HostRole.RunsVcpu(0), HostRole.RunsVcpu(1)],
        Interrupts = InterruptMode.Fair,
    };

    /// <summary>vCPU 0 uses a page that it accepted, #VE disabled; a device is hot-plugged once.</summary>
    public static StandardConfiguration DeviceHotPlug { get; } = new("device-hot-plug", "")
    {
        Td = Td(1, Mapped) with { SeptVeDisable = true },
        Guests = [ReadsAndLeaves],
        Roles = [HostRole.RunsVcpu(0), Once("hot-plug", HostPath.PunchHole, 1, 0)],
    };

    private static GpaLayout Mapped => new() { Start = GpaStart.Mapped };

    private static GuestCode ReadsAndLeaves => GuestCode.Named("reads gpa0 and leaves")
        .At("read", GuestOp.Read(0)).Next("leave").Progress("touched its page")
        .At("leave", GuestOp.Vmcall).Next("read")
        .Build();

    private static TdLayout Td(int vcpus, params ImmutableArray<GpaLayout> gpas) => new() { Vcpus = vcpus, Gpas = gpas, SeptVeDisable = false };

    private static StandardConfiguration Building(string name, int initialised, ImmutableArray<GpaLayout> gpas, params ImmutableArray<HostRole> roles) => new(name, "")
    {
        Td = Td(2, gpas) with { IsFinalized = false, InitialisedVcpus = initialised },
        Roles = roles,
        Laws = HostLaws.NoHostBug,
    };

    private static HostRole Once(string name, HostPath path, int lp, int gpa) => new(name, path) { Lp = lp, Gpas = [gpa], Repeat = 1 };

    private static HostRole Creator(int vcpu) => Once($"creator of vCPU {vcpu}", HostPath.InitVcpu, vcpu, 0) with { Vcpu = vcpu };
}
