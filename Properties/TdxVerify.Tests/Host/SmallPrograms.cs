using TdxVerify.Abi;
using TdxVerify.Host;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Tests.Host;

/// <summary>Host programs of a few states, for tests.</summary>
internal static class SmallPrograms
{
    /// <summary>Enters the guest again and again, whatever comes of it.</summary>
    public static HostProgram EnterLoop { get; } = HostProgram.Named("enter loop")
        .State("enter", Seamcall(HostLeaf.TDH_VP_ENTER)).EntryIsProgress()
            .On(EptViolation, "done")
            .Otherwise("done")
        .Build();

    /// <summary>TDH.MEM.TRACK.</summary>
    public static HostProgram Track { get; } = HostProgram.Named("track")
        .State("track", Seamcall(HostLeaf.TDH_MEM_TRACK))
            .On(Success, "done").Progress("tracked")
            .Otherwise("done")
        .Build();

    /// <summary>TDH.MEM.RANGE.BLOCK, whatever comes of it.</summary>
    public static HostProgram Block { get; } = HostProgram.Named("block")
        .State("block", Seamcall(HostLeaf.TDH_MEM_RANGE_BLOCK))
            .On(BusyOn(OperandId.SEPT_TREE), "done").Sometimes("RANGE.BLOCK meets the S-EPT tree lock")
            .Otherwise("done")
        .Build();

    /// <summary>The entry part of vcpu_enter_guest, with interrupts off and mode (facts/kvm.md, E5 to E15).</summary>
    public static HostProgram EnterWithMode { get; } = HostProgram.Named("vcpu_enter_guest", "x86.c, 6.19")
        .State("E5", IrqOff).Next("E6")
        .State("E6", SetMode(VcpuMode.IN_GUEST_MODE)).Next("E10")
        .State("E10", ModeIs(VcpuMode.EXITING_GUEST_MODE))
            .On(Yes, "E13").Sometimes("kicked before the entry")
            .On(No, "E12d")
        .State("E12d", Seamcall(HostLeaf.TDH_VP_ENTER)).EntryIsProgress()
            .On(Interrupt, "E13").Sometimes("kicked out of the guest")
            .Otherwise("E13")
        .State("E13", SetMode(VcpuMode.OUTSIDE_GUEST_MODE)).Next("E15")
        .State("E15", IrqOn).Next("done")
        .Build();

    /// <summary>Kicks all vCPUs and waits for them.</summary>
    public static HostProgram Kicker { get; } = HostProgram.Named("kicker")
        .State("kick", Kick()).Next("kicked")
        .State("kicked", Goto).Next("done").Progress("kicked")
        .Build();

    /// <summary>Adds a page, blocks it, tracks, removes it; retries what is busy.</summary>
    public static HostProgram MapAndRemove { get; } = HostProgram.Named("map and remove")
        .State("aug", Seamcall(HostLeaf.TDH_MEM_PAGE_AUG))
            .On(Success, "block").Progress("mapped")
            .On(Busy, "aug")
            .Otherwise("done")
        .State("block", Seamcall(HostLeaf.TDH_MEM_RANGE_BLOCK))
            .On(Busy, "block")
            .Otherwise("track")
        .State("track", Seamcall(HostLeaf.TDH_MEM_TRACK))
            .On(Success, "remove")
            .Otherwise("track")
        .State("remove", Seamcall(HostLeaf.TDH_MEM_PAGE_REMOVE))
            .On(Success, "done").Progress("removed")
            .Otherwise("remove")
        .Build();

    /// <summary>TDH.MEM.PAGE.AUG, whatever comes of it.</summary>
    public static HostProgram Aug { get; } = HostProgram.Named("aug")
        .State("aug", Seamcall(HostLeaf.TDH_MEM_PAGE_AUG))
            .On(Success, "done").Progress("mapped")
            .Otherwise("done")
        .Build();
}
