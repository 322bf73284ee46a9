using TdxVerify.Abi;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host;

/// <summary>Programs of a few SEAMCALLs that scenarios share: blind ones, without the kernel's locks.</summary>
internal static class Calls
{
    /// <summary>A vCPU thread that enters its guest, whatever comes of it.</summary>
    public static HostProgram EnterLoop { get; } = HostProgram.Named("TDH.VP.ENTER")
        .State("enter", Seamcall(HostLeaf.TDH_VP_ENTER)).EntryIsProgress()
            .Otherwise("done")
        .Build();

    /// <summary>The same where only what the guest does counts as getting on.</summary>
    public static HostProgram EnterBlind { get; } = HostProgram.Named("TDH.VP.ENTER")
        .State("enter", Seamcall(HostLeaf.TDH_VP_ENTER))
            .Otherwise("done")
        .Build();

    /// <summary>A vCPU thread that enters its guest, for which to get back to the host with a violation counts as getting on.</summary>
    public static HostProgram EnterAndFault { get; } = HostProgram.Named("TDH.VP.ENTER, where every violation counts as an answer")
        .State("enter", Seamcall(HostLeaf.TDH_VP_ENTER))
            .On(EptViolation, "done").Progress("violation told to the host")
            .Otherwise("done")
        .Build();

    /// <summary>A vCPU thread whose guest's page is never taken away: a violation that is told to the host is out of date.</summary>
    public static HostProgram EnterToldOfViolation { get; } = HostProgram.Named("TDH.VP.ENTER")
        .State("enter", Seamcall(HostLeaf.TDH_VP_ENTER)).EntryIsProgress()
            .On(EptViolation & !PendingViolation, "done").Sometimes("EPT violation of a page that is accepted")
            .Otherwise("done")
        .Build();

    /// <summary>A vCPU thread that gets on where its guest leaves, for whatever reason.</summary>
    public static HostProgram EnterAndReturn { get; } = HostProgram.Named("TDH.VP.ENTER, where every TD exit counts")
        .State("enter", Seamcall(HostLeaf.TDH_VP_ENTER))
            .On(Error, "done")
            .Otherwise("done").Progress("TD exit")
        .Build();

    /// <summary>A vCPU thread that adds the page at which its guest faults, until the guest leaves by itself.</summary>
    public static HostProgram FaultIn { get; } = HostProgram.Named("TDH.VP.ENTER, and TDH.MEM.PAGE.AUG where the guest faults")
        .State("enter", Seamcall(HostLeaf.TDH_VP_ENTER))
            .On(EptViolation, "aug").TakesGpa()
            .On(Vmcall, "done").Progress("the guest is done")
            .Otherwise("enter")
        .State("aug", Seamcall(HostLeaf.TDH_MEM_PAGE_AUG))
            .On(Success, "enter").Progress("mapped")
            .On(Busy, "aug")
            .Otherwise("enter")
        .Build();

    /// <summary>TDH.MEM.TRACK, whatever comes of it.</summary>
    public static HostProgram Track { get; } = HostProgram.Named("TDH.MEM.TRACK")
        .State("track", Seamcall(HostLeaf.TDH_MEM_TRACK))
            .On(Success, "done").Progress("tracked")
            .Otherwise("done")
        .Build();

    /// <summary>Adds a page, whatever comes of it.</summary>
    public static HostProgram Map { get; } = HostProgram.Named("TDH.MEM.PAGE.AUG")
        .State("aug", Seamcall(HostLeaf.TDH_MEM_PAGE_AUG))
            .On(Success, "done").Progress("mapped")
            .Otherwise("done")
        .Build();

    /// <summary>Adds the page at each GPA in turn, whatever comes of it.</summary>
    public static HostProgram MapEach { get; } = HostProgram.Named("TDH.MEM.PAGE.AUG of each GPA in turn")
        .State("aug", Seamcall(HostLeaf.TDH_MEM_PAGE_AUG))
            .On(Success, "next").Progress("mapped")
            .Otherwise("next")
        .State("next", NextGpa)
            .On(Yes, "aug")
            .Otherwise("done")
        .Build();

