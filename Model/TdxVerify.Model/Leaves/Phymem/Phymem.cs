using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDH.PHYMEM.PAGE.RECLAIM, PAGE.RDMD, PAGE.WBINVD and TDH.PHYMEM.CACHE.WB.</summary>
internal static class Phymem<S>
    where S : struct, IState
{
    private static readonly Register[] s_pageRegisters =
        [Register.Rcx, Register.Rdx, Register.R8, Register.R9, Register.R10, Register.R11];

    public static Leaf<S> DeclareReclaim()
    {
        LeafBuilder<S> leaf = new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_PHYMEM_PAGE_RECLAIM)).Preset(s_pageRegisters);
        return LeafWalk(leaf, LockMode.Exclusive)
            .Check("page is assigned: type is neither PT_NDA nor PT_RSVD", IsAssigned, Failure.Of(Status.TDX_PAGE_METADATA_INCORRECT, Register.Rcx))
            .Effect("RCX = page type, RDX = owner HPA, R8 = size", ReturnMetadata, writes: [Register.Rcx, Register.Rdx, Register.R8])
            .Check("address is aligned to the page's size", IsAlignedToSize, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rcx))
            .Read("TD = the TDR itself, or the PAMT owner", ReadTd)
            .Lock(
                "not a TDR: owner TDR PAMT 4 KiB entry SHARED (implicit)", Call.PamtLock(PageSlot.Tdr, 0), LockMode.Shared, LockOwner,
                Failure.Of(Status.TDX_OPERAND_BUSY, OperandId.TDR), when: "the page is no TDR")
            .Lifecycle()
            .Check("a TDR: child count is 0", HasNoChildren, new Failure(Status.TDX_TD_ASSOCIATED_PAGES_EXIST))
            .Effect("not a TDR: owner child count - 4 KiB pages of the size", UncountPages)
            .Effect("what the page held is gone", Forget)
            .Effect("PAMT type = PT_NDA", PamtSteps<S>.SetTypeNda, PamtSteps<S>.Arg(PageSlot.Target))
            .ReleaseOwnerTdr()
            .ReleasePage(PageSlot.Target, "page")
            .Build();
    }

    public static Leaf<S> DeclareRdmd()
    {
        LeafBuilder<S> leaf = new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_PHYMEM_PAGE_RDMD)).Preset(s_pageRegisters);
        return LeafWalk(leaf, LockMode.Shared)
            .Effect("RCX = page type, RDX = owner HPA, R8 = size", ReturnMetadata, writes: [Register.Rcx, Register.Rdx, Register.R8])
            .Effect("PT_REG and PT_EPT: R9 = BEPOCH", ReturnBepoch, writes: Register.R9)
            .ReleasePage(PageSlot.Target, "page")
            .Build();
    }

    public static Leaf<S> DeclareWbinvd() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_PHYMEM_PAGE_WBINVD))
        .Page(PageSlot.Target, Register.Rcx, "target", LockMode.Shared, PageType.PT_NDA, PamtSteps<S>.ReadAddressWithoutHkid)
        .ReleasePage(PageSlot.Target, "target")
        .Build();

    public static Leaf<S> DeclareCacheWb() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_PHYMEM_CACHE_WB))
        .Check("RCX is 0 (start) or 1 (resume)", IsStartOrResume, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rcx))
        .Lock("write-back mutex of the package", LockId.WritebackMutex, LockMode.Host, LockMutex, Failure.Of(Status.TDX_OPERAND_BUSY, OperandId.WBCACHE))
        .Lock("KOT SHARED", LockId.Kot, LockMode.Shared, KotSteps<S>.LockShared, Failure.Of(Status.TDX_OPERAND_BUSY, OperandId.KOT))
        .Effect("start: the saved interruption point is dropped", DropPoint)
        .Check("start: at least one HKID is HKID_FLUSHED", SomeKeyIsFlushed, new Failure(Status.TDX_NO_HKID_READY_TO_WBCACHE))
        .Check("resume: an interruption point is saved", HasPoint, new Failure(Status.TDX_WBCACHE_RESUME_ERROR))
        .Effect("start: the flushed HKIDs are recorded", RecordKeys)
        .Check(
            "after each sub-block but the last: no host interrupt is pending (else the point is saved)", WalkSubBlocks,
            new Failure(Status.TDX_INTERRUPTED_RESUMABLE))
        .Effect("the package's bit is cleared in the write-back bitmap of each recorded HKID", ClearBitmaps)
        .Effect("the interruption point is dropped", ForgetPoint)
        .Release("KOT", LockId.Kot, KotSteps<S>.Release)
        .Release("write-back mutex", LockId.WritebackMutex, ReleaseMutex)
        .Build();

    // The walk to the actual leaf: it ends at 1 GiB or 2 MiB where that entry is PT_REG.
    private static LeafBuilder<S> LeafWalk(LeafBuilder<S> leaf, LockMode mode)
    {
        Failure busy = Failure.Of(Status.TDX_OPERAND_BUSY, Register.Rcx);
        PageSlot page = PageSlot.Target;
        leaf.Read("page address = RCX", PamtSteps<S>.ReadAddress, PamtSteps<S>.Arg(page, Register.Rcx))
            .Check(
                "page address: 4 KiB aligned, HKID bits 0, below 2^52", PamtSteps<S>.AddressIsLegal,
                Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rcx), PamtSteps<S>.Arg(page))
            .InTdmr(page, Register.Rcx, "the")
            .Lock("PAMT 1 GiB entry SHARED", Call.PamtLock(page, 2), LockMode.Shared, PamtSteps<S>.LockLeafShared1G, busy, PamtSteps<S>.Arg(page, 2));
        if (mode == LockMode.Exclusive)
            leaf.Lock("PAMT 1 GiB entry promoted to EXCLUSIVE if it is PT_REG", Call.PamtLock(page, 2), LockMode.Promoted, PamtSteps<S>.PromoteLockOfLargePage, busy, PamtSteps<S>.Arg(page, 2), when: "it is PT_REG");
        leaf.Lock("PAMT 2 MiB entry SHARED, unless the walk has ended", Call.PamtLock(page, 1), LockMode.Shared, PamtSteps<S>.LockLeafShared2M, busy, PamtSteps<S>.Arg(page, 1));
        if (mode == LockMode.Exclusive)
            leaf.Lock("PAMT 2 MiB entry promoted to EXCLUSIVE if it is PT_REG", Call.PamtLock(page, 1), LockMode.Promoted, Promote2M, busy, PamtSteps<S>.Arg(page, 1), when: "it is PT_REG");
        return leaf.Lock(
            $"PAMT 4 KiB entry {(mode == LockMode.Exclusive ? "EXCLUSIVE" : "SHARED")}, unless the walk has ended", Call.PamtLock(page, 0), mode,
            mode == LockMode.Exclusive ? PamtSteps<S>.LockLeaf4KExclusive : PamtSteps<S>.LockLeaf4KShared, busy, PamtSteps<S>.Arg(page),
            when: "no larger page ended the walk");
    }

    private static bool Promote2M(ref S s, ref Call c, int arg) =>
        c.Size[(int)PageSlot.Target] == 2 || PamtSteps<S>.PromoteLockOfLargePage(ref s, ref c, arg);

    private static PamtRef At(ref Call c) => PamtRef.Of(c.Size[(int)PageSlot.Target], c.Page[(int)PageSlot.Target]);

    private static PageType TypeOf(ref S s, ref Call c) => (PageType)s.Pamt(At(ref c), PamtField.Type);

    private static bool IsAssigned(ref S s, ref Call c, int arg) => TypeOf(ref s, ref c) is not (PageType.PT_NDA or PageType.PT_RSVD);

    private static void ReturnMetadata(ref S s, ref Call c, int arg)
    {
        ulong owner = s.Pamt(At(ref c), PamtField.Owner);
        c.Out.Rcx = (ulong)TypeOf(ref s, ref c);
        c.Out.Rdx = owner == 0 ? 0 : s.Platform.PageBase + ((owner - 1) << Hpa.PageShift);
        c.Out.R8 = (ulong)c.Size[(int)PageSlot.Target];
    }

    private static void ReturnBepoch(ref S s, ref Call c, int arg)
    {
        if (TypeOf(ref s, ref c) is PageType.PT_REG or PageType.PT_EPT)
            c.Out.R9 = s.Pamt(At(ref c), PamtField.Bepoch);
    }

    private static bool IsAlignedToSize(ref S s, ref Call c, int arg) =>
        (c.In.Rcx & (SeptLevel.Size(c.Size[(int)PageSlot.Target]) - 1)) == 0;

    private static void ReadTd(ref S s, ref Call c, int arg)
    {
        if (TypeOf(ref s, ref c) == PageType.PT_TDR)
            c.Td = s.Holder(c.Page[(int)PageSlot.Target]);
        else
            PamtSteps<S>.ReadOwner(ref s, ref c, (int)PageSlot.Target);
    }

    private static bool LockOwner(ref S s, ref Call c, int arg) =>
        TypeOf(ref s, ref c) == PageType.PT_TDR || PamtSteps<S>.LockShared(ref s, ref c, PamtSteps<S>.Arg(PageSlot.Tdr));

    private static bool HasNoChildren(ref S s, ref Call c, int arg) =>
        TypeOf(ref s, ref c) != PageType.PT_TDR || s.Td(c.Td, TdField.ChildCount) == 0;

    [Visible]
    private static void UncountPages(ref S s, ref Call c, int arg)
    {
        if (TypeOf(ref s, ref c) != PageType.PT_TDR)
            TdSteps<S>.DecrementChildCount(ref s, ref c, (int)SeptLevel.Pages(c.Size[(int)PageSlot.Target]));
    }

    private static void Forget(ref S s, ref Call c, int arg)
    {
        int page = c.Page[(int)PageSlot.Target];
        switch (TypeOf(ref s, ref c))
        {
            case PageType.PT_TDR:
                if (s.Td(c.Td, TdField.TdcsPages) > 3)
                    s.FreeTable((int)s.Td(c.Td, TdField.RootTable));
                s.FreeTd(c.Td);
                break;
            case PageType.PT_TDVPR:
                s.FreeVcpu(s.Holder(page));
                break;
            case PageType.PT_EPT:
                s.FreeTable(s.Holder(page));
                break;
            default:
                break;
        }
    }

    private static bool IsStartOrResume(ref S s, ref Call c, int arg) => c.In.Rcx <= 1;

    private static bool IsStart(ref Call c) => c.In.Rcx == 0;

    private static bool LockMutex(ref S s, ref Call c, int arg)
    {
        if (s.Global(GlobalField.WritebackMutex) != 0)
            return false;
        s.SetGlobal(GlobalField.WritebackMutex, 1);
        c.Take(LockId.WritebackMutex, exclusive: true);
        return true;
    }

    private static void ReleaseMutex(ref S s, ref Call c, int arg)
    {
        if (!c.Holds(LockId.WritebackMutex))
            return;
        s.SetGlobal(GlobalField.WritebackMutex, 0);
        c.Drop(LockId.WritebackMutex);
    }

    private static void DropPoint(ref S s, ref Call c, int arg)
    {
        if (IsStart(ref c))
            s.SetGlobal(GlobalField.WritebackPoint, 0);
    }

    private static ulong FlushedKeys(ref S s)
    {
        ulong keys = 0;
        for (int hkid = s.Platform.HkidFirst; hkid < s.Platform.HkidFirst + s.Platform.HkidCount; hkid++)
        {
            if (TdMachine.Key.Permits((HkidState)s.Key(hkid, KeyField.State), Trigger.TDH_PHYMEM_CACHE_WB))
                keys |= 1UL << (hkid - s.Platform.HkidFirst);
        }

        return keys;
    }

    private static bool SomeKeyIsFlushed(ref S s, ref Call c, int arg) => !IsStart(ref c) || FlushedKeys(ref s) != 0;

    private static bool HasPoint(ref S s, ref Call c, int arg) => IsStart(ref c) || s.Global(GlobalField.WritebackPoint) != 0;

    private static void RecordKeys(ref S s, ref Call c, int arg)
    {
        if (IsStart(ref c))
            s.SetGlobal(GlobalField.WritebackKeys, FlushedKeys(ref s));
    }

    private static bool WalkSubBlocks(ref S s, ref Call c, int arg)
    {
        ulong done = s.Global(GlobalField.WritebackPoint) + 1;
        if (s.Global(GlobalField.InterruptPending) == 0 || done >= (ulong)s.Platform.CacheSubBlocks)
            return true;
        s.SetGlobal(GlobalField.WritebackPoint, done);
        return false;
    }

    private static void ClearBitmaps(ref S s, ref Call c, int arg)
    {
        ulong keys = s.Global(GlobalField.WritebackKeys);
        for (int i = 0; i < s.Platform.HkidCount; i++)
        {
            if ((keys >> i & 1) != 0)
            {
                int hkid = s.Platform.HkidFirst + i;
                s.SetKey(hkid, KeyField.WritebackBitmap, s.Key(hkid, KeyField.WritebackBitmap) & ~1UL);
            }
        }
    }

    private static void ForgetPoint(ref S s, ref Call c, int arg) => s.SetGlobal(GlobalField.WritebackPoint, 0);
}
