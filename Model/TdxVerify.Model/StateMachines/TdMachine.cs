using static TdxVerify.Model.HkidState;
using static TdxVerify.Model.OpState;
using static TdxVerify.Model.TdLifecycle;
using static TdxVerify.Model.Trigger;

namespace TdxVerify.Model;

/// <summary>
/// The life of a TD: its lifecycle, within TD_KEYS_CONFIGURED its OP_STATE, and beside it the key ownership table's
/// entry of its key id (facts/op-states.csv). The OP_STATEs of a migration (LIVE_EXPORT to FAILED_IMPORT) are left
/// out: without migration no leaf leads to them. TDR.FATAL is apart from both, and no modelled step sets it.
/// </summary>
public static class TdMachine
{
    /// <summary>The only lifecycle in which leaves look at OP_STATE.</summary>
    public const TdLifecycle Operating = TD_KEYS_CONFIGURED;

    // The leaves that any OP_STATE from INITIALIZED on permits.
    private static readonly Trigger[] s_onceInitialized =
    [
        TDH_MNG_RD, TDH_VP_RD, TDH_MEM_SEPT_ADD, TDH_MEM_SEPT_REMOVE, TDH_MEM_SEPT_RD, TDH_MEM_PAGE_AUG,
        TDH_MEM_PAGE_REMOVE, TDH_MEM_PAGE_RELOCATE, TDH_MEM_PAGE_PROMOTE, TDH_MEM_PAGE_DEMOTE, TDH_MEM_RANGE_BLOCK,
        TDH_MEM_RANGE_UNBLOCK, TDH_MEM_TRACK,
    ];

    /// <summary>Lifecycle.</summary>
    public static StateMachine<TdLifecycle, Trigger> Lifecycle { get; } = new("TD lifecycle",
    [
        new(null, TDH_MNG_CREATE, TD_HKID_ASSIGNED, new Guard("KOT entry HKID_FREE")),
        new(TD_HKID_ASSIGNED, TDH_MNG_KEY_CONFIG, TD_KEYS_CONFIGURED, new Guard("on the last package")),
        new(TD_HKID_ASSIGNED, TDH_MNG_KEY_CONFIG, TD_HKID_ASSIGNED, new Guard("on another package")),
        new(TD_KEYS_CONFIGURED, TDH_MNG_ADDCX, TD_KEYS_CONFIGURED),
        new(TD_KEYS_CONFIGURED, TDH_VP_FLUSH, TD_KEYS_CONFIGURED),
        new(TD_HKID_ASSIGNED, TDH_MNG_VPFLUSHDONE, TD_BLOCKED),
        new(TD_KEYS_CONFIGURED, TDH_MNG_VPFLUSHDONE, TD_BLOCKED, new Guard("no vCPU associated")),
        new(TD_BLOCKED, TDH_MNG_KEY_FREEID, TD_TEARDOWN, new Guard("caches written back on all packages")),
        new(TD_TEARDOWN, TDH_PHYMEM_PAGE_RECLAIM, TD_TEARDOWN, new Guard("a page of the TD")),
        new(TD_TEARDOWN, TDH_PHYMEM_PAGE_RECLAIM, null, new Guard("the TDR, no page left")),
    ]);

    /// <summary>OP_STATE.</summary>
    public static StateMachine<OpState, Trigger> OpStates { get; } = new("OP_STATE",
    [
        new(null, TDH_MNG_ADDCX, UNINITIALIZED),
        new(UNINITIALIZED, TDH_MNG_ADDCX, UNINITIALIZED),
        new(UNINITIALIZED, TDH_MNG_INIT, INITIALIZED, new Guard("6 TDCS pages")),
        new(INITIALIZED, TDH_VP_CREATE, INITIALIZED),
        new(INITIALIZED, TDH_VP_ADDCX, INITIALIZED),
        new(INITIALIZED, TDH_VP_INIT, INITIALIZED),
        new(INITIALIZED, TDH_MEM_PAGE_ADD, INITIALIZED),
        new(INITIALIZED, TDH_MR_EXTEND, INITIALIZED),
        .. s_onceInitialized.Select(trigger => new Transition<OpState, Trigger>(INITIALIZED, trigger, INITIALIZED)),
        new(INITIALIZED, TDH_MR_FINALIZE, RUNNABLE, new Guard("a vCPU was initialised")),
        new(RUNNABLE, TDH_VP_ENTER, RUNNABLE),
        .. s_onceInitialized.Select(trigger => new Transition<OpState, Trigger>(RUNNABLE, trigger, RUNNABLE)),
    ]);

    /// <summary>The KOT entry of a private key id.</summary>
    public static StateMachine<HkidState, Trigger> Key { get; } = new("KOT entry",
    [
        new(HKID_FREE, TDH_MNG_CREATE, HKID_ASSIGNED),
        new(HKID_ASSIGNED, TDH_MNG_VPFLUSHDONE, HKID_FLUSHED),
        new(HKID_FLUSHED, TDH_PHYMEM_CACHE_WB, HKID_FLUSHED, new Guard("clears the package's write-back bit")),
        new(HKID_FLUSHED, TDH_MNG_KEY_FREEID, HKID_FREE, new Guard("write-back bitmap 0")),
    ],
    HKID_FREE);
}
