using TdxVerify.Abi;
using TdxVerify.Host.Kvm;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Proposals;

/// <summary>P3: no vCPU enters from before BLOCK until after REMOVE; or from the first BUSY on.</summary>
public static class KickAndRemove
{
    private const string From = "tdx.c, as proposed 2024-09-13";

    /// <summary>Entry is blocked before BLOCK.</summary>
    public static Proposal KickFirst { get; } = new("kick-first")
    {
        Author = "Yan Zhao",
        Date = "2024-09-13",
        Claim = "With every vCPU outside from BLOCK to REMOVE nothing can be busy.",
        Objection = "It penalises the normal path, in which nothing is busy.",
        Host = KvmHost.Of(new KvmParts { RemovePage = RemoveKickFirst() }),
    };

    /// <summary>Entry is blocked from the first BUSY until REMOVE is done.</summary>
    public static Proposal KickOnBusy { get; } = new("kick-on-busy")
    {
        Author = "Yan Zhao",
        Date = "2024-09-13",
        Claim = "Only a removal that met BUSY pays for the kick; from then on every vCPU stays outside until the page is removed.",
        Host = KvmHost.Of(new KvmParts { RemovePage = RemoveKickOnBusy() }),
    };

    private static HostProgram RemoveKickFirst() => HostProgram.Named("tdx_sept_remove_private_spte, kick first", From)
        .State("block entry", Set(KvmVariables.WaitForSeptZap)).Next("kick")
        .State("kick", Kick()).Next("block")
        .State("block", Seamcall(HostLeaf.TDH_MEM_RANGE_BLOCK))
            .On(Success, "track")
            .Otherwise("bug")
        .State("track", Seamcall(HostLeaf.TDH_MEM_TRACK))
            .On(Success, "remove")
            .Otherwise("bug")
        .State("remove", Seamcall(HostLeaf.TDH_MEM_PAGE_REMOVE))
            .On(Success, "write back")
            .Otherwise("bug")
        .State("write back", Seamcall(HostLeaf.TDH_PHYMEM_PAGE_WBINVD))
            .On(Success, "allow entry")
            .Otherwise("bug")
        .State("bug", BugVm("the page could not be removed")).Next("allow entry")
        .State("allow entry", Clear(KvmVariables.WaitForSeptZap)).Next(HostProgram.Return)
        .Build();

    private static HostProgram RemoveKickOnBusy() => HostProgram.Named("tdx_sept_remove_private_spte, kick on busy", From)
        .State("block", Call(BlockEntryIfBusy(HostLeaf.TDH_MEM_RANGE_BLOCK)))
            .On(Success, "track")
            .Otherwise("bug")
        .State("track", Call(BlockEntryIfBusy(HostLeaf.TDH_MEM_TRACK)))
            .On(Success, "kick")
            .Otherwise("bug")
        .State("kick", Kick()).Next("remove")
        .State("remove", Call(BlockEntryIfBusy(HostLeaf.TDH_MEM_PAGE_REMOVE)))
            .On(Success, "write back")
            .Otherwise("bug")
        .State("write back", Seamcall(HostLeaf.TDH_PHYMEM_PAGE_WBINVD))
            .On(Success, "allow entry")
            .Otherwise("bug")
        .State("bug", BugVm("the page could not be removed")).Next("allow entry")
        .State("allow entry", Clear(KvmVariables.WaitForSeptZap)).Next(HostProgram.Return)
        .Build();

    private static HostProgram BlockEntryIfBusy(HostLeaf leaf) => HostProgram.Named($"{leaf.Name()}, entry blocked if busy", From)
        .State("call", Seamcall(leaf))
            .On(Busy, "block entry").Noted($"{leaf.Name()} is tried again without vCPUs")
            .Otherwise(HostProgram.ReturnStatus)
        .State("block entry", Set(KvmVariables.WaitForSeptZap)).Next("kick")
        .State("kick", Kick()).Next("again")
        .State("again", Seamcall(leaf)).Whatever(HostProgram.ReturnStatus)
        .Build();
}
