using TdxVerify.Model;
using Xunit;

namespace TdxVerify.Tests.StateMachines;

/// <summary>
/// What the machines declare is what happens in the recordings of the module: nothing else, and nothing less but what
/// the recordings cannot show.
/// </summary>
public sealed class RecordedTransitionTests(TransitionRecorder recorder) : IClassFixture<TransitionRecorder>
{
    // The recorded platform has one package; no recorded vCPU is ever disabled.
    private static readonly SeenTransition[] s_notRecorded =
    [
        new(TdMachine.Lifecycle.Name, "TD_HKID_ASSIGNED", Trigger.TDH_MNG_KEY_CONFIG, "TD_HKID_ASSIGNED"),
        new(VcpuMachine.Declared.Name, "VCPU_DISABLED", Trigger.TDH_VP_RD, "VCPU_DISABLED"),
    ];

    private static readonly HashSet<SeenTransition> s_declared =
    [
        .. Declared(SeptMachine.Declared), .. Declared(TdMachine.Lifecycle), .. Declared(TdMachine.OpStates), .. Declared(TdMachine.Key),
        .. Declared(VcpuMachine.Declared),
    ];

    [Fact]
    public void Every_declared_transition_is_recorded() =>
        Assert.Equal(s_notRecorded.ToHashSet(), s_declared.Except(recorder.Seen).ToHashSet());

    [Fact]
    public void Every_recorded_transition_is_declared() => Assert.Empty(recorder.Seen.Except(s_declared));

    [Fact]
    public void No_state_changes_without_a_leaf_that_explains_it() => Assert.Empty(recorder.Unexplained);

    [Fact]
    public void Every_recorded_change_of_an_entry_satisfies_its_guard() =>
        Assert.All(recorder.SeenEntries, seen => Assert.Contains(
            SeptMachine.Declared.Transitions,
            transition => $"{transition.From}" == seen.Transition.From && transition.Trigger == seen.Transition.Trigger
                && $"{transition.To}" == seen.Transition.To && (transition.Guard?.Permits(seen.Context) ?? true)));

    [Fact]
    public void Guards_forbid_something() =>
        Assert.Contains(SeptMachine.Declared.Transitions, transition => transition.Guard?.Permits(new GuardContext(5, OpState.RUNNABLE, SeptState.FREE)) == false);

    private static IEnumerable<SeenTransition> Declared<TState>(StateMachine<TState, Trigger> machine)
        where TState : struct, Enum =>
        machine.Transitions.Select(transition => new SeenTransition(machine.Name, transition.From?.ToString(), transition.Trigger, transition.To?.ToString()));
}
