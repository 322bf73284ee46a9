using TdxVerify.Abi;

namespace TdxVerify.Host;

/// <summary>A 2 MiB page is split and put together again while the guest accepts it (anomalies.md, N2).</summary>
internal static class DemoteVsAccept
{
    // Before what uses it: static members are set up in the order in which they stand.
    private static HostProgram Splits { get; } = HostProgram.Named("block, track, demote, block, track, promote, each until it succeeds")
        .State("block", Do.Seamcall(HostLeaf.TDH_MEM_RANGE_BLOCK, SeptLevel.Page2M)).On(When.Success, "track").Otherwise("block")
        .State("track", Do.Seamcall(HostLeaf.TDH_MEM_TRACK)).On(When.Success, "demote").Otherwise("track")
        .State("demote", Do.Seamcall(HostLeaf.TDH_MEM_PAGE_DEMOTE, SeptLevel.Page2M)).On(When.Success, "block it").Progress("split").Otherwise("demote")
        .State("block it", Do.Seamcall(HostLeaf.TDH_MEM_RANGE_BLOCK, SeptLevel.Page2M)).On(When.Success, "track it").Otherwise("block it")
        .State("track it", Do.Seamcall(HostLeaf.TDH_MEM_TRACK)).On(When.Success, "promote").Otherwise("track it")
        .State("promote", Do.Seamcall(HostLeaf.TDH_MEM_PAGE_PROMOTE, SeptLevel.Page2M)).On(When.Success, "done").Progress("whole again").Otherwise("promote")
        .Build();

    public static Scenario Scenario { get; } = new(
        "the host splits a pending 2 MiB page and puts it together again while the guest accepts it: what is the guest told?",
        "contention/anomalies.md, N2; facts/guest.md",
        "TDX_PAGE_SIZE_MISMATCH while the page is split, an EPT violation while it is blocked; both sides can make each other busy on the entry",
        new Configuration("promote-demote-vs-accept")
        {
            MustOccur =
            [
                "TDG.MEM.PAGE.ACCEPT: TDX_OPERAND_BUSY(RCX)", "TDH.MEM.PAGE.DEMOTE: TDX_OPERAND_BUSY(RCX)", "TDH.MEM.PAGE.PROMOTE: TDX_OPERAND_BUSY(RCX)",
            ],
            Td = new TdLayout { Gpas = [new GpaLayout { Level = SeptLevel.Page2M, Start = GpaStart.Pending }] },
            Guests =
            [
                GuestCode.Named("accepts 2 MiB at gpa0")
                    .At("accept", GuestOp.Accept(0, SeptLevel.Page2M))
                        .On(When.Success, "leave").Sometimes("the 2 MiB page is accepted")
                        .On(When.Class(Status.TDX_PAGE_SIZE_MISMATCH), "leave").Sometimes("TDX_PAGE_SIZE_MISMATCH: the page is split")
                        .Otherwise("leave")
                    .At("leave", GuestOp.Vmcall).Next("accept")
                    .Build(),
            ],
            Agents =
            [
                HostAgent.OfVcpu(0, Calls.EnterAndReturn),
                new HostAgent("splitter", Splits) { Lp = 1, Gpas = [0], Repeat = 1 },
            ],
        });
}
