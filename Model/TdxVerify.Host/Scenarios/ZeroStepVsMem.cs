namespace TdxVerify.Host;

/// <summary>Once zero-step mitigation triggers, TDH.VP.ENTER takes the S-EPT tree lock exclusively (facts/zerostep.md).</summary>
internal static class ZeroStepVsMem
{
    private const string EnterBusy = "TDH.VP.ENTER: TDX_OPERAND_BUSY(SEPT_TREE)";
    private const string BlockBusy = "TDH.MEM.RANGE.BLOCK: TDX_OPERAND_BUSY(SEPT_TREE)";
    private const string RemoveBusy = "TDH.MEM.PAGE.REMOVE: TDX_OPERAND_BUSY(SEPT_TREE)";
    private const string AugBusy = "TDH.MEM.PAGE.AUG: TDX_OPERAND_BUSY(SEPT_TREE)";

    /// <summary>Both pages come and go while two vCPUs, each with its own, touch them; nobody accepts a page again.</summary>
    public static Scenario Scenario { get; } = new(
        "two vCPUs fault for ever, each at its own page, while one host thread maps both and another blocks, tracks and removes them, for ever: who keeps whom out by the S-EPT tree lock?",
        "facts/zerostep.md; the contention (2) of \"TDX MMU part 2\"",
        "everybody everybody, for ever: the entries of vCPUs that have faulted seven times find the tree held shared by calls that map and remove, and these find the entry lock, the epoch lock or the tree held, so that in a fair run nobody gets on",
        MapAndZap("zero-step-vs-mem", new TdLayout { Vcpus = 2, Gpas = GpaLayout.Many(2, GpaStart.Mapped) }, Touches(0), Touches(1)));

    /// <summary>Guests that accept what the host adds, and so get on; one page, to keep it small.</summary>
    public static Scenario Accepting { get; } = new(
        "the same with one page, which each of the two guests accepts when it is told that it is pending: do they get on?",
        "facts/zerostep.md, \"Pending pages and this mechanism\"",
        "not surely: everybody can keep everybody out for ever as above, and ACCEPT and the host's calls make each other busy on the entry besides",
        MapAndZap("zero-step-vs-mem-accept", new TdLayout { Vcpus = 2, Gpas = GpaLayout.Many(1, GpaStart.Mapped), SeptVeDisable = false }, TouchesAndAccepts, TouchesAndAccepts));

    /// <summary>Three vCPUs, of which two touch the same page.</summary>
    public static Scenario Three { get; } = new(
        "three vCPUs, two of them at the same page: is any law of the module broken?",
        "facts/zerostep.md; the contention (2) of \"TDX MMU part 2\"",
        "no law is broken and the module never halts; who gets on is judged without reductions only",
        MapAndZap("zero-step-vs-mem-3", new TdLayout { Vcpus = 3, Gpas = GpaLayout.Many(2, GpaStart.Free) }, Touches(0), Touches(0), Touches(1)));

    /// <summary>The smallest: one vCPU that faults for ever, one page that is added elsewhere.</summary>
    public static Scenario Aug { get; } = new(
        "a guest faults for ever at one instruction: does TDH.VP.ENTER then keep TDH.MEM.PAGE.AUG of another GPA from getting through, or the reverse?",
        "facts/zerostep.md; the contention (2) of \"TDX MMU part 2\"",
        "from the seventh violation on each can make the other busy; a host that repeats gets its page in",
        new Configuration("zero-step-vs-aug")
        {
            MustOccur = [EnterBusy, AugBusy],
            Td = new TdLayout { Gpas = GpaLayout.Many(2, GpaStart.Free) },
            Guests = [GuestCode.Named("touches gpa0").At("read", GuestOp.Read(0)).Next("read").Progress("touched its page").Build()],
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterAndFault),
                new HostAgent("mapper", Calls.WhileBusy(Abi.HostLeaf.TDH_MEM_PAGE_AUG)) { Lp = 1, Gpas = [1], Repeat = 1 },
            ],
        });

    private static Configuration MapAndZap(string name, TdLayout td, params GuestCode[] guests) => new(name)
    {
        JoinsUnseenSteps = true,
        JoinsGuardedSteps = true,
        ForgetsUnread = true,
        MustOccur = [EnterBusy, AugBusy, BlockBusy, RemoveBusy],
        Td = td,
        Guests = [.. guests],
        Agents =
        [
            .. Enumerable.Range(0, guests.Length).Select(vcpu => HostAgent.OfVcpu(vcpu, Calls.EnterAndFault)),
            new HostAgent("mapper", Calls.MapEach) { Lp = guests.Length, Gpas = [.. Enumerable.Range(0, td.Gpas.Length)] },
            new HostAgent("zapper", Calls.ZapEach) { Lp = guests.Length + 1, Gpas = [.. Enumerable.Range(0, td.Gpas.Length)] },
        ],
    };

    private static GuestCode Touches(int gpa) => GuestCode.Named($"touches gpa{gpa}")
        .At("read", GuestOp.Read(gpa)).Next("read").Progress("touched its page")
        .Build();

    private static GuestCode TouchesAndAccepts => GuestCode.Named("touches gpa0, accepts it on #VE")
        .At("read", GuestOp.Read(0))
            .On(When.VirtualizationException, "accept")
            .Otherwise("read").Progress("touched its page")
        .At("accept", GuestOp.Accept(0)).Next("read")
        .Build();
}
