using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDH.MEM.RANGE.BLOCK, RANGE.UNBLOCK and TDH.MEM.TRACK.</summary>
internal static class MemRange<S>
    where S : struct, IState
{
    public static Leaf<S> DeclareBlock() => Prologue(HostLeaf.TDH_MEM_RANGE_BLOCK)
        .Check(
            "entry is not blocked already", IsNotBlocked,
            Failure.Of(Status.TDX_GPA_RANGE_ALREADY_BLOCKED, Register.Rcx, FailureDetail.SeptEntry))
        .EntryState()
        .Effect("entry = blocked counterpart, accept counter 0 (stays locked)", BlockEntry)
        .Read("page = what the entry points to", ReadPage)
        .Read("epoch = TD_EPOCH", ReadEpoch)
        .Effect("BEPOCH of the page = epoch (no PAMT lock, no epoch lock)", SetBepoch)
        .ReleaseSept()
        .Build();

    public static Leaf<S> DeclareUnblock(ModuleProfile profile) => Prologue(HostLeaf.TDH_MEM_RANGE_UNBLOCK)
        .EntryState()
        .Read("page = what the entry points to", ReadPage)
        .Check(
            "if OP_STATE needs TLB tracking: tracked since BEPOCH", SeptSteps<S>.IsTracked,
            Failure.Of(
                Status.TDX_TLB_TRACKING_NOT_DONE,
                profile == ModuleProfile.V1_5_05 ? OperandId.RCX : OperandId.SEPT_TREE))
        .Effect("entry = unblocked counterpart (releases the entry lock)", UnblockEntry, releases: LockId.SeptEntry)
        .ReleaseSept()
        .Build();

    public static Leaf<S> DeclareTrack() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MEM_TRACK))
        .Page(PageSlot.Tdr, Register.Rcx, "TDR", LockMode.Shared, PageType.PT_TDR)
        .TdIsUsable()
        .OpState()
        .Lock("TD epoch EXCLUSIVE", LockId.Epoch, LockMode.Exclusive, TdSteps<S>.LockEpochExclusive, Failure.Of(Status.TDX_OPERAND_BUSY, OperandId.TD_EPOCH))
        .Check("REFCOUNT of the previous epoch is 0", NoVcpuInPreviousEpoch, new Failure(Status.TDX_PREVIOUS_TLB_EPOCH_BUSY))
        .Effect("TD_EPOCH +1", AdvanceEpoch)
        .Release("TD epoch", LockId.Epoch, TdSteps<S>.ReleaseEpoch)
        .ReleaseOpState()
        .ReleasePage(PageSlot.Tdr, "TDR")
        .Build();

    private static LeafBuilder<S> Prologue(HostLeaf leaf) => new LeafBuilder<S>(LeafId.Of(leaf))
        .Preset(Register.Rcx, Register.Rdx)
        .Page(PageSlot.Tdr, Register.Rdx, "TDR", LockMode.Shared, PageType.PT_TDR)
        .TdIsUsable()
        .OpState()
        .PageInfo(SeptLevel.Page4K, SeptSteps<S>.RootLevel)
        .SeptTree(LockMode.Exclusive)
        .SeptWalk()
        .SeptEntryLock();

    private static bool IsNotBlocked(ref S s, ref Call c, int arg) => !SeptStates.AnyBlocked.Contains(c.Value.State);

    [Visible]
    private static void BlockEntry(ref S s, ref Call c, int arg) =>
        SeptSteps<S>.WriteEntryLocked(ref s, ref c, c.Value.With(c.Value.State.Blocked()).WithAcceptCounter(0));

    private static void ReadPage(ref S s, ref Call c, int arg)
    {
        if (c.Value.IsLeaf)
            PamtSteps<S>.ReadMappedPage(ref s, ref c, arg);
        else
            PamtSteps<S>.ReadMappedTable(ref s, ref c, arg);
    }

    [Visible(Touches = Touched.Epoch)]
    private static void ReadEpoch(ref S s, ref Call c, int arg) => c.Sample = s.Td(c.Td, TdField.Epoch);

    [Visible(Touches = Touched.Bepoch)]
    private static void SetBepoch(ref S s, ref Call c, int arg) =>
        s.SetPamt(
            PamtRef.Of(c.Size[(int)PageSlot.Mapped], c.Page[(int)PageSlot.Mapped]), PamtField.Bepoch, c.Sample);

    [Visible]
    private static void UnblockEntry(ref S s, ref Call c, int arg) =>
        SeptSteps<S>.WriteEntryAndRelease(ref s, ref c, c.Value.With(c.Value.State.Unblocked()));

    [Visible]
    private static bool NoVcpuInPreviousEpoch(ref S s, ref Call c, int arg) =>
        s.Td(c.Td, TdSteps<S>.RefCount(s.Td(c.Td, TdField.Epoch) + 1)) == 0;

    [Visible(Touches = Touched.Epoch)]
    private static void AdvanceEpoch(ref S s, ref Call c, int arg) => s.SetTd(c.Td, TdField.Epoch, s.Td(c.Td, TdField.Epoch) + 1);
}
