using TdxVerify.Model;
using Xunit;

namespace TdxVerify.Tests.StateMachines;

/// <summary>What a declared machine answers is what its list of transitions says.</summary>
public sealed class StateMachineTests
{
    private static readonly StateMachine<TdLifecycle, Trigger> s_machine = new("test",
    [
        new(null, Trigger.TDH_MNG_CREATE, TdLifecycle.TD_HKID_ASSIGNED),
        new(TdLifecycle.TD_HKID_ASSIGNED, Trigger.TDH_MNG_KEY_CONFIG, TdLifecycle.TD_KEYS_CONFIGURED),
        new(TdLifecycle.TD_HKID_ASSIGNED, Trigger.TDH_MNG_KEY_CONFIG, TdLifecycle.TD_HKID_ASSIGNED, new Guard("another package")),
        new(TdLifecycle.TD_KEYS_CONFIGURED, Trigger.TDH_PHYMEM_PAGE_RECLAIM, null),
    ]);

    [Fact]
    public void A_trigger_may_meet_the_states_of_its_transitions()
    {
        Assert.True(s_machine.Permits(TdLifecycle.TD_HKID_ASSIGNED, Trigger.TDH_MNG_KEY_CONFIG));
        Assert.False(s_machine.Permits(TdLifecycle.TD_KEYS_CONFIGURED, Trigger.TDH_MNG_KEY_CONFIG));
        Assert.Equal(1 << (int)TdLifecycle.TD_KEYS_CONFIGURED, s_machine.From(Trigger.TDH_PHYMEM_PAGE_RECLAIM));
        Assert.Equal(0, s_machine.From(Trigger.TDH_MNG_CREATE));
        Assert.Equal(0, s_machine.From(Trigger.TD_EXIT));
    }

    [Fact]
    public void The_first_transition_declared_is_the_rule() =>
        Assert.Equal(TdLifecycle.TD_KEYS_CONFIGURED, s_machine.Next(TdLifecycle.TD_HKID_ASSIGNED, Trigger.TDH_MNG_KEY_CONFIG));

    [Fact]
    public void A_trigger_that_is_not_permitted_leaves_the_state()
    {
        Assert.Equal(TdLifecycle.TD_TEARDOWN, s_machine.Next(TdLifecycle.TD_TEARDOWN, Trigger.TDH_MNG_KEY_CONFIG));
        Assert.Equal(TdLifecycle.TD_KEYS_CONFIGURED, s_machine.Next(TdLifecycle.TD_KEYS_CONFIGURED, Trigger.TDH_PHYMEM_PAGE_RECLAIM));
    }

    [Fact]
    public void A_trigger_leads_to_the_target_of_its_first_transition()
    {
        Assert.Equal(TdLifecycle.TD_HKID_ASSIGNED, s_machine.To(Trigger.TDH_MNG_CREATE));
        Assert.Equal(TdLifecycle.TD_KEYS_CONFIGURED, s_machine.To(Trigger.TDH_MNG_KEY_CONFIG));
    }

    [Fact]
    public void A_transition_is_declared_once() =>
        Assert.Throws<ArgumentException>(() => new StateMachine<TdLifecycle, Trigger>("twice",
        [
            new(TdLifecycle.TD_BLOCKED, Trigger.TDH_MNG_KEY_FREEID, TdLifecycle.TD_TEARDOWN),
            new(TdLifecycle.TD_BLOCKED, Trigger.TDH_MNG_KEY_FREEID, TdLifecycle.TD_TEARDOWN, new Guard("written back")),
        ]));

    [Fact]
    public void Both_parts_of_a_guard_must_permit()
    {
        var level1 = new Guard("level 1", context => context.Level == 1);
        Guard both = level1 & new Guard("tracked");

        Assert.Equal("level 1, tracked", both.Text);
        Assert.True(both.Permits(new GuardContext(1, OpState.RUNNABLE, SeptState.FREE)));
        Assert.False(both.Permits(new GuardContext(2, OpState.RUNNABLE, SeptState.FREE)));
    }

    [Fact]
    public void Asking_a_machine_allocates_nothing()
    {
        Ask();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Ask();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        static void Ask()
        {
            for (int i = 0; i < 100; i++)
            {
                s_machine.Permits(TdLifecycle.TD_BLOCKED, Trigger.TDH_MNG_KEY_CONFIG);
                s_machine.Next(TdLifecycle.TD_HKID_ASSIGNED, Trigger.TDH_MNG_KEY_CONFIG);
                s_machine.To(Trigger.TDH_MNG_CREATE);
            }
        }
    }
}
