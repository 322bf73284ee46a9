using System.Collections.Immutable;

namespace TdxVerify.Model;

/// <summary>A line of text in a diagram.</summary>
/// <param name="Trigger">What happens.</param>
/// <param name="Guard">Its condition; empty: none.</param>
public readonly record struct GraphLabel(string Trigger, string Guard)
{
    /// <inheritdoc/>
    public override string ToString() => Guard.Length > 0 ? $"{Trigger} [{Guard}]" : Trigger;
}

/// <summary>A state in a diagram.</summary>
/// <param name="Name">The state.</param>
/// <param name="Notes">What else begins or ends there, and what leaves the state as it is.</param>
/// <param name="IsReached">Some transition leads here.</param>
/// <param name="Inner">A machine that lives within the state; null: none.</param>
public sealed record GraphNode(string Name, ImmutableArray<string> Notes, bool IsReached, MachineGraph? Inner = null);

/// <summary>All transitions from one state to another.</summary>
/// <param name="From">The state before; null: the object comes into being.</param>
/// <param name="To">The state after; null: the object is gone.</param>
/// <param name="Labels">What causes them, guards in brackets, in the order of the declaration.</param>
public sealed record GraphEdge(string? From, string? To, ImmutableArray<GraphLabel> Labels);

/// <summary>A state machine as diagrams show it: transitions between the same states are one edge.</summary>
/// <param name="Title">What it describes.</param>
/// <param name="Nodes">The states.</param>
/// <param name="Edges">The transitions that change the state.</param>
/// <param name="FromAnyState">What ends the object in whatever state it is.</param>
public sealed record MachineGraph(
    string Title, ImmutableArray<GraphNode> Nodes, ImmutableArray<GraphEdge> Edges, ImmutableArray<GraphLabel> FromAnyState)
{
    // More ends than this are told beside their states: an edge from every other state hides the rest.
    private const int MaximumDrawnEnds = 2;

    /// <summary>The diagram of a machine.</summary>
    public static MachineGraph Of<TState>(StateMachine<TState, Trigger> machine)
        where TState : struct, Enum
    {
        HashSet<Trigger> fromAnyState =
        [
            .. machine.Transitions.Where(transition => transition.To is null).GroupBy(transition => transition.Trigger)
                .Where(group => group.Count() == machine.States.Length).Select(group => group.Key),
        ];
        Transition<TState, Trigger>[] drawn =
            [.. machine.Transitions.Where(transition => !transition.IsReentry && !(transition.To is null && fromAnyState.Contains(transition.Trigger)))];
        List<GraphEdge> all =
        [
            .. drawn.GroupBy(transition => (transition.From, transition.To))
                .Select(group => new GraphEdge(group.Key.From?.ToString(), group.Key.To?.ToString(), [.. group.Select(Label)])),
        ];
        if (machine.Initial is { } initial)
            all.Insert(0, new GraphEdge(null, initial.ToString(), []));
        GraphEdge[] begins = [.. all.Where(edge => edge.From is null).Skip(1)];
        GraphEdge[] ends = [.. all.Where(edge => edge.To is null)];
        GraphEdge[] told = ends.Length > MaximumDrawnEnds ? [.. begins, .. ends] : begins;
        return new MachineGraph(
            machine.Name,
            [
                .. machine.States.Select(state => new GraphNode(
                    state.ToString(), [.. Told(told, state.ToString()), .. Stays(machine, state)], all.Exists(edge => edge.To == state.ToString()))),
            ],
            [.. all.Except(told)],
            [.. fromAnyState.Select(trigger => Label(machine.Transitions.First(transition => transition.To is null && transition.Trigger == trigger)))]);
    }

    /// <summary>The same diagram with another machine inside one of its states.</summary>
    public MachineGraph With(string node, MachineGraph inner) =>
        this with { Nodes = [.. Nodes.Select(each => each.Name == node ? each with { Inner = inner } : each)] };

    private static ImmutableArray<string> Stays<TState>(StateMachine<TState, Trigger> machine, TState state)
        where TState : struct, Enum =>
        Lines("stays on", machine.Transitions.Where(transition => transition.IsReentry && transition.From is { } from && from.Equals(state)).Select(Label));

    private static IEnumerable<string> Told(GraphEdge[] edges, string state) =>
    [
        .. Lines("begins on", edges.Where(edge => edge.To == state).SelectMany(edge => edge.Labels)),
        .. Lines("ends on", edges.Where(edge => edge.From == state).SelectMany(edge => edge.Labels)),
    ];

    private static ImmutableArray<string> Lines(string heading, IEnumerable<GraphLabel> labels)
    {
        string[] lines = [.. labels.Select(label => $"- {label}")];
        return lines.Length == 0 ? [] : [heading, .. lines];
    }

    private static GraphLabel Label<TState>(Transition<TState, Trigger> transition)
        where TState : struct, Enum => new(transition.Trigger.DisplayName(), transition.Guard?.Text ?? "");
}
