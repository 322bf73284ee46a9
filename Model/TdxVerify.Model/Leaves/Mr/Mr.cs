using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDH.MR.EXTEND and TDH.MR.FINALIZE. The measurement itself is not kept: no modelled field shows it.</summary>
internal static class Mr<S>
    where S : struct, IState
{
    private const int ChunkSize = 256;

    public static Leaf<S> DeclareExtend() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MR_EXTEND))
        .Preset(Register.Rcx, Register.Rdx)
        .Page(PageSlot.Tdr, Register.Rdx, "TDR", LockMode.Exclusive, PageType.PT_TDR)
        .TdIsUsable()
        .OpState(locked: false)
        .Check("RCX is 256-byte aligned", IsAligned, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rcx), ChunkSize, threshold: true)
        .Read("GPA = RCX", ReadGpa)
        .Check("GPA is private and not too wide", SeptSteps<S>.GpaIsPrivate, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rcx))
        .Check(
            "S-EPT walk reaches a leaf with some of R, W, X set", IsPresent,
            Failure.Of(Status.TDX_EPT_ENTRY_NOT_PRESENT, Register.Rcx, FailureDetail.SeptEntry))
        .ReleasePage(PageSlot.Tdr, "TDR")
        .Build();

    public static Leaf<S> DeclareFinalize() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MR_FINALIZE))
        .Page(PageSlot.Tdr, Register.Rcx, "TDR", LockMode.Exclusive, PageType.PT_TDR)
        .TdIsUsable()
        .OpState(locked: false)
        .Check("at least one vCPU was initialised", HasVcpus, new Failure(Status.TDX_NO_VCPUS))
        .Effect("OP_STATE = RUNNABLE", SetRunnable)
        .ReleasePage(PageSlot.Tdr, "TDR")
        .Build();

    private static bool IsAligned(ref S s, ref Call c, int chunk) => (c.In.Rcx & (ulong)(chunk - 1)) == 0;

    private static void ReadGpa(ref S s, ref Call c, int arg) => c.Gpa = c.In.Rcx;

    [Visible]
    private static bool IsPresent(ref S s, ref Call c, int arg)
    {
        SeptSteps<S>.Walk(ref s, ref c, SeptLevel.Page4K);
        return SeptMachine.Permits(c.Value.State, Trigger.TDH_MR_EXTEND);
    }

    private static bool HasVcpus(ref S s, ref Call c, int arg) => s.Td(c.Td, TdField.NumVcpus) > 0;

    [Visible]
    private static void SetRunnable(ref S s, ref Call c, int arg) =>
        s.SetTd(c.Td, TdField.OpState, (ulong)TdMachine.OpStates.To(Trigger.TDH_MR_FINALIZE));
}
