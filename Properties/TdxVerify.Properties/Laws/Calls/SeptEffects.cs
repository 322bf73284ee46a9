using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>What TDH.MEM.* leaves behind in the S-EPT, the PAMT and the child count (facts/sept-states.csv, facts/pamt.md, facts/epoch.md).</summary>
internal static class SeptEffects
{
    /// <summary>Effects of a TDH.MEM.* that succeeded.</summary>
    public static void OfSuccess(Observation o, CallFacts c, Expectations x)
    {
        long pages = 1L << (9 * c.Level);
        switch (o.Leaf)
        {
            case HostLeaf.TDH_MEM_SEPT_ADD:
                x.Entry(c.Entry, SeptEntry.Of(SeptState.NL_MAPPED, HostEffects.NewTable(c, x)));
                x.Owned(c.Target, PageType.PT_EPT, c.Td);
                x.TdMoves(c.Td, TdField.ChildCount, 1);
                break;
            case HostLeaf.TDH_MEM_SEPT_REMOVE:
                x.Entry(c.Entry, SeptEntry.Of(SeptState.FREE));
                x.Type(c.Mapped, PageType.PT_NDA);
                x.Object(ChangeKind.FreeTable, c.Value.Target);
                x.TdMoves(c.Td, TdField.ChildCount, -1);
                break;
            case HostLeaf.TDH_MEM_PAGE_ADD:
                x.Entry(c.Entry, SeptEntry.Of(SeptState.MAPPED, c.TargetPage));
                x.Owned(c.Target, PageType.PT_REG, c.Td);
                x.TdMoves(c.Td, TdField.ChildCount, 1);
                break;
            case HostLeaf.TDH_MEM_PAGE_AUG:
                x.Entry(c.Entry, SeptEntry.Of(SeptState.PENDING, c.TargetPage));
                x.Owned(c.Target, PageType.PT_REG, c.Td);
                x.TdMoves(c.Td, TdField.ChildCount, pages);
                break;
            case HostLeaf.TDH_MEM_PAGE_REMOVE:
                x.Entry(c.Entry, SeptEntry.Of(SeptState.FREE));
                x.Type(c.Mapped, PageType.PT_NDA);
                x.TdMoves(c.Td, TdField.ChildCount, -pages);
                break;
            case HostLeaf.TDH_MEM_PAGE_RELOCATE:
                x.Entry(c.Entry, SeptEntry.Of(Unblocked(c.Value.State), c.TargetPage));
                x.Type(c.Mapped, PageType.PT_NDA);
                x.Owned(c.Target, PageType.PT_REG, c.Td);
                break;
            case HostLeaf.TDH_MEM_PAGE_PROMOTE:
                x.Entry(c.Entry, c.FirstChild);
                x.Type(c.Mapped, PageType.PT_NDA);
                x.Object(ChangeKind.FreeTable, c.Value.Target);
                x.Type(PamtRef.Of(c.Level - 1, c.FirstChild.Target), PageType.PT_NDA, 512);
                x.Type(PamtRef.Of(c.Level, c.FirstChild.Target), PageType.PT_REG);
                x.Pamt(PamtRef.Of(c.Level, c.FirstChild.Target), PamtField.Owner, c.Of(TdField.TdrPage) + 1);
                x.TdMoves(c.Td, TdField.ChildCount, -1);
                break;
            case HostLeaf.TDH_MEM_PAGE_DEMOTE:
                int table = HostEffects.NewTable(c, x);
                x.Table(table, Unblocked(c.Value.State), c.Value.Target, 1 << (9 * (c.Level - 1)));
                x.Entry(c.Entry, SeptEntry.Of(SeptState.NL_MAPPED, table));
                x.Type(c.Mapped, PageType.PT_NDA);
                x.Owned(PamtRef.Of(c.Level - 1, c.Value.Target), PageType.PT_REG, c.Td, 512);
                x.Type(c.Target, PageType.PT_EPT);
                x.Pamt(c.Target, PamtField.Owner, c.Of(TdField.TdrPage) + 1);
                x.TdMoves(c.Td, TdField.ChildCount, 1);
                break;
            case HostLeaf.TDH_MEM_RANGE_BLOCK:
                x.Entry(c.Entry, c.Value.With(Blocked(c.Value.State)).WithAcceptCounter(0));
                x.Pamt(c.Mapped, PamtField.Bepoch, o.TdBefore(c.Td, TdField.Epoch));
                break;
            case HostLeaf.TDH_MEM_RANGE_UNBLOCK:
                x.Entry(c.Entry, c.Value.With(Unblocked(c.Value.State)));
                break;
            case HostLeaf.TDH_MEM_TRACK:
                x.TdMoves(c.Td, TdField.Epoch, 1);
                break;
            default:
                break;
        }
    }

    private static SeptState Blocked(SeptState state) => state switch
    {
        SeptState.NL_MAPPED => SeptState.NL_BLOCKED,
        SeptState.MAPPED => SeptState.BLOCKED,
        _ => SeptState.PENDING_BLOCKED,
    };

    private static SeptState Unblocked(SeptState state) => state switch
    {
        SeptState.NL_BLOCKED => SeptState.NL_MAPPED,
        SeptState.BLOCKED => SeptState.MAPPED,
        SeptState.PENDING_BLOCKED => SeptState.PENDING,
        _ => state,
    };
}
