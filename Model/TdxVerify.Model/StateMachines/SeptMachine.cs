using static TdxVerify.Model.SeptState;
using static TdxVerify.Model.Trigger;

namespace TdxVerify.Model;

/// <summary>
/// The states of an L1 S-EPT entry (facts/sept-states.csv, facts/sept-transitions.csv). REMOVED and the states of a
/// migration (BLOCKEDW, EXPORTED_*) are left out: without migration no leaf leads to them.
/// </summary>
public static class SeptMachine
{
    private static readonly Guard s_level0 = new("level 0", context => context.Level == 0);
    private static readonly Guard s_level0Or1 = new("level 0..1", context => context.Level <= 1);
    private static readonly Guard s_level1Or2 = new("level 1..2", context => context.Level is 1 or 2);
    private static readonly Guard s_upToLevel2 = new("level 0..2", context => context.Level <= 2);
    private static readonly Guard s_table = new("level 1..root", context => context.Level >= 1);
    // INITIALIZED: nothing runs yet, so no translation can be cached. Tracked: in a RUNNABLE TD, blocked and tracked.
    private static readonly Guard s_building = new("INITIALIZED", context => context.OpState == OpState.INITIALIZED);
    private static readonly Guard s_tracked = new("tracked");
    private static readonly Guard s_empty = new("children FREE", context => context.Children == FREE);
    private static readonly Guard s_ofMapped = new("children MAPPED", context => context.Children == MAPPED);
    private static readonly Guard s_ofPending = new("children PENDING", context => context.Children == PENDING);
    private static readonly Guard s_interrupted = new("level 1, interrupted", context => context.Level == 1);
    private static readonly Guard s_wasMapped = new("it was MAPPED or BLOCKED");
    private static readonly Guard s_wasPending = new("it was PENDING or PENDING_BLOCKED");

