using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDH.VP.FLUSH: ends the association of a vCPU with this logical processor.</summary>
internal static class VpFlush<S>
    where S : struct, IState
{
    public static Leaf<S> Declare() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_VP_FLUSH))
        .Page(PageSlot.Tdvpr, Register.Rcx, "TDVPR", LockMode.Exclusive, PageType.PT_TDVPR)
        .OwnerTdr(PageSlot.Tdvpr)
        .KeysConfigured()
        .TdvpsIsComplete()
        .Check("the vCPU is associated with this LP", IsAssociatedHere, new Failure(Status.TDX_VCPU_NOT_ASSOCIATED))
        .Effect("INVEPT for every VM of the TD", InvalidateEpt)
        .Effect("associated LP = none", Dissociate)
        .Effect("associated vCPUs -1", UncountAssociation)
        .Effect("this LP forgets the last vCPU", ForgetLastVcpu)
        .ReleaseOwnerTdr()
        .ReleasePage(PageSlot.Tdvpr, "TDVPR")
        .Build();

    private static bool IsAssociatedHere(ref S s, ref Call c, int arg) =>
        s.Vcpu(c.Vcpu, VcpuField.AssociatedLp) == (ulong)c.Lp + 1;

    private static void InvalidateEpt(ref S s, ref Call c, int arg) => s.InvalidateEpt(c.Lp, c.Td);

    [Visible]
    private static void Dissociate(ref S s, ref Call c, int arg) => s.SetVcpu(c.Vcpu, VcpuField.AssociatedLp, 0);

    [Visible]
    private static void UncountAssociation(ref S s, ref Call c, int arg) =>
        s.SetTd(c.Td, TdField.AssociatedVcpus, s.Td(c.Td, TdField.AssociatedVcpus) - 1);

    private static void ForgetLastVcpu(ref S s, ref Call c, int arg) => s.SetLp(c.Lp, LpField.LastVcpu, 0);
}
