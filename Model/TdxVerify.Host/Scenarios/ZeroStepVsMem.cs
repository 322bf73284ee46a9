namespace TdxVerify.Host;

/// <summary>Once zero-step mitigation triggers, TDH.VP.ENTER takes the S-EPT tree lock exclusively (facts/zerostep.md).</summary>
internal static class ZeroStepVsMem
{
    private const string EnterBusy = "TDH.VP.ENTER: TDX_OPERAND_BUSY(SEPT_TREE)";
    private const string AugBusy = "TDH.MEM.PAGE.AUG: TDX_OPERAND_BUSY(SEPT_TREE)";

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
}