    /// <summary>The machine.</summary>
    public static StateMachine<SeptState, Trigger> Declared { get; } = new("S-EPT entry",
    [
        new(null, TDH_MNG_ADDCX_ABOVE, FREE),
        new(null, TDH_MEM_SEPT_ADD_ABOVE, FREE),
        new(null, TDH_MEM_PAGE_DEMOTE_ABOVE, MAPPED, s_wasMapped),
        new(null, TDH_MEM_PAGE_DEMOTE_ABOVE, PENDING, s_wasPending),

        new(FREE, TDH_MEM_SEPT_ADD, NL_MAPPED, s_table),
        new(NL_MAPPED, TDH_MEM_SEPT_ADD, NL_MAPPED, s_table & new Guard("existing allowed")),
        new(FREE, TDH_MEM_PAGE_ADD, MAPPED, s_level0 & s_building),
        new(MAPPED, TDH_MR_EXTEND, MAPPED, s_building),
        new(FREE, TDH_MEM_PAGE_AUG, PENDING, s_level0Or1),
        new(PENDING, TDG_MEM_PAGE_ACCEPT, MAPPED, s_level0Or1),
        new(PENDING, TDG_MEM_PAGE_ACCEPT, PENDING, s_interrupted),
        new(MAPPED, TDG_MEM_PAGE_ATTR_RD, MAPPED, s_upToLevel2),
        new(PENDING, TDG_MEM_PAGE_ATTR_RD, PENDING, s_upToLevel2),
        new(MAPPED, TDG_MEM_PAGE_ATTR_WR, MAPPED, s_upToLevel2),
        new(PENDING, TDG_MEM_PAGE_ATTR_WR, PENDING, s_upToLevel2),

        new(NL_MAPPED, TDH_MEM_RANGE_BLOCK, NL_BLOCKED, s_table),
        new(MAPPED, TDH_MEM_RANGE_BLOCK, BLOCKED, s_upToLevel2),
        new(PENDING, TDH_MEM_RANGE_BLOCK, PENDING_BLOCKED, s_upToLevel2),
        new(NL_BLOCKED, TDH_MEM_RANGE_UNBLOCK, NL_MAPPED, s_table & s_tracked),
        new(BLOCKED, TDH_MEM_RANGE_UNBLOCK, MAPPED, s_upToLevel2 & s_tracked),
        new(PENDING_BLOCKED, TDH_MEM_RANGE_UNBLOCK, PENDING, s_upToLevel2 & s_tracked),

        new(MAPPED, TDH_MEM_PAGE_REMOVE, FREE, s_upToLevel2 & s_building),
        new(PENDING, TDH_MEM_PAGE_REMOVE, FREE, s_upToLevel2 & s_building),
        new(BLOCKED, TDH_MEM_PAGE_REMOVE, FREE, s_upToLevel2 & s_tracked),
        new(PENDING_BLOCKED, TDH_MEM_PAGE_REMOVE, FREE, s_upToLevel2 & s_tracked),
        new(NL_MAPPED, TDH_MEM_SEPT_REMOVE, FREE, s_table & s_building & s_empty),
        new(NL_BLOCKED, TDH_MEM_SEPT_REMOVE, FREE, s_table & s_tracked & s_empty),

        new(MAPPED, TDH_MEM_PAGE_RELOCATE, MAPPED, s_level0 & s_building),
        new(PENDING, TDH_MEM_PAGE_RELOCATE, PENDING, s_level0 & s_building),
        new(BLOCKED, TDH_MEM_PAGE_RELOCATE, MAPPED, s_level0 & s_tracked),
        new(PENDING_BLOCKED, TDH_MEM_PAGE_RELOCATE, PENDING, s_level0 & s_tracked),

        new(NL_MAPPED, TDH_MEM_PAGE_PROMOTE, MAPPED, s_level1Or2 & s_building & s_ofMapped),
        new(NL_MAPPED, TDH_MEM_PAGE_PROMOTE, PENDING, s_level1Or2 & s_building & s_ofPending),
        new(NL_BLOCKED, TDH_MEM_PAGE_PROMOTE, MAPPED, s_level1Or2 & s_tracked & s_ofMapped),
        new(NL_BLOCKED, TDH_MEM_PAGE_PROMOTE, PENDING, s_level1Or2 & s_tracked & s_ofPending),
        new(MAPPED, TDH_MEM_PAGE_DEMOTE, NL_MAPPED, s_level1Or2 & s_building),
        new(PENDING, TDH_MEM_PAGE_DEMOTE, NL_MAPPED, s_level1Or2 & s_building),
        new(BLOCKED, TDH_MEM_PAGE_DEMOTE, NL_MAPPED, s_level1Or2 & s_tracked),
        new(PENDING_BLOCKED, TDH_MEM_PAGE_DEMOTE, NL_MAPPED, s_level1Or2 & s_tracked),

        new(FREE, TDH_MEM_SEPT_REMOVE_ABOVE, null),
        new(MAPPED, TDH_MEM_PAGE_PROMOTE_ABOVE, null),
        new(PENDING, TDH_MEM_PAGE_PROMOTE_ABOVE, null),
        .. Enum.GetValues<SeptState>().Select(state =>
            new Transition<SeptState, Trigger>(state, TDH_PHYMEM_PAGE_RECLAIM, null, new Guard("lifecycle TD_TEARDOWN"))),
    ]);

    /// <summary>The states that a trigger may meet.</summary>
    public static SeptStates From(Trigger trigger) => (SeptStates)Declared.From(trigger);

    /// <summary>A trigger may meet the state.</summary>
    public static bool Permits(SeptState state, Trigger trigger) => Declared.Permits(state, trigger);

    /// <summary>The state that a trigger leads to, whatever the state before.</summary>
    public static SeptState To(Trigger trigger) => Declared.To(trigger);

    /// <summary>The state after a trigger; where it is not permitted, the state stays.</summary>
    public static SeptState Next(SeptState state, Trigger trigger) => Declared.Next(state, trigger);
}
