using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDH.VP.CREATE and TDH.VP.ADDCX: the pages of a vCPU.</summary>
internal static class VpCreate<S>
    where S : struct, IState
{
    private const int MaximumTdvpsPages = 15;

    public static Leaf<S> DeclareCreate() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_VP_CREATE))
        .Page(PageSlot.Tdr, Register.Rdx, "TDR", LockMode.Shared, PageType.PT_TDR)
        .TdIsUsable()
        .OpState()
        .Page(PageSlot.Target, Register.Rcx, "new TDVPR", LockMode.Exclusive, PageType.PT_NDA)
        .Effect("new vCPU: one TDVPS page, not associated", NewVcpu)
        .Effect("child count +1", TdSteps<S>.IncrementChildCount, 1)
        .Effect("PAMT type = PT_TDVPR", SetTypeTdvpr)
        .Effect("PAMT owner = TDR", PamtSteps<S>.SetOwner, PamtSteps<S>.Arg(PageSlot.Target))
        .ReleasePage(PageSlot.Target, "TDVPR")
        .ReleaseOpState()
        .ReleasePage(PageSlot.Tdr, "TDR")
        .Build();

    public static Leaf<S> DeclareAddCx() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_VP_ADDCX))
        .Page(PageSlot.Tdvpr, Register.Rdx, "TDVPR", LockMode.Exclusive, PageType.PT_TDVPR)
        .OwnerTdr(PageSlot.Tdvpr)
        .TdIsUsable()
        .OpState()
        .VcpuState()
        .Check("fewer than 15 TDVPS pages so far", HasRoom, new Failure(Status.TDX_TDCX_NUM_INCORRECT), MaximumTdvpsPages, threshold: true)
        .Page(PageSlot.Target, Register.Rcx, "new TDCX", LockMode.Exclusive, PageType.PT_NDA)
        .Effect("TDVPS page count +1", CountPage)
        .Effect("child count +1", TdSteps<S>.IncrementChildCount, 1)
        .Effect("PAMT type = PT_TDCX", PamtSteps<S>.SetTypeTdcx, PamtSteps<S>.Arg(PageSlot.Target))
        .Effect("PAMT owner = TDR", PamtSteps<S>.SetOwner, PamtSteps<S>.Arg(PageSlot.Target))
        .ReleasePage(PageSlot.Tdvpr, "TDVPR")
        .ReleasePage(PageSlot.Target, "TDCX")
        .ReleaseOpState()
        .ReleaseOwnerTdr()
        .Build();

    private static void NewVcpu(ref S s, ref Call c, int arg)
    {
        c.Vcpu = s.NewVcpu(c.Page[(int)PageSlot.Target]);
        s.SetVcpu(c.Vcpu, VcpuField.Pages, 1);
    }

    private static void SetTypeTdvpr(ref S s, ref Call c, int arg) =>
        PamtSteps<S>.SetType(ref s, ref c, PageSlot.Target, PageType.PT_TDVPR);

    private static bool HasRoom(ref S s, ref Call c, int maximum) => s.Vcpu(c.Vcpu, VcpuField.Pages) < (ulong)maximum;

    private static void CountPage(ref S s, ref Call c, int arg) =>
        s.SetVcpu(c.Vcpu, VcpuField.Pages, s.Vcpu(c.Vcpu, VcpuField.Pages) + 1);
}
