using TdxVerify.Abi;

namespace TdxVerify.Host;

/// <summary>TDG.MEM.PAGE.ACCEPT against host calls of the same GPA: entry lock, host priority, an entry read too early.</summary>
internal static class AcceptVsHost
{
    private const string AcceptBusy = "TDG.MEM.PAGE.ACCEPT: TDX_OPERAND_BUSY(RCX)";

    /// <summary>A page is added while the guest accepts it.</summary>
    public static Scenario Aug { get; } = new(
        "the guest accepts a page that the host is about to add: who is busy, and does it come to an end?",
        "facts/guest.md; the contention (3) of \"TDX MMU part 2\"",
        "both can be busy on the entry lock: also on a FREE entry ACCEPT takes it; both get on",
        new Configuration("accept-vs-aug")
        {
            MustOccur = [AcceptBusy, "TDH.MEM.PAGE.AUG: TDX_OPERAND_BUSY(RCX)"],
            Guests = [GuestCode.Named("accepts gpa0 until it succeeds").At("accept", GuestOp.Accept(0)).On(When.Success, "leave").Progress("accepted").Otherwise("accept")
                .At("leave", GuestOp.Vmcall).Next("leave").Build()],
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterLoop),
                new HostAgent("mapper", Calls.WhileBusy(HostLeaf.TDH_MEM_PAGE_AUG)) { Lp = 1, Gpas = [0], Repeat = 1 },
            ],
        });

    /// <summary>An entry that was FREE when ACCEPT walked to it.</summary>
    public static Scenario StaleLeaf { get; } = new(
        "can ACCEPT be told that a page has another size although it is PENDING at exactly the size asked for?",
        "contention/anomalies.md, N1",
        "yes: that the entry is a leaf is judged by the entry as it was before ACCEPT had its lock; repeated, it succeeds. Caused by the module",
        new Configuration("accept-stale-leaf")
        {
            Guests =
            [
                GuestCode.Named("accepts gpa0 until it succeeds")
                    .At("accept", GuestOp.Accept(0))
                        .On(When.Success, "leave").Progress("accepted")
                        .On(When.Class(Status.TDX_PAGE_SIZE_MISMATCH), "accept").Sometimes("TDX_PAGE_SIZE_MISMATCH for a page of the size asked for")
                        .Otherwise("accept")
                    .At("leave", GuestOp.Vmcall).Next("leave")
                    .Build(),
            ],
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterLoop),
                new HostAgent("mapper", Calls.WhileBusy(HostLeaf.TDH_MEM_PAGE_AUG)) { Lp = 1, Gpas = [0], Repeat = 1 },
            ],
        });

    /// <summary>A page is taken away while the guest accepts it.</summary>
    public static Scenario Remove { get; } = new(
        "the host takes a pending page away while the guest accepts it: who is busy, and is the page ever given back exposed?",
        "facts/guest.md, facts/epoch.md",
        "both can be busy on the entry lock; the page goes back only when no processor can translate to it any more",
        new Configuration("accept-vs-remove")
        {
            MustOccur = [AcceptBusy, "TDH.MEM.RANGE.BLOCK: TDX_OPERAND_BUSY(RCX)"],
            Td = new TdLayout { Gpas = GpaLayout.Many(1, GpaStart.Pending) },
            Guests =
            [
                GuestCode.Named("accepts gpa0 and leaves")
                    .At("accept", GuestOp.Accept(0)).On(When.Success, "leave").Sometimes("accepted").Otherwise("leave")
                    .At("leave", GuestOp.Vmcall).Next("accept")
                    .Build(),
            ],
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterAndReturn),
                new HostAgent("zapper", Calls.Zap) { Lp = 1, Gpas = [0], Repeat = 1 },
            ],
        });

    /// <summary>Host priority that ACCEPT writes away.</summary>
    public static Scenario ErasesHostPriority { get; } = new(
        "the host was refused the entry lock and has priority now: can the guest take that away?",
        "contention/anomalies.md, H1 (a)",
        "yes: ACCEPT writes the whole entry back from the copy that it made before the host was refused. Caused by the module; the host repeats and still gets on",
        new Configuration("accept-erases-host-priority")
        {
            MustOccur = ["TDH.MEM.RANGE.BLOCK: TDX_OPERAND_BUSY(RCX)", HostEvents.PriorityErased],
            Td = new TdLayout { Gpas = GpaLayout.Many(1, GpaStart.Pending) },
            Guests =
            [
                GuestCode.Named("accepts gpa0 and leaves")
                    .At("accept", GuestOp.Accept(0)).On(When.Success, "leave").Sometimes("accepted").Otherwise("leave")
                    .At("leave", GuestOp.Vmcall).Next("accept")
                    .Build(),
            ],
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterAndReturn),
                new HostAgent("blocker", Calls.WhileBusy(HostLeaf.TDH_MEM_RANGE_BLOCK)) { Lp = 1, Gpas = [0], Repeat = 1 },
            ],
        });

    /// <summary>Host priority that nobody uses.</summary>
    public static Scenario LeavesHostPriority { get; } = new(
        "the host was refused the entry lock and does not repeat its call: what becomes of the guest?",
        "contention/anomalies.md, H2",
        "every ACCEPT and ATTR.RD of that page is busy until a host call takes the lock: the host has to repeat, or the guest waits for the module's time-out, which is not modelled",
        new Configuration("host-priority-left-behind")
        {
            MustOccur = ["TDH.MEM.SEPT.RD: TDX_OPERAND_BUSY(RCX)", "TDG.MEM.PAGE.ATTR.RD: TDX_OPERAND_BUSY(RCX)"],
            Td = new TdLayout { Gpas = GpaLayout.Many(1, GpaStart.Mapped) },
            Guests = [GuestCode.Named("reads the attributes of gpa0").At("attr", GuestOp.AttrRd(0)).On(When.Success, "leave").Progress("attributes read").Otherwise("attr")
                .At("leave", GuestOp.Vmcall).Next("attr").Build()],
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterBlind),
                new HostAgent("reader", Calls.Once(HostLeaf.TDH_MEM_SEPT_RD)) { Lp = 1, Gpas = [0], Repeat = 1 },
            ],
        });

    /// <summary>Attributes read and written while the page is blocked and unblocked.</summary>
    public static Scenario Attributes { get; } = new(
        "the guest reads and writes attributes of a page that the host blocks and unblocks: who is busy, does anybody starve?",
        "facts/guest.md; the contention (3) of \"TDX MMU part 2\"",
        "all can be busy on the entry lock, the host's calls too; all get on",
        new Configuration("attr-vs-block")
        {
            MustOccur =
            [
                "TDG.MEM.PAGE.ATTR.RD: TDX_OPERAND_BUSY(RCX)", "TDG.MEM.PAGE.ATTR.WR: TDX_OPERAND_BUSY(RCX)", "TDH.MEM.RANGE.BLOCK: TDX_OPERAND_BUSY(RCX)",
            ],
            Td = new TdLayout { Gpas = GpaLayout.Many(1, GpaStart.Mapped) },
            Guests =
            [
                GuestCode.Named("reads and writes the attributes of gpa0")
                    .At("read", GuestOp.AttrRd(0)).On(When.Success, "write").Progress("attributes read").Otherwise("write")
                    .At("write", GuestOp.AttrWr(0)).On(When.Success, "leave").Progress("attributes written").Otherwise("leave")
                    .At("leave", GuestOp.Vmcall).Next("read")
                    .Build(),
            ],
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterLoop),
                new HostAgent("blocker", Calls.BlockAndUnblock) { Lp = 1, Gpas = [0] },
            ],
        });

    /// <summary>A violation that is out of date when the host gets it.</summary>
    public static Scenario ExitAfterAccept { get; } = new(
        "can the host be told of a violation of a page that is mapped and accepted?",
        "contention/anomalies.md, N3",
        "yes: another vCPU accepted it between the access and the exit's second walk; to enter again is enough. Caused by the module",
        new Configuration("exit-after-accept")
        {
            Td = new TdLayout { Vcpus = 2, Gpas = GpaLayout.Many(1, GpaStart.Pending), SeptVeDisable = false },
            Guests =
            [
                GuestCode.Named("touches gpa0").At("read", GuestOp.Read(0)).On(When.AccessDone, "leave").Progress("touched its page").Otherwise("read")
                    .At("leave", GuestOp.Vmcall).Next("leave").Build(),
                GuestCode.Named("accepts gpa0, then leaves").At("accept", GuestOp.Accept(0)).Next("leave").At("leave", GuestOp.Vmcall).Next("leave").Build(),
            ],
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterToldOfViolation),
                HostAgent.OfVcpu(1, Calls.EnterLoop) with { Repeat = 1 },
            ],
        });
}
