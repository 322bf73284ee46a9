using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDH.MNG.ADDCX: a page becomes part of the TDCS.</summary>
internal static class MngAddCx<S>
    where S : struct, IState
{
    private const int MaximumTdcsPages = 9;
    private const int RootPageIndex = 3;

    public static Leaf<S> Declare() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MNG_ADDCX))
        .Page(PageSlot.Tdr, Register.Rdx, "TDR", LockMode.Exclusive, PageType.PT_TDR)
        .NotFatal()
        .KeysConfigured()
        .Check("fewer than 9 TDCS pages so far", HasRoom, new Failure(Status.TDX_TDCX_NUM_INCORRECT), MaximumTdcsPages, threshold: true)
        .Page(PageSlot.Target, Register.Rcx, "new TDCX", LockMode.Exclusive, PageType.PT_NDA)
        .Choice("6th page: migration key generated", ChoicePoint.NoEntropy, new Failure(Status.TDX_RND_NO_ENTROPY), MigrationKeyIsGenerated)
        .Check("7th or later page: OP_STATE is UNINITIALIZED", IsUninitialized, new Failure(Status.TDX_OP_STATE_INCORRECT), TdSteps<S>.MinimumTdcsPages, threshold: true)
        .Effect("4th page: the S-EPT root, all entries FREE", NewRoot)
        .Effect("TDCS page count +1", CountPage)
        .Effect("child count +1", TdSteps<S>.IncrementChildCount, 1)
        .Effect("PAMT type = PT_TDCX", PamtSteps<S>.SetTypeTdcx, PamtSteps<S>.Arg(PageSlot.Target))
        .Effect("PAMT owner = TDR", PamtSteps<S>.SetOwner, PamtSteps<S>.Arg(PageSlot.Target))
        .ReleasePage(PageSlot.Tdr, "TDR")
        .ReleasePage(PageSlot.Target, "TDCX")
        .Build();

    private static bool HasRoom(ref S s, ref Call c, int maximum) => s.Td(c.Td, TdField.TdcsPages) < (ulong)maximum;

    private static bool MigrationKeyIsGenerated(ref S s, ref Call c, int choice) =>
        s.Td(c.Td, TdField.TdcsPages) != TdSteps<S>.MinimumTdcsPages - 1 || RegisterSteps<S>.ChoiceHolds(ref s, ref c, choice);

    private static bool IsUninitialized(ref S s, ref Call c, int minimum) =>
        s.Td(c.Td, TdField.TdcsPages) < (ulong)minimum
        || TdMachine.OpStates.Permits((OpState)s.Td(c.Td, TdField.OpState), Trigger.TDH_MNG_ADDCX);

    private static void NewRoot(ref S s, ref Call c, int arg)
    {
        if (s.Td(c.Td, TdField.TdcsPages) == RootPageIndex)
            s.SetTd(c.Td, TdField.RootTable, (ulong)s.NewTable(c.Page[(int)PageSlot.Target]));
    }

    [Visible]
    private static void CountPage(ref S s, ref Call c, int arg) =>
        s.SetTd(c.Td, TdField.TdcsPages, s.Td(c.Td, TdField.TdcsPages) + 1);
}
