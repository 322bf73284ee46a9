using TdxVerify.Model;
using Xunit;
using static TdxVerify.Model.SeptState;

namespace TdxVerify.Tests.StateMachines;

/// <summary>The declared machines agree with the facts about the module, which are written down here once more.</summary>
public sealed class DeclaredMachineTests
{
    /// <summary>From the columns allowed_* of facts/sept-states.csv, without the states of a migration.</summary>
    public static TheoryData<Trigger, SeptState[]> PermittedEntryStates => new()
    {
        { Trigger.TDH_MEM_SEPT_ADD, [FREE, NL_MAPPED] },
        { Trigger.TDH_MEM_SEPT_REMOVE, [NL_MAPPED, NL_BLOCKED] },
        { Trigger.TDH_MEM_PAGE_ADD, [FREE] },
        { Trigger.TDH_MEM_PAGE_AUG, [FREE] },
        { Trigger.TDH_MEM_PAGE_REMOVE, [MAPPED, BLOCKED, PENDING, PENDING_BLOCKED] },
        { Trigger.TDH_MEM_PAGE_RELOCATE, [MAPPED, BLOCKED, PENDING, PENDING_BLOCKED] },
        { Trigger.TDH_MEM_PAGE_PROMOTE, [NL_MAPPED, NL_BLOCKED] },
        { Trigger.TDH_MEM_PAGE_DEMOTE, [MAPPED, BLOCKED, PENDING, PENDING_BLOCKED] },
        { Trigger.TDH_MEM_RANGE_BLOCK, [NL_MAPPED, MAPPED, PENDING] },
        { Trigger.TDH_MEM_RANGE_UNBLOCK, [NL_BLOCKED, BLOCKED, PENDING_BLOCKED] },
        { Trigger.TDH_MR_EXTEND, [MAPPED] },
        { Trigger.TDG_MEM_PAGE_ACCEPT, [PENDING] },
        { Trigger.TDG_MEM_PAGE_ATTR_RD, [MAPPED, PENDING] },
        { Trigger.TDG_MEM_PAGE_ATTR_WR, [MAPPED, PENDING] },
    };

    /// <summary>From facts/sept-transitions.csv, without the states of a migration: leaf, before, after, lowest and highest level.</summary>
    public static TheoryData<Trigger, SeptState, SeptState, int, int> EntryTransitions => new()
    {
        { Trigger.TDH_MEM_SEPT_ADD, FREE, NL_MAPPED, 1, 4 },
        { Trigger.TDH_MEM_SEPT_ADD, NL_MAPPED, NL_MAPPED, 1, 4 },
        { Trigger.TDH_MEM_PAGE_ADD, FREE, MAPPED, 0, 0 },
        { Trigger.TDH_MEM_PAGE_AUG, FREE, PENDING, 0, 1 },
        { Trigger.TDG_MEM_PAGE_ACCEPT, PENDING, MAPPED, 0, 1 },
        { Trigger.TDH_MEM_RANGE_BLOCK, NL_MAPPED, NL_BLOCKED, 1, 4 },
        { Trigger.TDH_MEM_RANGE_BLOCK, MAPPED, BLOCKED, 0, 2 },
        { Trigger.TDH_MEM_RANGE_BLOCK, PENDING, PENDING_BLOCKED, 0, 2 },
        { Trigger.TDH_MEM_RANGE_UNBLOCK, NL_BLOCKED, NL_MAPPED, 1, 4 },
        { Trigger.TDH_MEM_RANGE_UNBLOCK, BLOCKED, MAPPED, 0, 2 },
        { Trigger.TDH_MEM_RANGE_UNBLOCK, PENDING_BLOCKED, PENDING, 0, 2 },
        { Trigger.TDH_MEM_PAGE_REMOVE, MAPPED, FREE, 0, 2 },
        { Trigger.TDH_MEM_PAGE_REMOVE, BLOCKED, FREE, 0, 2 },
        { Trigger.TDH_MEM_PAGE_REMOVE, PENDING, FREE, 0, 2 },
        { Trigger.TDH_MEM_PAGE_REMOVE, PENDING_BLOCKED, FREE, 0, 2 },
        { Trigger.TDH_MEM_SEPT_REMOVE, NL_MAPPED, FREE, 1, 4 },
        { Trigger.TDH_MEM_SEPT_REMOVE, NL_BLOCKED, FREE, 1, 4 },
        { Trigger.TDH_MEM_PAGE_DEMOTE, MAPPED, NL_MAPPED, 1, 2 },
        { Trigger.TDH_MEM_PAGE_DEMOTE, BLOCKED, NL_MAPPED, 1, 2 },
        { Trigger.TDH_MEM_PAGE_DEMOTE, PENDING, NL_MAPPED, 1, 2 },
        { Trigger.TDH_MEM_PAGE_DEMOTE, PENDING_BLOCKED, NL_MAPPED, 1, 2 },
        { Trigger.TDH_MEM_PAGE_PROMOTE, NL_MAPPED, MAPPED, 1, 2 },
        { Trigger.TDH_MEM_PAGE_PROMOTE, NL_MAPPED, PENDING, 1, 2 },
        { Trigger.TDH_MEM_PAGE_PROMOTE, NL_BLOCKED, MAPPED, 1, 2 },
        { Trigger.TDH_MEM_PAGE_PROMOTE, NL_BLOCKED, PENDING, 1, 2 },
        { Trigger.TDH_MEM_PAGE_RELOCATE, MAPPED, MAPPED, 0, 0 },
        { Trigger.TDH_MEM_PAGE_RELOCATE, PENDING, PENDING, 0, 0 },
        { Trigger.TDH_MEM_PAGE_RELOCATE, BLOCKED, MAPPED, 0, 0 },
        { Trigger.TDH_MEM_PAGE_RELOCATE, PENDING_BLOCKED, PENDING, 0, 0 },
    };

