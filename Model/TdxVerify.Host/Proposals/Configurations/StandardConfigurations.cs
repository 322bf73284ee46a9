using System.Collections.Immutable;
using TdxVerify.Abi;
using TdxVerify.Host.Kvm;

namespace TdxVerify.Host.Proposals;

/// <summary>The configurations that every proposal is run on.</summary>
public static class StandardConfigurations
{
    private static readonly GpaLayout s_mapped = new() { Start = GpaStart.Mapped };
    private static readonly GpaLayout s_pending2M = new() { Level = SeptLevel.Page2M, Start = GpaStart.Pending };
    private static readonly TdLayout s_onePage = Td(1, new GpaLayout());
    private static readonly TdLayout s_twoVcpusOnePage = Td(2, new GpaLayout());
    private static readonly TdLayout s_twoPages = Td(1, new GpaLayout(), s_mapped);

    /// <summary>All of them, from small to large.</summary>
    public static ImmutableArray<StandardConfiguration> All { get; } =
    [
        new("fault", "One vCPU faults its page in.")
        {
            Td = s_onePage,
            Guests = [Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0)],
        },
        new("fault-and-invalidation", "One vCPU faults its page in while the MMU notifier invalidates a range around it, which holds no private page.")
        {
            Td = s_onePage,
            Guests = [Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0), new("notifier", HostPath.MmuNotifier) { Lp = 1, Gpas = [0], Repeat = 1 }],
        },
        new("fault-and-zap", "One vCPU faults its page in while another page is zapped.")
        {
            Td = s_twoPages,
            Guests = [Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0), Zapper(1, 1)],
        },
        new("zap-and-refault", "The page that one vCPU uses is zapped, twice.")
        {
            Td = s_onePage,
            Guests = [Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0), Zapper(1, 0) with { Repeat = 2 }],
        },
        new("zap-for-ever", "The page that one vCPU uses is zapped again and again.")
        {
            Td = s_onePage,
            Guests = [Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0), Zapper(1, 0) with { Repeat = HostAgent.Endless }],
        },
        new("zap-with-fair-interrupts", "The page that one vCPU uses is zapped, twice, and interrupts arrive, but not before the first instruction.")
        {
            Td = s_onePage,
            Guests = [Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0), Zapper(1, 0) with { Repeat = 2 }],
            Interrupts = InterruptMode.Fair,
        },
        new("zap-with-interrupt-storm", "The page that one vCPU uses is zapped, twice, and interrupts arrive at any time.")
        {
            Td = s_onePage,
            Guests = [Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0), Zapper(1, 0) with { Repeat = 2 }],
            Interrupts = InterruptMode.Storm,
        },
        new("two-vcpus-one-page", "Two vCPUs fault the same page in.")
        {
            Td = s_twoVcpusOnePage,
            Guests = [Guests.Reads(0), Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0), HostRole.RunsVcpu(1)],
        },
        new("accept-against-aug", "One vCPU faults a page in which the other accepts in a loop, to be in the way.")
        {
            Td = s_twoVcpusOnePage,
            Guests = [Guests.Reads(0), Guests.AcceptsInALoop(0)],
            BenignGuests = [Guests.Reads(0), Guests.Accepts(0)],
            Roles = [HostRole.RunsVcpu(0), HostRole.RunsVcpu(1)],
        },
        new("attributes-against-zap", "A guest reads the attributes of a page in a loop while it is zapped, twice.")
        {
            Td = s_onePage,
            Guests = [Guests.ReadsAttributes(0)],
            Roles = [HostRole.RunsVcpu(0), Zapper(1, 0) with { Repeat = 2 }],
        },
        new("attributes-against-aug", "One vCPU faults a page in whose attributes the other reads in a loop, to be in the way.")
        {
            Td = s_twoVcpusOnePage,
            Guests = [Guests.Reads(0), Guests.ReadsAttributes(0)],
            BenignGuests = [Guests.Reads(0), GuestCode.Leaves],
            Roles = [HostRole.RunsVcpu(0), HostRole.RunsVcpu(1)],
        },
        new("touches-pending", "A guest touches a page that it has not accepted; #VE is disabled.")
        {
            Td = s_onePage with { SeptVeDisable = true },
            Guests = [Guests.TouchesUnaccepted(0)],
            BenignGuests = [Guests.AcceptsThenReads(0)],
            Roles = [HostRole.RunsVcpu(0)],
        },
        new("never-accepts", "A guest touches a page again and again without accepting it, and another page is zapped.")
        {
            Td = s_twoPages,
            Guests = [Guests.TouchesUnaccepted(0)],
            BenignGuests = [Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0), Zapper(1, 1)],
        },
        new("missing-table", "Two vCPUs fault in two pages of one 2 MiB region, whose table is missing.")
        {
            Td = Td(2, new GpaLayout { HasTable = false }, new GpaLayout { HasTable = false }),
            Guests = [Guests.Reads(0), Guests.Reads(1)],
            Roles = [HostRole.RunsVcpu(0), HostRole.RunsVcpu(1)],
        },
        new("prefault", "Two pages are prefaulted while another vCPU uses the first.")
        {
            Td = Td(2, new GpaLayout(), new GpaLayout()),
            Guests = [Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0), new("prefaulter", HostPath.Prefault) { Lp = 1, Vcpu = 1, Gpas = [0, 1] }],
        },
        new("conversion", "A page is converted to shared and back; the guest goes on to touch it as private.")
        {
            Td = s_onePage,
            Guests = [Guests.Reads(0)],
            BenignGuests = [Guests.Accepts(0)],
            Roles = [HostRole.RunsVcpu(0), Once("converter", HostPath.ConvertToShared, 1)],
        },
        new("memslot-deletion", "The memslot of a page is deleted and created anew while one vCPU accepts the page.")
        {
            Td = s_onePage,
            Guests = [Guests.AcceptsOnce(0)],
            Roles = [HostRole.RunsVcpu(0), Once("deleter", HostPath.DeleteMemslot, 1)],
        },
        new("memslot-deletion-under-access", "The memslot of a page is deleted and created anew while one vCPU reads the page.")
        {
            Td = s_onePage,
            Guests = [Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0), Once("deleter", HostPath.DeleteMemslot, 1)],
        },
        new("migration", "The thread of one vCPU moves between two processors while another page is zapped.")
        {
            Td = s_twoPages,
            Guests = [Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0, HostPath.RunMigratingVcpu), Zapper(2, 1)],
        },
        new("two-vcpus-fault-and-zap", "Two vCPUs use pages of their own; one is mapped and is zapped, the other is faulted in.")
        {
            Td = Td(2, s_mapped, new GpaLayout()),
            Guests = [Guests.Reads(0), Guests.Reads(1)],
            Roles = [HostRole.RunsVcpu(0), HostRole.RunsVcpu(1), Zapper(2, 0)],
        },
        new("two-vcpus-share-and-zap", "Two vCPUs use one page, which is zapped.")
        {
            Td = Td(2, s_mapped),
            Guests = [Guests.Reads(0), Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0), HostRole.RunsVcpu(1), Zapper(2, 0)],
        },
        new("two-pages-in-one-instruction", "One instruction touches two pages, both of which are zapped.")
        {
            Td = Td(1, new GpaLayout(), new GpaLayout()),
            Guests = [Guests.ReadsTwo(0, 1)],
            Roles = [HostRole.RunsVcpu(0), Zapper(1, 0, 1)],
        },
        new("huge-page-split", "A guest accepts 4 KiB of a page that is mapped at 2 MiB.")
        {
            Td = Td(1, s_pending2M),
            Guests = [Guests.AcceptsSmall(0)],
            Roles = [HostRole.RunsVcpu(0, HostPath.RunVcpuWithHugePages)],
            Laws = HostLaws.NoHostBug,
        },
        new("huge-page-split-with-interrupts", "A guest accepts 4 KiB of a page that is mapped at 2 MiB, and a device's interrupts stop interruptible SEAMCALLs at any time.")
        {
            Td = Td(1, s_pending2M),
            Guests = [Guests.AcceptsSmall(0)],
            Roles = [HostRole.RunsVcpu(0, HostPath.RunVcpuWithHugePages), new("device", HostPath.DeviceInterrupts) { Lp = 1 }],
            Laws = HostLaws.NoHostBug,
        },
        new("huge-page-conversion", "A 2 MiB page is split for a conversion while the guest accepts it as one.")
        {
            Td = Td(1, s_pending2M),
            Guests = [Guests.AcceptsLarge(0)],
            Roles = [HostRole.RunsVcpu(0, HostPath.RunVcpuWithHugePages), new("splitter", HostPath.SplitHugePage) { Lp = 1, Gpas = [0], Repeat = 1 }],
            Laws = HostLaws.NoHostBug,
        },
        new("build", "Two more vCPUs are initialised while a page is added and the TD is finalized.")
        {
            Td = Td(3, new GpaLayout()) with { IsFinalized = false, InitialisedVcpus = 1 },
            Roles =
            [
                Once("creator 1", HostPath.InitVcpu, 1) with { Vcpu = 1 },
                Once("creator 2", HostPath.InitVcpu, 2) with { Vcpu = 2 },
                Once("adder", HostPath.InitMemRegion, 0) with { Vcpu = 0 },
                Once("finalizer", HostPath.FinalizeVm, 1),
            ],
            Laws = HostLaws.NoHostBug,
        },
        new("build-and-zap", "A page is zapped while a vCPU is initialised and the TD is finalized.")
        {
            Td = Td(2, s_mapped) with { IsFinalized = false, InitialisedVcpus = 1 },
            Roles = [Once("creator", HostPath.InitVcpu, 1) with { Vcpu = 1 }, Once("finalizer", HostPath.FinalizeVm, 0), Once("zapper", HostPath.PunchHole, 0)],
            Laws = HostLaws.NoHostBug,
        },
        new("teardown", "A VM is destroyed while its vCPU's processor goes offline.")
        {
            Td = Td(1, s_mapped),
            Roles = [Once("destroyer", HostPath.DestroyVm, 1) with { Vcpu = 0 }, Once("offline", HostPath.OfflineProcessor, 2) with { Vcpu = 0 }],
            Laws = HostLaws.NoHostBug,
        },
        new("three-vcpus-one-page", "Three vCPUs fault the same page in.")
        {
            Td = Td(3, new GpaLayout()),
            Guests = [Guests.Reads(0), Guests.Reads(0), Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0), HostRole.RunsVcpu(1), HostRole.RunsVcpu(2)],
        },
        new("three-vcpus-fault-and-invalidation", "Three vCPUs use two pages, one of which is mapped, while the MMU notifier invalidates a range around it.")
        {
            Td = Td(3, s_mapped, new GpaLayout()),
            Guests = [Guests.Reads(0), Guests.Reads(0), Guests.Reads(1)],
            Roles = [HostRole.RunsVcpu(0), HostRole.RunsVcpu(1), HostRole.RunsVcpu(2), new("notifier", HostPath.MmuNotifier) { Lp = 3, Gpas = [1], Repeat = 1 }],
        },
        new("three-vcpus-share-and-zap", "Three vCPUs use one page, which is zapped.")
        {
            Td = Td(3, s_mapped),
            Guests = [Guests.Reads(0), Guests.Reads(0), Guests.Reads(0)],
            Roles = [HostRole.RunsVcpu(0), HostRole.RunsVcpu(1), HostRole.RunsVcpu(2), Zapper(3, 0)],
            IsExplored = false,
        },
        new("three-vcpus-zap-and-invalidation", "Three vCPUs use two pages, one of which is zapped while the other is invalidated.")
        {
            Td = Td(3, new GpaLayout(), new GpaLayout()),
            Guests = [Guests.Reads(0), Guests.Reads(0), Guests.Reads(1)],
            Roles = [HostRole.RunsVcpu(0), HostRole.RunsVcpu(1), HostRole.RunsVcpu(2), Zapper(3, 0), new("notifier", HostPath.MmuNotifier) { Lp = 4, Gpas = [1] }],
            IsExplored = false,
        },
    ];

    /// <summary>The configuration with a name; null: there is none.</summary>
    public static StandardConfiguration? Find(string name) => All.FirstOrDefault(configuration => configuration.Name == name);

    private static TdLayout Td(int vcpus, params ImmutableArray<GpaLayout> gpas) => new() { Vcpus = vcpus, Gpas = gpas, SeptVeDisable = false };

    private static HostRole Once(string name, HostPath path, int lp) => new(name, path) { Lp = lp, Gpas = [0], Repeat = 1 };

    private static HostRole Zapper(int lp, params ImmutableArray<int> gpas) => new("zapper", HostPath.PunchHole) { Lp = lp, Gpas = gpas, Repeat = 1 };
}
