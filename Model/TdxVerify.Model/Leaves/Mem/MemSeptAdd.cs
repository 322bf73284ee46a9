using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDH.MEM.SEPT.ADD, version 0 and version 1 (which also takes L2 pages): a page becomes an S-EPT page.</summary>
internal static class MemSeptAdd<S>
    where S : struct, IState
{
    private const ulong NoPage = ulong.MaxValue;
    private const ulong UnusedPage = 1UL << 63;

    private static Failure EntryIncorrect =>
        Failure.Of(Status.TDX_EPT_ENTRY_STATE_INCORRECT, Register.Rcx, FailureDetail.SeptEntry);

    public static Leaf<S> DeclareVersion0()
    {
        LeafBuilder<S> leaf = Prologue(new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MEM_SEPT_ADD)).Preset(Register.Rcx, Register.Rdx))
            .Check("R8 is not all ones", HasPage, Failure.Of(Status.TDX_OPERAND_INVALID, Register.R8))
            .Check("entry is FREE, or existing is allowed", IsFreeOrAllowed, EntryIncorrect)
            .Check("entry is FREE, else done: nothing is changed, R8 is not looked at", IsFree, new Failure(Status.TDX_SUCCESS))
            .Page(PageSlot.Target, Register.R8, "new S-EPT", LockMode.Exclusive, PageType.PT_NDA, PamtSteps<S>.ReadAddressWithoutBit63);
        return Epilogue(leaf);
    }

    public static Leaf<S> DeclareVersion1()
    {
        LeafBuilder<S> leaf = new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MEM_SEPT_ADD, " (version 1)"))
            .Preset(Register.Rcx, Register.Rdx)
            .VersionAtMost1()
            .Effect("R8..R11: bit 63 cleared unless all ones", ReturnPagesWithoutBit63, writes: [Register.R8, Register.R9, Register.R10, Register.R11]);
        Prologue(leaf)
            .Check("R8 is given, or the entry is NL_MAPPED", IsMappedIfNoPage, EntryIncorrect)
            .Check("R8 is all ones, or the entry is FREE, or existing is allowed", IsFreeOrAllowedIfPage, EntryIncorrect)
            .Effect("R8 given and the entry exists: R8 bit 63 set (page not used)", MarkUnused, writes: Register.R8);
        NoL2Pages(leaf, "the entry exists: ", IsFreeOrNoL2Page)
            .Check("entry is FREE, else done: nothing is changed", IsFree, new Failure(Status.TDX_SUCCESS))
            .Page(PageSlot.Target, Register.R8, "new S-EPT", LockMode.Exclusive, PageType.PT_NDA, PamtSteps<S>.ReadAddressWithoutBit63);
        NoL2Pages(leaf, "", IsNoL2Page)
            .Effect("R8 = all ones (page used)", MarkUsed, writes: Register.R8);
        return Epilogue(leaf);
    }

    private static LeafBuilder<S> Prologue(LeafBuilder<S> leaf) => leaf
        .Check("RDX: bits 11:1 and 63:52 are 0 (bit 0: allow existing)", RdxReservedAreZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rdx))
        .Page(PageSlot.Tdr, Register.Rdx, "TDR", LockMode.Shared, PageType.PT_TDR, PamtSteps<S>.ReadAddressWithoutFlags)
        .TdIsUsable()
        .OpState()
        .PageInfo(SeptLevel.Page2M, SeptSteps<S>.RootLevel)
        .SeptTree(LockMode.Shared)
        .SeptWalk()
        .SeptEntryLock()
        .EntryState();

    private static Leaf<S> Epilogue(LeafBuilder<S> leaf) => leaf
        .Effect("new page filled with FREE entries", NewTable)
        .Effect("PAMT type = PT_EPT", PamtSteps<S>.SetTypeEpt, PamtSteps<S>.Arg(PageSlot.Target))
        .Effect("PAMT owner = TDR", PamtSteps<S>.SetOwner, PamtSteps<S>.Arg(PageSlot.Target))
        .Effect("BEPOCH = 0", PamtSteps<S>.ClearBepoch, PamtSteps<S>.Arg(PageSlot.Target))
        .Effect("child count +1", TdSteps<S>.IncrementChildCount, 1)
        .Effect("entry = NL_MAPPED (stays locked)", MapTable)
        .ReleaseEntry()
        .ReleasePage(PageSlot.Target, "new S-EPT")
        .ReleaseTree()
        .ReleaseOpState()
        .ReleasePage(PageSlot.Tdr, "TDR")
        .Build();

    // Only L1 is modelled: NUM_L2_VMS is 0, so a page for an L2 VM names one that does not exist.
    private static LeafBuilder<S> NoL2Pages(LeafBuilder<S> leaf, string condition, StepTest<S> test)
    {
        for (Register page = Register.R9; page <= Register.R11; page++)
        {
            leaf.Check(
                $"{condition}{page} is all ones (no L2 VM {page - Register.R8} exists)", test,
                Failure.Of(Status.TDX_OPERAND_INVALID, page), (int)page);
        }

        return leaf;
    }

    private static void ReturnPagesWithoutBit63(ref S s, ref Call c, int arg)
    {
        c.Out.R8 = WithoutBit63(c.In.R8);
        c.Out.R9 = WithoutBit63(c.In.R9);
        c.Out.R10 = WithoutBit63(c.In.R10);
        c.Out.R11 = WithoutBit63(c.In.R11);
    }

    private static ulong WithoutBit63(ulong page) => page == NoPage ? page : page & ~UnusedPage;

    private static bool RdxReservedAreZero(ref S s, ref Call c, int arg) => (c.In.Rdx & 0xFFF0_0000_0000_0FFE) == 0;

    private static bool HasPage(ref S s, ref Call c, int arg) => c.In.R8 != NoPage;

    private static bool IsFree(ref S s, ref Call c, int arg) => c.Value.State == SeptState.FREE;

    private static bool IsFreeOrAllowed(ref S s, ref Call c, int arg) => IsFree(ref s, ref c, arg) || (c.In.Rdx & 1) != 0;

    private static bool IsFreeOrAllowedIfPage(ref S s, ref Call c, int arg) =>
        c.In.R8 == NoPage || IsFreeOrAllowed(ref s, ref c, arg);

    private static bool IsMappedIfNoPage(ref S s, ref Call c, int arg) => c.In.R8 != NoPage || !IsFree(ref s, ref c, arg);

    private static bool IsNoL2Page(ref S s, ref Call c, int register) => c.In[(Register)register] == NoPage;

    private static bool IsFreeOrNoL2Page(ref S s, ref Call c, int register) =>
        IsFree(ref s, ref c, 0) || IsNoL2Page(ref s, ref c, register);

    private static void MarkUnused(ref S s, ref Call c, int arg)
    {
        if (c.In.R8 != NoPage && !IsFree(ref s, ref c, arg))
            c.Out.R8 |= UnusedPage;
    }

    private static void MarkUsed(ref S s, ref Call c, int arg) => c.Out.R8 = NoPage;

    private static void NewTable(ref S s, ref Call c, int arg) => c.Sample = (ulong)s.NewTable(c.Page[(int)PageSlot.Target]);

    [Visible]
    private static void MapTable(ref S s, ref Call c, int arg) =>
        SeptSteps<S>.WriteEntryLocked(ref s, ref c, SeptEntry.Of(SeptMachine.To(Trigger.TDH_MEM_SEPT_ADD), (long)c.Sample));
}
