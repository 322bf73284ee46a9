using TdxVerify.Abi;
using static TdxVerify.Host.Do;
using static TdxVerify.Host.When;

namespace TdxVerify.Host.Kvm;

/// <summary>
/// The removal of one private page under mmu_lock for write, its mirror SPTE none already (facts/kvm.md, 3.3 and 3.4).
/// Left out: page references, the clearing of the page (D7).
/// </summary>
internal static class RemovePage
{
    /// <summary>tdx_sept_remove_private_spte.</summary>
    /// <param name="release">In 6.16 a page that was recorded but never added is not an error.</param>
    /// <param name="call">How the calls that must not fail are made.</param>
    public static HostProgram Of(KvmRelease release, Func<HostLeaf, int, HostAction> call)
    {
        ProgramBuilder program = HostProgram.Named("tdx_sept_remove_private_spte", release.In("tdx.c"))
            .State("D3", call(HostLeaf.TDH_MEM_RANGE_BLOCK, SeptLevel.Page4K), "tdx_sept_zap_private_spte")
                .On(Success, "D4 state");
        if (release == KvmRelease.V6_16)
        {
            program.On(Class(Status.TDX_EPT_ENTRY_STATE_INCORRECT), "D3 premap")
                .Otherwise("D3 bug")
                .State("D3 premap", Test(KvmVariables.Runnable), "tdx_is_sept_zap_err_due_to_premap")
                    .On(Yes, "D3 bug")
                    .On(No, "D3 count")
                .State("D3 count", Decrement(KvmVariables.NrPremapped), "tdx_sept_zap_private_spte")
                    .On(Yes, HostProgram.Return).Noted("a recorded page that was never added is zapped")
                    .On(No, "D3 bug");
        }
        else
        {
            program.Otherwise("D3 bug");
        }

        return program
            .State("D3 bug", BugVm("TDH.MEM.RANGE.BLOCK failed"), "tdx_sept_zap_private_spte").Next(HostProgram.Return)
            .State("D4 state", Test(KvmVariables.Runnable), "tdx_track")
                .On(Yes, "D4")
                .On(No, "D5")
            .State("D4", call(HostLeaf.TDH_MEM_TRACK, SeptLevel.Page4K), "tdx_track")
                .On(Success, "D4 kick")
                .Otherwise("D4 bug")
            .State("D4 bug", BugVm("TDH.MEM.TRACK failed"), "tdx_track").Next("D4 kick")
            .State("D4 kick", Kick(), "tdx_track").Next("D5")
            .State("D5", call(HostLeaf.TDH_MEM_PAGE_REMOVE, SeptLevel.Page4K))
                .On(Success, "D6")
                .Otherwise("D5 bug")
            .State("D5 bug", BugVm("TDH.MEM.PAGE.REMOVE failed")).Next(HostProgram.Return)
            .State("D6", Seamcall(HostLeaf.TDH_PHYMEM_PAGE_WBINVD))
                .On(Success, HostProgram.Return)
                .Otherwise("D6 bug")
            .State("D6 bug", BugVm("TDH.PHYMEM.PAGE.WBINVD failed")).Next(HostProgram.Return)
            .Build();
    }
}
