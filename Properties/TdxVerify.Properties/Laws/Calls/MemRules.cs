using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>TDH.MEM.* and TDH.MR.*: the ends of the leaves that work on the S-EPT (facts/checks.md, facts/sept-states.csv).</summary>
internal static class MemRules
{
    private const int RootLevel = 7;
    private const ulong NoPage = ulong.MaxValue;
    private const ulong PageFlags = 0xFFF0_0000_0000_0FFF;

    private static readonly ulong s_entryState = LeafRules.Error(Status.TDX_EPT_ENTRY_STATE_INCORRECT, Register.Rcx);

    public static LeafRules SeptAdd(int version)
    {
        LeafRules rules = new LeafRules(version == 0 ? "TDH.MEM.SEPT.ADD" : "TDH.MEM.SEPT.ADD (version 1)").Presets(Register.Rcx, Register.Rdx);
        if (version == 1)
            VersionAtMost1(rules);
        Flags(rules)
            .Tdr(Register.Rdx, exclusive: false, PageFlags)
            .Usable(locksOpState: true, OpState.INITIALIZED, OpState.RUNNABLE)
            .GpaAndLevel(1, RootLevel)
            .SeptEntry(treeExclusive: false)
            .EntryIn(SeptStates.FREE | SeptStates.NL_MAPPED);
        if (version == 0)
            rules.Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.R8), "R8 names no page", c => c.In.R8 == NoPage);
        else
            rules.Check(s_entryState, "R8 names no page and the entry is FREE", c => c.In.R8 == NoPage && IsFree(c), Shown.Entry);
        rules.Check(
            s_entryState, "the entry exists, a page is given and allow_existing is 0",
            c =>
            {
                bool isForbidden = c.In.R8 != NoPage && !IsFree(c) && (c.In.Rdx & 1) == 0;
                c.PassedEntryState = !isForbidden;
                return isForbidden;
            },
            Shown.Entry);
        if (version == 1)
            NoL2Pages(rules, onlyExisting: true);
        rules.Done("the entry exists and that is allowed", c => !IsFree(c)).NewPage(Register.R8, ignoredBits: 1UL << 63);
        return version == 1 ? NoL2Pages(rules, onlyExisting: false) : rules;
    }

    public static LeafRules SeptRemove(int version) =>
        Prologue(Versioned("TDH.MEM.SEPT.REMOVE", version), 1, RootLevel, treeExclusive: true)
            .EntryIn(SeptStates.NonLeaf)
            .MappedLock()
            .BlockedAndTracked()
            .Check(LeafRules.Error(Status.TDX_EPT_PAGE_NOT_FREE, Register.Rcx), "an entry of the S-EPT page is not FREE", HasUsedEntry, Shown.Entry);

    public static LeafRules SeptRd() => new LeafRules("TDH.MEM.SEPT.RD")
        .Presets(Register.Rcx, Register.Rdx)
        .Tdr(Register.Rdx, exclusive: false, ignoredBits: 1)
        .Usable(locksOpState: true, OpState.INITIALIZED, OpState.RUNNABLE)
        .Check(
            LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rdx), "L2 attributes are asked for (RDX bit 0) and the TD is not a debug TD",
            c => (c.In.Rdx & 1) != 0 && (c.Of(TdField.Attributes) & 1) == 0)
        .GpaAndLevel(0, RootLevel)
        .SeptEntry(treeExclusive: false);

    public static LeafRules PageAdd() => new LeafRules("TDH.MEM.PAGE.ADD")
        .Presets(Register.Rcx, Register.Rdx)
        .Tdr(Register.Rdx, exclusive: true)
        .Usable(locksOpState: false, OpState.INITIALIZED)
        .GpaAndLevel(0, 0)
        .SeptWalk()
        .EntryIn(SeptStates.FREE)
        .Check(
            LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.R9), "the source in R9 is not 4 KiB aligned, not below 2^52 or not of a shared HKID",
            c => !InitRules.IsSharedMemory(c.Platform, c.In.R9, Hpa.PageSize))
        .NewPage(Register.R8);

    public static LeafRules PageAug()
    {
        ulong busy = LeafRules.Error(Status.TDX_OPERAND_BUSY, Register.R8);
        ulong metadata = LeafRules.Error(Status.TDX_PAGE_METADATA_INCORRECT, Register.R8);
        return Prologue(new LeafRules("TDH.MEM.PAGE.AUG"), 0, 1)
            .EntryIn(SeptStates.FREE)
            .Check(
                LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.R8), "the new page in R8 is not aligned to its level, has HKID bits or is not below 2^52",
                c =>
                {
                    c.TargetPage = c.PageOf(c.In.R8);
                    c.TargetSize = c.WantedLevel;
                    return c.In.R8 % SizeOf(c.WantedLevel) != 0 || c.In.R8 >> c.Platform.HkidStartBit != 0;
                })
            .Check(LeafRules.Error(Status.TDX_OPERAND_ADDR_RANGE_ERROR, Register.R8), "the new page in R8 is in no TDMR", c => c.TargetPage < 0)
            .Lock(busy, "the new page's 1 GiB PAMT entry refuses the walk", c => c.RefusesParent(c.TargetPage, 2, exclusive: true))
            .Check(metadata, "the new page is part of a 1 GiB page", c => c.IsLarge(c.TargetPage, 2))
            .Lock(
                busy, "the new page's 2 MiB PAMT entry refuses the walk",
                c => c.RefusesShared(PamtRef.Of(1, c.TargetPage))
                    || ((c.WantedLevel == 1 || c.IsLarge(c.TargetPage, 1)) && c.RefusesPromotion(PamtRef.Of(1, c.TargetPage))))
            .Check(metadata, "the new 4 KiB page is part of a 2 MiB page", c => c.WantedLevel == 0 && c.IsLarge(c.TargetPage, 1))
            .Lock(busy, "the new page's 4 KiB PAMT entry refuses an exclusive lock", c => c.WantedLevel == 0 && c.RefusesExclusive(c.Target))
            .Check(metadata, "the new page is not PT_NDA", c => (PageType)c.S.Pamt(c.Target, PamtField.Type) != PageType.PT_NDA)
            .Check(metadata, "a 4 KiB page of the new 2 MiB page is not PT_NDA", c => c.WantedLevel == 1 && HasUsedPage(c));
    }

    public static LeafRules PageRemove() => Prologue(new LeafRules("TDH.MEM.PAGE.REMOVE"), 0, 2)
        .EntryIn(SeptStates.Leaf, ignoresAcceptCounter: true)
        .MappedLock()
        .BlockedAndTracked();

    public static LeafRules PageRelocate() => Prologue(new LeafRules("TDH.MEM.PAGE.RELOCATE"), 0, 0)
        .EntryIn(SeptStates.Leaf)
        .Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.R8), "R8 is the page that is mapped already", c => c.In.R8 == c.MappedHpa)
        .MappedLock()
        .BlockedAndTracked()
        .NewPage(Register.R8);

    public static LeafRules PagePromote(int version) => Prologue(Versioned("TDH.MEM.PAGE.PROMOTE", version), 1, 2)
        .EntryIn(SeptStates.NonLeaf)
        .MappedLock()
        .BlockedAndTracked()
        .Lock(
            LeafRules.Error(Status.TDX_OPERAND_BUSY, Register.Rcx), "a child entry is locked and all before it are alike",
            c => FirstChild(c, out bool isLocked) >= 0 && isLocked, Shown.Entry)
        .Check(
            LeafRules.Error(Status.TDX_EPT_INVALID_PROMOTE_CONDITIONS, Register.Rcx), "the 512 children are not alike, contiguous and MAPPED or PENDING",
            c => FirstChild(c, out bool isLocked) >= 0 && !isLocked, Shown.Entry)
        .Check(Status.TDX_INTERRUPTED_RESTARTABLE, "an interrupt is pending", IsInterrupted, Shown.Inputs)
        .Lock(
            LeafRules.Error(Status.TDX_OPERAND_BUSY, Register.Rcx), "the PAMT entry of the merged page refuses an exclusive lock",
            c => c.RefusesExclusive(PamtRef.Of(c.Level, c.FirstChild.Target)));

    public static LeafRules PageDemote() => Flags(new LeafRules("TDH.MEM.PAGE.DEMOTE").Presets(Register.Rcx, Register.Rdx))
        .Tdr(Register.Rdx, exclusive: false, PageFlags)
        .Usable(locksOpState: true, OpState.INITIALIZED, OpState.RUNNABLE)
        .GpaAndLevel(1, 2)
        .SeptEntry(treeExclusive: false)
        .EntryIn(SeptStates.Leaf, ignoresAcceptCounter: true)
        .BlockedAndTracked()
        .NewPage(Register.R8)
        .Check(Status.TDX_INTERRUPTED_RESTARTABLE, "an interrupt is pending", IsInterrupted, Shown.Inputs)
        .Lock(LeafRules.Error(Status.TDX_OPERAND_BUSY, Register.Rcx), "the PAMT entry of the large page refuses an exclusive lock", c => c.RefusesExclusive(c.Mapped));

    public static LeafRules RangeBlock() => Prologue(new LeafRules("TDH.MEM.RANGE.BLOCK"), 0, RootLevel, treeExclusive: true)
        .Check(LeafRules.Error(Status.TDX_GPA_RANGE_ALREADY_BLOCKED, Register.Rcx), "the range is blocked already", c => c.IsIn(SeptStates.AnyBlocked), Shown.Entry)
        .EntryIn(SeptStates.NL_MAPPED | SeptStates.MAPPED | SeptStates.PENDING);

    public static LeafRules RangeUnblock(ModuleProfile profile) => Prologue(new LeafRules("TDH.MEM.RANGE.UNBLOCK"), 0, RootLevel, treeExclusive: true)
        .EntryIn(SeptStates.AnyBlocked)
        .Tracked(LeafRules.Error(Status.TDX_TLB_TRACKING_NOT_DONE, profile == ModuleProfile.V1_5_05 ? OperandId.RCX : OperandId.SEPT_TREE));

    public static LeafRules Track() => new LeafRules("TDH.MEM.TRACK")
        .Tdr(Register.Rcx, exclusive: false)
        .Usable(locksOpState: true, OpState.INITIALIZED, OpState.RUNNABLE)
        .Lock(LeafRules.Error(Status.TDX_OPERAND_BUSY, OperandId.TD_EPOCH), "the TD epoch refuses an exclusive lock", c => c.RefusesExclusive(TdField.EpochLock))
        .Check(
            Status.TDX_PREVIOUS_TLB_EPOCH_BUSY, "a vCPU still runs in the previous TD epoch",
            c => c.Of((c.Of(TdField.Epoch) & 1) == 0 ? TdField.RefCountOdd : TdField.RefCountEven) != 0);

    public static LeafRules MrExtend() => new LeafRules("TDH.MR.EXTEND")
        .Presets(Register.Rcx, Register.Rdx)
        .Tdr(Register.Rdx, exclusive: true)
        .Usable(locksOpState: false, OpState.INITIALIZED)
        .Check(
            LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rcx), "RCX is not 256-byte aligned",
            c =>
            {
                c.Gpa = c.In.Rcx;
                return c.In.Rcx % 256 != 0;
            })
        .PrivateGpa()
        .Check(
            LeafRules.Error(Status.TDX_EPT_ENTRY_NOT_PRESENT, Register.Rcx), "the S-EPT walk ends at no page with R, W or X",
            c =>
            {
                c.Walk(SeptLevel.Page4K);
                return c.Value.State != SeptState.MAPPED;
            },
            Shown.Entry);

    public static LeafRules MrFinalize() => new LeafRules("TDH.MR.FINALIZE")
        .Tdr(Register.Rcx, exclusive: true)
        .Usable(locksOpState: false, OpState.INITIALIZED)
        .Check(Status.TDX_NO_VCPUS, "no vCPU was initialised", c => c.Of(TdField.NumVcpus) == 0);

    private static LeafRules Prologue(LeafRules rules, int lowest, int highest, bool treeExclusive = false) => rules
        .Presets(Register.Rcx, Register.Rdx)
        .Tdr(Register.Rdx, exclusive: false)
        .Usable(locksOpState: true, OpState.INITIALIZED, OpState.RUNNABLE)
        .GpaAndLevel(lowest, highest)
        .SeptEntry(treeExclusive);

    private static LeafRules Versioned(string name, int version)
    {
        var rules = new LeafRules(version == 0 ? name : name + " (version 1)");
        return version == 0 ? rules : VersionAtMost1(rules.PresetsOnes(Register.R9, Register.R10, Register.R11));
    }

    private static LeafRules VersionAtMost1(LeafRules rules) =>
        rules.Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rax), "the version is above 1", c => c.Version > 1);

    private static LeafRules Flags(LeafRules rules) =>
        rules.Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rdx), "RDX bits 11:1 or 63:52 are not 0", c => (c.In.Rdx & 0xFFF0_0000_0000_0FFE) != 0);

    // NUM_L2_VMS is 0 in every modelled TD: a page for an L2 VM names one that does not exist.
    private static LeafRules NoL2Pages(LeafRules rules, bool onlyExisting)
    {
        for (Register r = Register.R9; r <= Register.R11; r++)
        {
            Register register = r;
            rules.Check(
                LeafRules.Error(Status.TDX_OPERAND_INVALID, register), $"{register} names a page for an L2 VM that does not exist",
                c => c.In[register] != NoPage && (!onlyExisting || !IsFree(c)));
        }

        return rules;
    }

    private static bool IsFree(CallFacts c) => c.Value.State == SeptState.FREE;

    private static bool IsInterrupted(CallFacts c) => c.S.Global(GlobalField.InterruptPending) != 0;

    private static ulong SizeOf(int level) => 4096UL << (9 * level);

    private static bool HasUsedEntry(CallFacts c)
    {
        for (int index = 0; index < 512; index++)
        {
            if (c.S.Entry(new EntryRef(c.Value.Target, index)).State != SeptState.FREE)
                return true;
        }

        return false;
    }

    private static bool HasUsedPage(CallFacts c) =>
        c.TargetPage >= 0 && !c.S.AreAll(new PamtRef(0, c.TargetPage), 512, PageType.PT_NDA);

    // The first child entry that stops a promotion, by its lock or by its value; -1: none does.
    private static int FirstChild(CallFacts c, out bool isLocked)
    {
        SeptEntry first = c.S.Entry(new EntryRef(c.Value.Target, 0)).WithoutLockBits;
        c.FirstChild = first;
        isLocked = false;
        for (int index = 0; index < 512; index++)
        {
            c.LastChild = index;
            SeptEntry child = c.S.Entry(new EntryRef(c.Value.Target, index));
            isLocked = child.IsLocked;
            bool differs = child.State is not (SeptState.MAPPED or SeptState.PENDING)
                || child.State != first.State
                || child.AcceptCounter != first.AcceptCounter
                || child.Target != first.Target + (index << (9 * (c.Level - 1)))
                || (index == 0 && c.HpaOf(child.Target) % SizeOf(c.Level) != 0);
            if (isLocked || differs)
                return index;
        }

        return -1;
    }
}
