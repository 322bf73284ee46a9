using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>TDH.PHYMEM.*: the ends of the leaves that work on physical pages (facts/checks.md, facts/pamt.md).</summary>
internal static class PhymemRules
{
    public static LeafRules Reclaim() => LeafWalk(new LeafRules("TDH.PHYMEM.PAGE.RECLAIM"), exclusive: true)
        .Check(
            LeafRules.Error(Status.TDX_PAGE_METADATA_INCORRECT, Register.Rcx), "the page is PT_NDA or PT_RSVD",
            c => c.TargetType is PageType.PT_NDA or PageType.PT_RSVD)
        .Check(
            LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rcx), "the address is not aligned to the size of the page",
            c => c.In.Rcx % (4096UL << (9 * c.TargetSize)) != 0, Shown.Page)
        .Lock(
            LeafRules.Error(Status.TDX_OPERAND_BUSY, OperandId.TDR), "the owner TDR's PAMT entry refuses a shared lock",
            c =>
            {
                c.RootPage = c.TargetType == PageType.PT_TDR ? c.TargetPage : (int)c.TargetOwner - 1;
                c.Td = c.TdOf(c.RootPage);
                return c.TargetType != PageType.PT_TDR && c.RefusesShared(new PamtRef(0, c.RootPage));
            },
            Shown.Page)
        .Check(
            Status.TDX_LIFECYCLE_STATE_INCORRECT, "the lifecycle is not TD_TEARDOWN",
            c => (TdLifecycle)c.Of(TdField.Lifecycle) != TdLifecycle.TD_TEARDOWN, Shown.Page)
        .Check(
            Status.TDX_TD_ASSOCIATED_PAGES_EXIST, "the page is a TDR and its TD still owns pages",
            c => c.TargetType == PageType.PT_TDR && c.Of(TdField.ChildCount) != 0, Shown.Page);

    public static LeafRules Rdmd() => LeafWalk(new LeafRules("TDH.PHYMEM.PAGE.RDMD"), exclusive: false);

    public static LeafRules Wbinvd(PlatformInfo platform) => new LeafRules("TDH.PHYMEM.PAGE.WBINVD")
        .Page(
            "page", Register.Rcx, exclusive: false, PageType.PT_NDA, platform.HkidMask, isRoot: false,
            c => c.TypeOf(c.TargetPage) != PageType.PT_NDA);

    public static LeafRules CacheWb() => new LeafRules("TDH.PHYMEM.CACHE.WB")
        .Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rcx), "RCX is neither 0 (start) nor 1 (resume)", c => c.In.Rcx > 1)
        .Lock(
            LeafRules.Error(Status.TDX_OPERAND_BUSY, OperandId.WBCACHE), "the write-back mutex of the package is taken",
            c => c.S.Global(GlobalField.WritebackMutex) != 0)
        .Lock(
            LeafRules.Error(Status.TDX_OPERAND_BUSY, OperandId.KOT), "the KOT refuses a shared lock",
            c =>
            {
                bool refused = (c.S.Global(GlobalField.KotLock) & 1) != 0;
                c.StartedWriteback = !refused;
                return refused;
            })
        .Check(Status.TDX_NO_HKID_READY_TO_WBCACHE, "no HKID is HKID_FLUSHED", c => c.In.Rcx == 0 && FlushedKeys(c) == 0)
        .Check(Status.TDX_WBCACHE_RESUME_ERROR, "no interruption point is saved", c => c.In.Rcx == 1 && c.S.Global(GlobalField.WritebackPoint) == 0)
        .Check(
            Status.TDX_INTERRUPTED_RESUMABLE, "an interrupt is pending and a sub-block remains",
            c => c.S.Global(GlobalField.InterruptPending) != 0 && SubBlocksDone(c) + 1 < (ulong)c.Platform.CacheSubBlocks);

    /// <summary>Sub-blocks that earlier calls have written back; a start begins anew.</summary>
    public static ulong SubBlocksDone(CallFacts c) => c.In.Rcx == 0 ? 0 : c.S.Global(GlobalField.WritebackPoint);

    /// <summary>The HKIDs that wait for a write-back: bit 0 is the first private one for TDs.</summary>
    public static ulong FlushedKeys(CallFacts c)
    {
        ulong keys = 0;
        for (int i = 0; i < c.Platform.HkidCount; i++)
        {
            if ((HkidState)c.S.Key(c.Platform.HkidFirst + i, KeyField.State) == HkidState.HKID_FLUSHED)
                keys |= 1UL << i;
        }

        return keys;
    }

    // The walk ends at the first size that is PT_REG, at 4 KiB otherwise.
    private static LeafRules LeafWalk(LeafRules rules, bool exclusive)
    {
        ulong busy = LeafRules.Error(Status.TDX_OPERAND_BUSY, Register.Rcx);
        return rules
            .Presets(Register.Rcx, Register.Rdx, Register.R8, Register.R9, Register.R10, Register.R11)
            .Check(
                LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rcx), "the address in RCX is not 4 KiB aligned, has HKID bits or is not below 2^52",
                c =>
                {
                    c.TargetPage = c.PageOf(c.In.Rcx);
                    return c.In.Rcx % 4096 != 0 || c.In.Rcx >> c.Platform.HkidStartBit != 0;
                })
            .Check(LeafRules.Error(Status.TDX_OPERAND_ADDR_RANGE_ERROR, Register.Rcx), "the page in RCX is in no TDMR", c => c.TargetPage < 0)
            .Lock(busy, "the page's 1 GiB PAMT entry refuses the walk", c => Refuses(c, 2, exclusive))
            .Lock(busy, "the page's 2 MiB PAMT entry refuses the walk", c => c.TargetSize < 2 && Refuses(c, 1, exclusive))
            .Lock(busy, "the page's 4 KiB PAMT entry refuses the lock", c => c.TargetSize == 0 && Refuses(c, 0, exclusive));
    }

    private static bool Refuses(CallFacts c, int size, bool exclusive)
    {
        c.TargetSize = c.IsLarge(c.TargetPage, size) ? size : 0;
        c.TargetType = (PageType)c.S.Pamt(c.Target, PamtField.Type);
        c.TargetOwner = c.S.Pamt(c.Target, PamtField.Owner);
        return size > 0
            ? c.RefusesParent(c.TargetPage, size, exclusive)
            : exclusive ? c.RefusesExclusive(c.Target) : c.RefusesShared(c.Target);
    }
}
