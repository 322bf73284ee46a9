using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDH.MEM.SEPT.REMOVE (versions 0 and 1) and TDH.MEM.SEPT.RD.</summary>
internal static class MemSept<S>
    where S : struct, IState
{
    private const int EntriesPerTable = 512;

    public static Leaf<S> DeclareRemove(int version)
    {
        LeafBuilder<S> leaf = new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MEM_SEPT_REMOVE, version == 0 ? "" : " (version 1)"))
            .Preset(Register.Rcx, Register.Rdx);
        if (version == 1)
            leaf.Effect("R9, R10, R11 = all ones (no L2 pages)", NoL2Pages, writes: [Register.R9, Register.R10, Register.R11]).VersionAtMost1();
        return leaf
            .Page(PageSlot.Tdr, Register.Rdx, "TDR", LockMode.Shared, PageType.PT_TDR)
            .TdIsUsable()
            .OpState()
            .PageInfo(SeptLevel.Page2M, SeptSteps<S>.RootLevel)
            .SeptTree(LockMode.Exclusive)
            .SeptWalk()
            .SeptEntryLock()
            .EntryState()
            .MappedPage("S-EPT page", isTable: true)
            .BlockedAndTracked()
            .Check(
                "all 512 entries of the S-EPT page are FREE (locked or not)", AllChildrenAreFree,
                Failure.Of(Status.TDX_EPT_PAGE_NOT_FREE, Register.Rcx, FailureDetail.SeptEntry))
            .Effect("entry = FREE (releases the entry lock)", FreeEntry, releases: LockId.SeptEntry)
            .Effect("S-EPT page is gone", FreeTable)
            .Effect("child count -1", TdSteps<S>.DecrementChildCount, 1)
            .Effect("PAMT type = PT_NDA", PamtSteps<S>.SetTypeNda, PamtSteps<S>.Arg(PageSlot.Mapped))
            .Effect("RCX = HPA of the S-EPT page", ReturnMappedPage, writes: Register.Rcx)
            .ReleaseEntry()
            .ReleasePage(PageSlot.Mapped, "S-EPT page")
            .ReleaseTree()
            .ReleaseOpState()
            .ReleasePage(PageSlot.Tdr, "TDR")
            .Build();
    }

    public static Leaf<S> DeclareRd() => new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MEM_SEPT_RD))
        .Preset(Register.Rcx, Register.Rdx)
        .Page(PageSlot.Tdr, Register.Rdx, "TDR", LockMode.Shared, PageType.PT_TDR, ReadTdrWithoutBit0)
        .TdIsUsable()
        .OpState()
        .Check("RDX bit 0 (L2 attributes) only for a debug TD", L2AttributesAllowed, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rdx))
        .PageInfo(SeptLevel.Page4K, SeptSteps<S>.RootLevel)
        .SeptTree(LockMode.Shared)
        .SeptWalk()
        .SeptEntryLock()
        .Effect("RCX = arch S-EPT entry, RDX = level and state", SeptSteps<S>.ReturnEntry, writes: [Register.Rcx, Register.Rdx])
        .Effect("RDX bit 0 given: R8 = L2 attributes (0)", ReturnL2Attributes, writes: Register.R8)
        .ReleaseSept()
        .Build();

    public static void NoL2Pages(ref S s, ref Call c, int arg)
    {
        c.Out.R9 = ulong.MaxValue;
        c.Out.R10 = ulong.MaxValue;
        c.Out.R11 = ulong.MaxValue;
    }

    public static void ReturnMappedPage(ref S s, ref Call c, int arg) =>
        c.Out.Rcx = s.Platform.PageBase + ((ulong)c.Page[(int)PageSlot.Mapped] << Hpa.PageShift);

    public static void FreeTable(ref S s, ref Call c, int arg) => s.FreeTable(c.Value.Target);

    [Visible]
    private static bool AllChildrenAreFree(ref S s, ref Call c, int arg)
    {
        SeptStates removable = SeptMachine.From(Trigger.TDH_MEM_SEPT_REMOVE_ABOVE);
        for (int index = 0; index < EntriesPerTable; index++)
        {
            if (!removable.Contains(s.Entry(new EntryRef(c.Value.Target, index)).State))
                return false;
        }

        return true;
    }

    [Visible]
    private static void FreeEntry(ref S s, ref Call c, int arg) =>
        SeptSteps<S>.WriteEntryAndRelease(ref s, ref c, SeptEntry.Of(SeptMachine.To(Trigger.TDH_MEM_SEPT_REMOVE)));

    private static void ReadTdrWithoutBit0(ref S s, ref Call c, int arg) => c.Address[(int)PageSlot.Tdr] = c.In.Rdx & ~1UL;

    private static bool L2AttributesAllowed(ref S s, ref Call c, int arg) =>
        (c.In.Rdx & 1) == 0 || (s.Td(c.Td, TdField.Attributes) & 1) != 0;

    private static void ReturnL2Attributes(ref S s, ref Call c, int arg)
    {
        if ((c.In.Rdx & 1) != 0)
            c.Out.R8 = 0;
    }
}
