using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDH.MEM.PAGE.ADD, PAGE.AUG, PAGE.REMOVE and PAGE.RELOCATE.</summary>
internal static class MemPage<S>
    where S : struct, IState
{
    public static Leaf<S> DeclareAdd() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MEM_PAGE_ADD))
        .Preset(Register.Rcx, Register.Rdx)
        .Page(PageSlot.Tdr, Register.Rdx, "TDR", LockMode.Exclusive, PageType.PT_TDR)
        .TdIsUsable()
        .OpState(locked: false)
        .PageInfo(SeptLevel.Page4K, SeptLevel.Page4K)
        .SeptWalk(dropsTree: false)
        .EntryState()
        .Check("R9 source page: 4 KiB aligned, below 2^52, shared HKID", SourceIsShared, Failure.Of(Status.TDX_OPERAND_INVALID, Register.R9))
        .Page(PageSlot.Target, Register.R8, "new TD", LockMode.Exclusive, PageType.PT_NDA)
        .Effect("entry = MAPPED, RWX", MapPage)
        .Effect("child count +1", TdSteps<S>.IncrementChildCount, 1)
        .Effect("PAMT type = PT_REG", PamtSteps<S>.SetTypeReg, PamtSteps<S>.Arg(PageSlot.Target))
        .Effect("PAMT owner = TDR", PamtSteps<S>.SetOwner, PamtSteps<S>.Arg(PageSlot.Target))
        .Effect("BEPOCH = 0", PamtSteps<S>.ClearBepoch, PamtSteps<S>.Arg(PageSlot.Target))
        .ReleasePage(PageSlot.Target, "TD page")
        .ReleasePage(PageSlot.Tdr, "TDR")
        .Build();

    public static Leaf<S> DeclareAug()
    {
        Failure busy = Failure.Of(Status.TDX_OPERAND_BUSY, Register.R8);
        Failure metadata = Failure.Of(Status.TDX_PAGE_METADATA_INCORRECT, Register.R8);
        int target = PamtSteps<S>.Arg(PageSlot.Target);
        return new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MEM_PAGE_AUG))
            .Preset(Register.Rcx, Register.Rdx)
            .Page(PageSlot.Tdr, Register.Rdx, "TDR", LockMode.Shared, PageType.PT_TDR)
            .TdIsUsable()
            .OpState()
            .PageInfo(SeptLevel.Page4K, SeptLevel.Page2M)
            .SeptTree(LockMode.Shared)
            .SeptWalk()
            .SeptEntryLock()
            .EntryState()
            .Read("new page address = R8", PamtSteps<S>.ReadAddress, PamtSteps<S>.Arg(PageSlot.Target, Register.R8))
            .Check(
                "new page address: aligned to the level, HKID bits 0, below 2^52", PamtSteps<S>.AddressIsLegalForLevel,
                Failure.Of(Status.TDX_OPERAND_INVALID, Register.R8), target)
            .InTdmr(PageSlot.Target, Register.R8, "new")
            .Lock("new page PAMT 1 GiB entry SHARED", Call.PamtLock(PageSlot.Target, 2), LockMode.Shared, PamtSteps<S>.LockShared, busy, PamtSteps<S>.Arg(PageSlot.Target, 2))
            .Lock(
                "new page PAMT 1 GiB entry promoted to EXCLUSIVE if it is PT_REG (the walk ends there)", Call.PamtLock(PageSlot.Target, 2),
                LockMode.Promoted, PamtSteps<S>.PromoteLockOfLargePage, busy, PamtSteps<S>.Arg(PageSlot.Target, 2), when: "it is PT_REG")
            .Check("new page PAMT 1 GiB entry is not PT_REG", PamtSteps<S>.IsNotLargePage, metadata, PamtSteps<S>.Arg(PageSlot.Target, 2))
            .Lock("new page PAMT 2 MiB entry SHARED", Call.PamtLock(PageSlot.Target, 1), LockMode.Shared, PamtSteps<S>.LockShared, busy, PamtSteps<S>.Arg(PageSlot.Target, 1))
            .Lock(
                "new page PAMT 2 MiB entry promoted to EXCLUSIVE if the walk ends there (level 1, or PT_REG)", Call.PamtLock(PageSlot.Target, 1),
                LockMode.Promoted, Promote2MIfLast, busy, PamtSteps<S>.Arg(PageSlot.Target, 1), when: "level 1")
            .Check("level 0: new page PAMT 2 MiB entry is not PT_REG", IsNot2MPageAtLevel0, metadata)
            .Lock("level 0: new page PAMT 4 KiB entry EXCLUSIVE", Call.PamtLock(PageSlot.Target, 0), LockMode.Exclusive, Lock4KAtLevel0, busy, target, when: "level 0")
            .Check("new page type is PT_NDA at the level", IsNdaAtLevel, metadata)
            .Check("level 1: all 512 4 KiB entries are PT_NDA", AllSmallAreNda, metadata)
            .Effect("entry = PENDING (releases the entry lock, erases host priority)", MapPending, releases: LockId.SeptEntry)
            .Effect("child count + 4 KiB pages of the level", CountPages)
            .Effect("PAMT type = PT_REG", PamtSteps<S>.SetTypeReg, target)
            .Effect("PAMT owner = TDR", PamtSteps<S>.SetOwner, target)
            .Effect("BEPOCH = 0", PamtSteps<S>.ClearBepoch, target)
            .ReleasePage(PageSlot.Target, "new page")
            .ReleaseSept()
            .Build();
    }

    public static Leaf<S> DeclareRemove() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MEM_PAGE_REMOVE))
        .Preset(Register.Rcx, Register.Rdx)
        .Page(PageSlot.Tdr, Register.Rdx, "TDR", LockMode.Shared, PageType.PT_TDR)
        .TdIsUsable()
        .OpState()
        .PageInfo(SeptLevel.Page4K, SeptLevel.Page1G)
        .SeptTree(LockMode.Shared)
        .SeptWalk()
        .SeptEntryLock()
        .EntryState()
        .Read("accept counter of the copy ignored", SeptSteps<S>.IgnoreAcceptCounter)
        .MappedPage("page", isTable: false)
        .BlockedAndTracked()
        .Effect("entry = FREE (releases the entry lock)", FreeEntry, releases: LockId.SeptEntry)
        .Effect("child count - 4 KiB pages of the level", UncountPages)
        .Effect("PAMT type = PT_NDA", PamtSteps<S>.SetTypeNda, PamtSteps<S>.Arg(PageSlot.Mapped))
        .Effect("RCX = HPA of the page", MemSept<S>.ReturnMappedPage, writes: Register.Rcx)
        .ReleasePage(PageSlot.Mapped, "page")
        .ReleaseSept()
        .Build();

    public static Leaf<S> DeclareRelocate() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MEM_PAGE_RELOCATE))
        .Preset(Register.Rcx, Register.Rdx)
        .Page(PageSlot.Tdr, Register.Rdx, "TDR", LockMode.Shared, PageType.PT_TDR)
        .TdIsUsable()
        .OpState()
        .PageInfo(SeptLevel.Page4K, SeptLevel.Page4K)
        .SeptTree(LockMode.Shared)
        .SeptWalk()
        .SeptEntryLock()
        .EntryState()
        .Check("R8 is not the HPA that the entry maps", TargetDiffers, Failure.Of(Status.TDX_OPERAND_INVALID, Register.R8))
        .MappedPage("old page", isTable: false)
        .BlockedAndTracked()
        .Page(PageSlot.Target, Register.R8, "target", LockMode.Exclusive, PageType.PT_NDA)
        .Effect("old page PAMT type = PT_NDA", PamtSteps<S>.SetTypeNda, PamtSteps<S>.Arg(PageSlot.Mapped))
        .Effect("target PAMT type = PT_REG", PamtSteps<S>.SetTypeReg, PamtSteps<S>.Arg(PageSlot.Target))
        .Effect("target PAMT owner = TDR", PamtSteps<S>.SetOwner, PamtSteps<S>.Arg(PageSlot.Target))
        .Effect("target BEPOCH = 0", PamtSteps<S>.ClearBepoch, PamtSteps<S>.Arg(PageSlot.Target))
        .Effect("entry = unblocked state, target HPA (stays locked)", MapTarget)
        .Effect("RCX = old HPA", MemSept<S>.ReturnMappedPage, writes: Register.Rcx)
        .ReleasePage(PageSlot.Target, "target")
        .ReleasePage(PageSlot.Mapped, "old page")
        .ReleaseSept()
        .Build();

    private static bool SourceIsShared(ref S s, ref Call c, int arg)
    {
        PlatformInfo platform = s.Platform;
        ulong hkid = (c.In.R9 & platform.HkidMask) >> platform.HkidStartBit;
        return (c.In.R9 & (Hpa.PageSize - 1)) == 0 && c.In.R9 >> platform.MaxPa == 0 && hkid < (ulong)platform.PrivateHkidFirst;
    }

    [Visible]
    private static void MapPage(ref S s, ref Call c, int arg) =>
        s.SetEntry(c.Entry, SeptEntry.Of(SeptMachine.To(Trigger.TDH_MEM_PAGE_ADD), c.Page[(int)PageSlot.Target]));

    private static bool Promote2MIfLast(ref S s, ref Call c, int arg)
    {
        c.Size[(int)PageSlot.Target] = c.WantedLevel;
        return c.WantedLevel == SeptLevel.Page2M
            ? PamtSteps<S>.PromoteLock(ref s, ref c, arg)
            : PamtSteps<S>.PromoteLockOfLargePage(ref s, ref c, arg);
    }

    private static bool IsNot2MPageAtLevel0(ref S s, ref Call c, int arg) =>
        c.WantedLevel == SeptLevel.Page2M || PamtSteps<S>.IsNotLargePage(ref s, ref c, PamtSteps<S>.Arg(PageSlot.Target, 1));

    private static bool Lock4KAtLevel0(ref S s, ref Call c, int arg) =>
        c.WantedLevel == SeptLevel.Page2M || PamtSteps<S>.LockExclusive(ref s, ref c, arg);

    private static bool IsNdaAtLevel(ref S s, ref Call c, int arg) =>
        PamtSteps<S>.TypeIsNda(ref s, ref c, PamtSteps<S>.Arg(PageSlot.Target, c.WantedLevel));

    private static bool AllSmallAreNda(ref S s, ref Call c, int arg) =>
        c.WantedLevel == SeptLevel.Page4K
        || s.AreAll(new PamtRef(0, c.Page[(int)PageSlot.Target]), (int)SeptLevel.Pages(SeptLevel.Page2M), PageType.PT_NDA);

    [Visible]
    private static void MapPending(ref S s, ref Call c, int arg) =>
        SeptSteps<S>.WriteEntryAndRelease(ref s, ref c, SeptEntry.Of(SeptMachine.To(Trigger.TDH_MEM_PAGE_AUG), c.Page[(int)PageSlot.Target]));

    [Visible]
    private static void CountPages(ref S s, ref Call c, int arg) =>
        TdSteps<S>.IncrementChildCount(ref s, ref c, (int)SeptLevel.Pages(c.WantedLevel));

    [Visible(Touches = Touched.FreedPage)]
    private static void UncountPages(ref S s, ref Call c, int arg) =>
        TdSteps<S>.DecrementChildCount(ref s, ref c, (int)SeptLevel.Pages(c.WantedLevel));

    [Visible]
    private static void FreeEntry(ref S s, ref Call c, int arg) =>
        SeptSteps<S>.WriteEntryAndRelease(ref s, ref c, SeptEntry.Of(SeptMachine.To(Trigger.TDH_MEM_PAGE_REMOVE)));

    private static bool TargetDiffers(ref S s, ref Call c, int arg) =>
        c.In.R8 != s.Platform.PageBase + ((ulong)c.Value.Target << Hpa.PageShift);

    [Visible]
    private static void MapTarget(ref S s, ref Call c, int arg) =>
        SeptSteps<S>.WriteEntryLocked(
            ref s, ref c, SeptEntry.Of(SeptMachine.Next(c.Value.State, Trigger.TDH_MEM_PAGE_RELOCATE), c.Page[(int)PageSlot.Target]));
}
