using TdxVerify.Abi;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host;

/// <summary>Programs of one or two SEAMCALLs that scenarios share: blind ones, without the kernel's locks.</summary>
internal static class Calls
{
    /// <summary>A vCPU thread that enters its guest again and again.</summary>
    public static HostProgram EnterLoop { get; } = HostProgram.Named("enter loop")
        .State("enter", Seamcall(HostLeaf.TDH_VP_ENTER)).EntryIsProgress()
            .Otherwise("done")
        .Build();

    /// <summary>TDH.MEM.TRACK.</summary>
    public static HostProgram Track { get; } = HostProgram.Named("track")
        .State("track", Seamcall(HostLeaf.TDH_MEM_TRACK))
            .On(Success, "done").Progress("tracked")
            .Otherwise("done")
        .Build();

    /// <summary>Adds the page at a GPA, again and again until it succeeds, and then begins anew when the page is gone.</summary>
    public static HostProgram Map { get; } = HostProgram.Named("map")
        .State("aug", Seamcall(HostLeaf.TDH_MEM_PAGE_AUG))
            .On(Success, "done").Progress("mapped")
            .Otherwise("done")
        .Build();

    /// <summary>Blocks, tracks and removes the page at a GPA, repeating each call until it succeeds.</summary>
    public static HostProgram Zap { get; } = HostProgram.Named("zap")
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
}