    /// <summary>Blocks, tracks and removes the page at a GPA, repeating each call until it succeeds.</summary>
    public static HostProgram Zap { get; } = HostProgram.Named("block, track and remove, each until it succeeds")
        .State("block", Seamcall(HostLeaf.TDH_MEM_RANGE_BLOCK))
            .On(Success, "track")
            .Otherwise("block")
        .State("track", Seamcall(HostLeaf.TDH_MEM_TRACK))
            .On(Success, "remove")
            .Otherwise("track")
        .State("remove", Seamcall(HostLeaf.TDH_MEM_PAGE_REMOVE))
            .On(Success, "done").Progress("removed")
            .Otherwise("remove")
        .Build();

    /// <summary>The same, with what refuses it told apart.</summary>
    public static HostProgram ZapTold { get; } = HostProgram.Named("block, track and remove, each until it succeeds")
        .State("block", Seamcall(HostLeaf.TDH_MEM_RANGE_BLOCK))
            .On(Success, "track")
            .Otherwise("block")
        .State("track", Seamcall(HostLeaf.TDH_MEM_TRACK))
            .On(Success, "remove")
            .Otherwise("track")
        .State("remove", Seamcall(HostLeaf.TDH_MEM_PAGE_REMOVE))
            .On(Success, "done").Progress("removed")
            .On(Class(Status.TDX_TLB_TRACKING_NOT_DONE), "remove").Sometimes("TDH.MEM.PAGE.REMOVE: a vCPU that may use the page is still inside")
            .Otherwise("remove")
        .Build();

    /// <summary>Blocks, tracks and removes the page at each GPA in turn; a GPA that cannot be blocked is left out.</summary>
    public static HostProgram ZapEach { get; } = HostProgram.Named("block, track and remove each GPA in turn")
        .State("block", Seamcall(HostLeaf.TDH_MEM_RANGE_BLOCK))
            .On(Success, "track")
            .Otherwise("next")
        .State("track", Seamcall(HostLeaf.TDH_MEM_TRACK))
            .On(Success, "remove")
            .Otherwise("track")
        .State("remove", Seamcall(HostLeaf.TDH_MEM_PAGE_REMOVE))
            .On(Success, "next").Progress("removed")
            .Otherwise("remove")
        .State("next", NextGpa)
            .On(Yes, "block")
            .Otherwise("done")
        .Build();

    /// <summary>Blocks and unblocks a GPA, each call until it succeeds.</summary>
    public static HostProgram BlockAndUnblock { get; } = HostProgram.Named("block, track and unblock, each until it succeeds")
        .State("block", Seamcall(HostLeaf.TDH_MEM_RANGE_BLOCK))
            .On(Success, "track")
            .Otherwise("block")
        .State("track", Seamcall(HostLeaf.TDH_MEM_TRACK))
            .On(Success, "unblock")
            .Otherwise("track")
        .State("unblock", Seamcall(HostLeaf.TDH_MEM_RANGE_UNBLOCK))
            .On(Success, "done").Progress("blocked and unblocked")
            .Otherwise("unblock")
        .Build();

    /// <summary>One call, whatever comes of it.</summary>
    public static HostProgram Once(HostLeaf leaf, int level = SeptLevel.Page4K) => HostProgram.Named($"{leaf.Name()}")
        .State("call", Seamcall(leaf, level))
            .On(Success, "done").Progress("done")
            .Otherwise("done")
        .Build();

    /// <summary>One call, again and again while it is busy.</summary>
    public static HostProgram WhileBusy(HostLeaf leaf, int level = SeptLevel.Page4K, int version = 0, params (Register Register, Operand Operand)[] operands) =>
        HostProgram.Named($"{leaf.Name()} while it is busy")
            .State("call", Seamcall(leaf, level, version, operands))
                .On(Success, "done").Progress("done")
                .On(Busy, "call")
                .Otherwise("done")
            .Build();
}