    /// <summary>From facts/op-states.csv.</summary>
    public static TheoryData<Trigger, OpState[]> PermittedOpStates
    {
        get
        {
            var rows = new TheoryData<Trigger, OpState[]>
            {
                { Trigger.TDH_MNG_ADDCX, [OpState.UNINITIALIZED] },
                { Trigger.TDH_MNG_INIT, [OpState.UNINITIALIZED] },
                { Trigger.TDH_VP_CREATE, [OpState.INITIALIZED] },
                { Trigger.TDH_VP_ADDCX, [OpState.INITIALIZED] },
                { Trigger.TDH_VP_INIT, [OpState.INITIALIZED] },
                { Trigger.TDH_MEM_PAGE_ADD, [OpState.INITIALIZED] },
                { Trigger.TDH_MR_EXTEND, [OpState.INITIALIZED] },
                { Trigger.TDH_MR_FINALIZE, [OpState.INITIALIZED] },
                { Trigger.TDH_VP_ENTER, [OpState.RUNNABLE] },
            };
            foreach (Trigger trigger in (Trigger[])
                [
                    Trigger.TDH_MNG_RD, Trigger.TDH_VP_RD, Trigger.TDH_MEM_SEPT_ADD, Trigger.TDH_MEM_SEPT_REMOVE, Trigger.TDH_MEM_SEPT_RD,
                    Trigger.TDH_MEM_PAGE_AUG, Trigger.TDH_MEM_PAGE_REMOVE, Trigger.TDH_MEM_PAGE_RELOCATE, Trigger.TDH_MEM_PAGE_PROMOTE,
                    Trigger.TDH_MEM_PAGE_DEMOTE, Trigger.TDH_MEM_RANGE_BLOCK, Trigger.TDH_MEM_RANGE_UNBLOCK, Trigger.TDH_MEM_TRACK,
                ])
            {
                rows.Add(trigger, [OpState.INITIALIZED, OpState.RUNNABLE]);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(PermittedEntryStates))]
    public void A_leaf_may_meet_the_entry_states_of_the_facts(Trigger trigger, SeptState[] states) =>
        Assert.Equal(states.Order(), Enum.GetValues<SeptState>().Where(state => SeptMachine.Permits(state, trigger)));

    [Theory]
    [MemberData(nameof(EntryTransitions))]
    public void An_entry_changes_as_in_the_facts_at_their_levels(Trigger trigger, SeptState from, SeptState to, int lowest, int highest)
    {
        Transition<SeptState, Trigger> transition = Assert.Single(
            SeptMachine.Declared.Transitions, candidate => candidate.From == from && candidate.Trigger == trigger && candidate.To == to);

        for (int level = 0; level <= 4; level++)
        {
            bool permitted = Enum.GetValues<SeptState>().Any(children =>
                transition.Guard!.Permits(new GuardContext(level, OpState.INITIALIZED, children)));
            Assert.Equal(level >= lowest && level <= highest, permitted);
        }
    }

    [Fact]
    public void No_entry_transition_is_declared_that_the_facts_do_not_have()
    {
        // An interrupted accept, a measurement and attributes leave the state and are not in the list of transitions.
        Trigger[] stay = [Trigger.TDG_MEM_PAGE_ACCEPT, Trigger.TDH_MR_EXTEND, Trigger.TDG_MEM_PAGE_ATTR_RD, Trigger.TDG_MEM_PAGE_ATTR_WR];
        HashSet<(Trigger, SeptState, SeptState)> facts = [.. EntryTransitions.Select(row => ((Trigger)row[0]!, (SeptState)row[1]!, (SeptState)row[2]!))];

        Assert.All(
            SeptMachine.Declared.Transitions.Where(transition => transition is { From: not null, To: not null }),
            transition => Assert.True(
                facts.Contains((transition.Trigger, transition.From!.Value, transition.To!.Value)) || (transition.IsReentry && stay.Contains(transition.Trigger)),
                $"{transition.From} by {transition.Trigger} to {transition.To}"));
    }

    [Fact]
    public void Blocked_and_unblocked_counterparts_are_those_of_the_facts()
    {
        (SeptState Open, SeptState Blocked)[] pairs = [(NL_MAPPED, NL_BLOCKED), (MAPPED, BLOCKED), (PENDING, PENDING_BLOCKED)];

        Assert.All(pairs, pair => Assert.Equal((pair.Blocked, pair.Open), (pair.Open.Blocked(), pair.Blocked.Unblocked())));
        Assert.All(pairs, pair => Assert.Equal((pair.Blocked, pair.Open), (pair.Blocked.Blocked(), pair.Open.Unblocked())));
        Assert.Equal((FREE, FREE), (FREE.Blocked(), FREE.Unblocked()));
    }

    [Theory]
    [MemberData(nameof(PermittedOpStates))]
    public void A_leaf_may_meet_the_OP_STATEs_of_the_facts(Trigger trigger, OpState[] states) =>
        Assert.Equal(states.Order(), Enum.GetValues<OpState>().Where(state => TdMachine.OpStates.Permits(state, trigger)));

    [Fact]
    public void No_leaf_is_declared_for_an_OP_STATE_that_the_facts_do_not_have() =>
        Assert.Equal(
            PermittedOpStates.Select(row => (Trigger)row[0]!).Order(),
            TdMachine.OpStates.Transitions.Where(transition => transition.From is not null).Select(transition => transition.Trigger).Distinct().Order());

    [Theory]
    [InlineData(Trigger.TDH_MNG_KEY_CONFIG, TdLifecycle.TD_HKID_ASSIGNED, TdLifecycle.TD_KEYS_CONFIGURED)]
    [InlineData(Trigger.TDH_MNG_VPFLUSHDONE, TdLifecycle.TD_HKID_ASSIGNED, TdLifecycle.TD_BLOCKED)]
    [InlineData(Trigger.TDH_MNG_VPFLUSHDONE, TdLifecycle.TD_KEYS_CONFIGURED, TdLifecycle.TD_BLOCKED)]
    [InlineData(Trigger.TDH_MNG_KEY_FREEID, TdLifecycle.TD_BLOCKED, TdLifecycle.TD_TEARDOWN)]
    public void A_lifecycle_changes_as_in_the_facts(Trigger trigger, TdLifecycle from, TdLifecycle to) =>
        Assert.Equal(to, TdMachine.Lifecycle.Next(from, trigger));

    [Fact]
    public void A_lifecycle_never_goes_back() =>
        Assert.All(
            TdMachine.Lifecycle.Transitions.Where(transition => transition is { From: not null, To: not null }),
            transition => Assert.True(transition.From <= transition.To, $"{transition}"));

    [Theory]
    [InlineData(Trigger.TDH_MNG_CREATE, HkidState.HKID_FREE, HkidState.HKID_ASSIGNED)]
    [InlineData(Trigger.TDH_MNG_VPFLUSHDONE, HkidState.HKID_ASSIGNED, HkidState.HKID_FLUSHED)]
    [InlineData(Trigger.TDH_PHYMEM_CACHE_WB, HkidState.HKID_FLUSHED, HkidState.HKID_FLUSHED)]
    [InlineData(Trigger.TDH_MNG_KEY_FREEID, HkidState.HKID_FLUSHED, HkidState.HKID_FREE)]
    public void A_key_id_changes_as_in_the_facts(Trigger trigger, HkidState from, HkidState to)
    {
        Assert.True(TdMachine.Key.Permits(from, trigger));
        Assert.Equal(to, TdMachine.Key.Next(from, trigger));
        Assert.Equal(StateMachine<HkidState, Trigger>.Bit(from), TdMachine.Key.From(trigger));
    }

    [Theory]
    [InlineData(Trigger.TDH_VP_INIT, VcpuState.VCPU_UNINITIALIZED, VcpuState.VCPU_READY)]
    [InlineData(Trigger.TDH_VP_ENTER, VcpuState.VCPU_READY, VcpuState.VCPU_ACTIVE)]
    [InlineData(Trigger.TD_EXIT, VcpuState.VCPU_ACTIVE, VcpuState.VCPU_READY)]
    public void A_vCPU_changes_as_in_the_facts(Trigger trigger, VcpuState from, VcpuState to)
    {
        Assert.Equal(to, VcpuMachine.Declared.Next(from, trigger));
        Assert.Equal(StateMachine<VcpuState, Trigger>.Bit(from), VcpuMachine.Declared.From(trigger));
    }

    [Fact]
    public void A_vCPU_is_read_when_ready_or_disabled() =>
        Assert.Equal(
            [VcpuState.VCPU_READY, VcpuState.VCPU_DISABLED],
            Enum.GetValues<VcpuState>().Where(state => VcpuMachine.Declared.Permits(state, Trigger.TDH_VP_RD)));
}
