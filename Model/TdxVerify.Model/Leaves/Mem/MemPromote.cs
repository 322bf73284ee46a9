using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDH.MEM.PAGE.PROMOTE (versions 0 and 1) and TDH.MEM.PAGE.DEMOTE: one large page for 512 smaller ones, and back.</summary>
internal static class MemPromote<S>
    where S : struct, IState
{
    private const int Children = 512;

    public static Leaf<S> DeclarePromote(int version)
    {
        LeafBuilder<S> leaf = new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MEM_PAGE_PROMOTE, version == 0 ? "" : " (version 1)"))
            .Preset(Register.Rcx, Register.Rdx);
        if (version == 1)
            leaf.Effect("R9, R10, R11 = all ones (no L2 pages)", MemSept<S>.NoL2Pages, writes: [Register.R9, Register.R10, Register.R11]).VersionAtMost1();
        return leaf
            .Page(PageSlot.Tdr, Register.Rdx, "TDR", LockMode.Shared, PageType.PT_TDR)
            .TdIsUsable()
            .OpState()
            .PageInfo(SeptLevel.Page2M, SeptLevel.Page1G)
            .SeptTree(LockMode.Shared)
            .SeptWalk()
            .SeptEntryLock()
            .EntryState()
            .MappedPage("S-EPT page", isTable: true)
            .BlockedAndTracked()
            .Lock(
                "each of the 512 child entries in turn, host flavour, until one is not like the first", LockId.SeptChildren, LockMode.Host, LockChildren,
                Failure.Of(Status.TDX_OPERAND_BUSY, Register.Rcx, FailureDetail.SeptEntry))
            .Check(
                "first child: HPA aligned to the merged size, MAPPED or PENDING; every other equal to it apart from the HPA", AllChildrenAreAlike,
                Failure.Of(Status.TDX_EPT_INVALID_PROMOTE_CONDITIONS, Register.Rcx, FailureDetail.SeptEntry))
            .Check(
                "no host interrupt is pending", NoInterrupt,
                new Failure(Status.TDX_INTERRUPTED_RESTARTABLE, FailureDetail.InputsRestored))
            .Lock(
                "PAMT entry at the merged size EXCLUSIVE (implicit, momentary)", Call.PamtLock(PageSlot.Mapped, 1), LockMode.Momentary,
                LockMerged, Failure.Of(Status.TDX_OPERAND_BUSY, Register.Rcx))
            .Effect("merged PAMT entry = PT_REG, owner of the children (BEPOCH not reset)", MergePamt)
            .Effect("512 child PAMT types = PT_NDA", FreeChildPamt)
            .Effect("child count -1", TdSteps<S>.DecrementChildCount, 1)
            .Effect("S-EPT page PAMT type = PT_NDA", PamtSteps<S>.SetTypeNda, PamtSteps<S>.Arg(PageSlot.Mapped))
            .Effect("entry = MAPPED or PENDING as the children (stays locked)", MapMerged, releases: LockId.SeptChildren)
            .Effect("S-EPT page is gone", MemSept<S>.FreeTable)
            .Effect("RCX = HPA of the S-EPT page", MemSept<S>.ReturnMappedPage, writes: Register.Rcx)
            .Release("child entries, on failure", LockId.SeptChildren, ReleaseChildren)
            .ReleasePage(PageSlot.Mapped, "S-EPT page")
            .ReleaseSept()
            .Build();
    }

    public static Leaf<S> DeclareDemote() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MEM_PAGE_DEMOTE))
        .Preset(Register.Rcx, Register.Rdx)
        .Check("RDX: bits 11:1 and 63:52 are 0", RdxReservedAreZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rdx))
        .Page(PageSlot.Tdr, Register.Rdx, "TDR", LockMode.Shared, PageType.PT_TDR, PamtSteps<S>.ReadAddressWithoutFlags)
        .TdIsUsable()
        .OpState()
        .PageInfo(SeptLevel.Page2M, SeptLevel.Page1G)
        .SeptTree(LockMode.Shared)
        .SeptWalk()
        .SeptEntryLock()
        .EntryState()
        .Read("accept counter of the copy ignored", SeptSteps<S>.IgnoreAcceptCounter)
        .Read("large page = what the entry points to", PamtSteps<S>.ReadMappedPage)
        .MappedPageIsAssigned("large page")
        .BlockedAndTracked()
        .Page(PageSlot.Target, Register.R8, "new S-EPT", LockMode.Exclusive, PageType.PT_NDA)
        .Check(
            "no host interrupt is pending", NoInterrupt,
            new Failure(Status.TDX_INTERRUPTED_RESTARTABLE, FailureDetail.InputsRestored))
        .Lock(
            "PAMT entry of the large page EXCLUSIVE (implicit, momentary)", Call.PamtLock(PageSlot.Mapped, 1), LockMode.Momentary,
            LockLarge, Failure.Of(Status.TDX_OPERAND_BUSY, Register.Rcx))
        .Effect("512 child PAMT entries = PT_REG, same owner, BEPOCH 0", SplitPamt)
        .Effect("large PAMT type = PT_NDA", PamtSteps<S>.SetTypeNda, PamtSteps<S>.Arg(PageSlot.Mapped))
        .Effect("new S-EPT page: 512 entries in the unblocked state", NewTable)
        .Effect("entry = NL_MAPPED (stays locked)", MapTable)
        .Effect("new S-EPT page PAMT type = PT_EPT", PamtSteps<S>.SetTypeEpt, PamtSteps<S>.Arg(PageSlot.Target))
        .Effect("new S-EPT page PAMT owner = TDR", PamtSteps<S>.SetOwner, PamtSteps<S>.Arg(PageSlot.Target))
        .Effect("child count +1", TdSteps<S>.IncrementChildCount, 1)
        .ReleasePage(PageSlot.Target, "new S-EPT")
        .ReleaseSept()
        .Build();

    // Each child is compared as soon as it is locked, so a child that differs hides a lock behind it. Sample counts the
    // locks taken, Sample2 is the first child.
    private static bool LockChildren(ref S s, ref Call c, int arg)
    {
        c.Take(LockId.SeptChildren, exclusive: true);
        for (c.Sample = 0; c.Sample < Children;)
        {
            var at = new EntryRef(c.Value.Target, (int)c.Sample);
            SeptEntry child = s.Entry(at);
            bool granted = EntryLock.TryHost(ref child);
            s.SetEntry(at, child);
            if (!granted)
                return false;
            c.Sample++;
            if (!ChildIsAlike(ref s, ref c, (int)c.Sample - 1, child.WithoutLockBits))
                return true;
        }

        return true;
    }

    private static bool ChildIsAlike(ref S s, ref Call c, int index, SeptEntry child)
    {
        if (index == 0)
        {
            c.Sample2 = child.Word;
            ulong hpa = s.Platform.PageBase + ((ulong)child.Target << Hpa.PageShift);
            return SeptMachine.Permits(child.State, Trigger.TDH_MEM_PAGE_PROMOTE_ABOVE) && (hpa & (SeptLevel.Size(c.Level) - 1)) == 0;
        }

        SeptEntry first = new(c.Sample2);
        int stride = (int)SeptLevel.Pages(c.Level - 1);
        return child == SeptEntry.Of(first.State, first.Target + (index * stride)).WithAcceptCounter(first.AcceptCounter);
    }

    [Visible]
    private static bool AllChildrenAreAlike(ref S s, ref Call c, int arg)
    {
        int last = (int)c.Sample - 1;
        return last == Children - 1
            && ChildIsAlike(ref s, ref c, last, s.Entry(new EntryRef(c.Value.Target, last)).WithoutLockBits);
    }

    private static void ReleaseChildren(ref S s, ref Call c, int arg)
    {
        if (!c.Holds(LockId.SeptChildren))
            return;
        for (int index = 0; index < (int)c.Sample; index++)
        {
            var at = new EntryRef(c.Value.Target, index);
            s.SetEntry(at, s.Entry(at).WithLock(false));
        }

        c.Drop(LockId.SeptChildren);
    }

    private static bool NoInterrupt(ref S s, ref Call c, int arg) => s.Global(GlobalField.InterruptPending) == 0;

    /// <summary>The PAMT entry of the large page, whose lock both leaves take for a moment: one to be, or one that was.</summary>
    public static PamtRef MomentaryPamt(ref Call c) => c.Value.IsLeaf ? LargePamt(ref c) : MergedPamt(ref c);

    private static PamtRef MergedPamt(ref Call c) => PamtRef.Of(c.Level, new SeptEntry(c.Sample2).Target);

    [Visible(Part = nameof(LockOrReleaseMerged))]
    private static bool LockMerged(ref S s, ref Call c, int arg) => LockMomentarily(ref s, MergedPamt(ref c));

    private static bool LockOrReleaseMerged(ref S s, ref Call c, int arg) => LockOrRelease(ref s, ref c, MergedPamt(ref c));

    [Visible(Part = nameof(LockOrReleaseLarge))]
    private static bool LockLarge(ref S s, ref Call c, int arg) => LockMomentarily(ref s, LargePamt(ref c));

    private static bool LockOrReleaseLarge(ref S s, ref Call c, int arg) => LockOrRelease(ref s, ref c, LargePamt(ref c));

    private static PamtRef LargePamt(ref Call c) => PamtRef.Of(c.Level, c.Page[(int)PageSlot.Mapped]);

    private static bool LockOrRelease(ref S s, ref Call c, PamtRef at)
    {
        ulong word = s.Pamt(at, PamtField.Lock);
        bool releases = c.Progress > 0;
        bool granted = true;
        if (releases)
            HostPriorityLock.ReleaseExclusive(ref word);
        else
            granted = HostPriorityLock.TryExclusive(ref word, guest: false);
        s.SetPamt(at, PamtField.Lock, word);
        c.Again = granted && !releases;
        return granted;
    }

    private static bool LockMomentarily(ref S s, PamtRef at)
    {
        ulong word = s.Pamt(at, PamtField.Lock);
        bool granted = HostPriorityLock.TryExclusive(ref word, guest: false);
        if (granted)
            HostPriorityLock.ReleaseExclusive(ref word);
        s.SetPamt(at, PamtField.Lock, word);
        return granted;
    }

    [Visible]
    private static void MergePamt(ref S s, ref Call c, int arg)
    {
        PamtRef merged = MergedPamt(ref c);
        s.SetPamt(merged, PamtField.Owner, s.Td(c.Td, TdField.TdrPage) + 1);
        s.SetPamt(merged, PamtField.Type, (ulong)PageType.PT_REG);
    }

    [Visible]
    private static void FreeChildPamt(ref S s, ref Call c, int arg)
    {
        PamtRef first = PamtRef.Of(c.Level - 1, new SeptEntry(c.Sample2).Target);
        for (int i = 0; i < Children; i++)
            s.SetPamt(first with { Index = first.Index + i }, PamtField.Type, (ulong)PageType.PT_NDA);
    }

    [Visible]
    private static void MapMerged(ref S s, ref Call c, int arg)
    {
        SeptEntry first = new(c.Sample2);
        SeptSteps<S>.WriteEntryLocked(ref s, ref c, first);
        c.Drop(LockId.SeptChildren);
    }

    private static bool RdxReservedAreZero(ref S s, ref Call c, int arg) => (c.In.Rdx & 0xFFF0_0000_0000_0FFE) == 0;

    [Visible]
    private static void SplitPamt(ref S s, ref Call c, int arg)
    {
        PamtRef large = LargePamt(ref c);
        ulong owner = s.Pamt(large, PamtField.Owner);
        PamtRef first = PamtRef.Of(c.Level - 1, large.FirstPage);
        for (int i = 0; i < Children; i++)
        {
            PamtRef child = first with { Index = first.Index + i };
            s.SetPamt(child, PamtField.Type, (ulong)PageType.PT_REG);
            s.SetPamt(child, PamtField.Owner, owner);
            s.SetPamt(child, PamtField.Bepoch, 0);
        }
    }

    private static void NewTable(ref S s, ref Call c, int arg)
    {
        int table = s.NewTable(c.Page[(int)PageSlot.Target]);
        c.Sample = (ulong)table;
        int stride = (int)SeptLevel.Pages(c.Level - 1);
        SeptState state = c.Value.State.Unblocked();
        for (int index = 0; index < Children; index++)
            s.SetEntry(new EntryRef(table, index), SeptEntry.Of(state, c.Value.Target + (index * stride)));
    }

    [Visible]
    private static void MapTable(ref S s, ref Call c, int arg) =>
        SeptSteps<S>.WriteEntryLocked(ref s, ref c, SeptEntry.Of(SeptMachine.To(Trigger.TDH_MEM_PAGE_DEMOTE), (long)c.Sample));
}
