namespace TdxVerify.Model;

/// <summary>
/// What moves a state machine: a leaf, named as in the specification with <c>_</c> for each dot, or what happens to an
/// S-EPT entry because a leaf changes the entry above it.
/// </summary>
public enum Trigger : byte
{
    /// <summary>TDH.MNG.CREATE.</summary>
    TDH_MNG_CREATE,

    /// <summary>TDH.MNG.KEY.CONFIG.</summary>
    TDH_MNG_KEY_CONFIG,

    /// <summary>TDH.MNG.ADDCX.</summary>
    TDH_MNG_ADDCX,

    /// <summary>TDH.MNG.INIT.</summary>
    TDH_MNG_INIT,

    /// <summary>TDH.MNG.VPFLUSHDONE.</summary>
    TDH_MNG_VPFLUSHDONE,

    /// <summary>TDH.MNG.KEY.FREEID.</summary>
    TDH_MNG_KEY_FREEID,

    /// <summary>TDH.MNG.RD.</summary>
    TDH_MNG_RD,

    /// <summary>TDH.VP.CREATE.</summary>
    TDH_VP_CREATE,

    /// <summary>TDH.VP.ADDCX.</summary>
    TDH_VP_ADDCX,

    /// <summary>TDH.VP.INIT.</summary>
    TDH_VP_INIT,

    /// <summary>TDH.VP.ENTER.</summary>
    TDH_VP_ENTER,

    /// <summary>TDH.VP.FLUSH.</summary>
    TDH_VP_FLUSH,

    /// <summary>TDH.VP.RD.</summary>
    TDH_VP_RD,

    /// <summary>TDH.MEM.SEPT.ADD.</summary>
    TDH_MEM_SEPT_ADD,

    /// <summary>TDH.MEM.SEPT.REMOVE.</summary>
    TDH_MEM_SEPT_REMOVE,

    /// <summary>TDH.MEM.SEPT.RD.</summary>
    TDH_MEM_SEPT_RD,

    /// <summary>TDH.MEM.PAGE.ADD.</summary>
    TDH_MEM_PAGE_ADD,

    /// <summary>TDH.MEM.PAGE.AUG.</summary>
    TDH_MEM_PAGE_AUG,

    /// <summary>TDH.MEM.PAGE.REMOVE.</summary>
    TDH_MEM_PAGE_REMOVE,

    /// <summary>TDH.MEM.PAGE.RELOCATE.</summary>
    TDH_MEM_PAGE_RELOCATE,

    /// <summary>TDH.MEM.PAGE.PROMOTE.</summary>
    TDH_MEM_PAGE_PROMOTE,

    /// <summary>TDH.MEM.PAGE.DEMOTE.</summary>
    TDH_MEM_PAGE_DEMOTE,

    /// <summary>TDH.MEM.RANGE.BLOCK.</summary>
    TDH_MEM_RANGE_BLOCK,

    /// <summary>TDH.MEM.RANGE.UNBLOCK.</summary>
    TDH_MEM_RANGE_UNBLOCK,

    /// <summary>TDH.MEM.TRACK.</summary>
    TDH_MEM_TRACK,

    /// <summary>TDH.MR.EXTEND.</summary>
    TDH_MR_EXTEND,

    /// <summary>TDH.MR.FINALIZE.</summary>
    TDH_MR_FINALIZE,

    /// <summary>TDH.PHYMEM.PAGE.RECLAIM.</summary>
    TDH_PHYMEM_PAGE_RECLAIM,

    /// <summary>TDH.PHYMEM.CACHE.WB.</summary>
    TDH_PHYMEM_CACHE_WB,

    /// <summary>TDG.MEM.PAGE.ACCEPT.</summary>
    TDG_MEM_PAGE_ACCEPT,

    /// <summary>TDG.MEM.PAGE.ATTR.RD.</summary>
    TDG_MEM_PAGE_ATTR_RD,

    /// <summary>TDG.MEM.PAGE.ATTR.WR.</summary>
    TDG_MEM_PAGE_ATTR_WR,

    /// <summary>TD exit, asynchronous or by TDG.VP.VMCALL.</summary>
    TD_EXIT,

    /// <summary>TDH.MNG.ADDCX of the page that becomes the S-EPT root.</summary>
    TDH_MNG_ADDCX_ABOVE,

    /// <summary>TDH.MEM.SEPT.ADD of the entry above.</summary>
    TDH_MEM_SEPT_ADD_ABOVE,

    /// <summary>TDH.MEM.SEPT.REMOVE of the entry above.</summary>
    TDH_MEM_SEPT_REMOVE_ABOVE,

    /// <summary>TDH.MEM.PAGE.DEMOTE of the entry above.</summary>
    TDH_MEM_PAGE_DEMOTE_ABOVE,

    /// <summary>TDH.MEM.PAGE.PROMOTE of the entry above.</summary>
    TDH_MEM_PAGE_PROMOTE_ABOVE,
}

/// <summary>Names of triggers.</summary>
public static class Triggers
{
    private const string AboveSuffix = "_ABOVE";

    /// <summary>The name in documents, such as <c>TDH.MEM.PAGE.AUG</c>.</summary>
    public static string DisplayName(this Trigger trigger)
    {
        string name = trigger.ToString();
        return trigger switch
        {
            Trigger.TD_EXIT => "TD exit",
            Trigger.TDH_MNG_ADDCX_ABOVE => "TDH.MNG.ADDCX of the root",
            _ when name.EndsWith(AboveSuffix, StringComparison.Ordinal) => name[..^AboveSuffix.Length].Replace('_', '.') + " above",
            _ => name.Replace('_', '.'),
        };
    }

    /// <summary>The trigger that a declared leaf is, whatever its version.</summary>
    /// <exception cref="InvalidOperationException">No state machine knows the leaf.</exception>
    public static Trigger Of(LeafId leaf) =>
        Enum.TryParse(leaf.BaseName.Replace('.', '_').Replace(' ', '_'), ignoreCase: true, out Trigger trigger)
            ? trigger
            : throw new InvalidOperationException($"No state machine has a transition by {leaf.Name}.");
}
