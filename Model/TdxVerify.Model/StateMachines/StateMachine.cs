using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace TdxVerify.Model;

/// <summary>
/// A state machine declared once, as a list of transitions: leaves read what they may do and what comes next from it,
/// and so do the diagrams. States are enums of bytes below 16.
/// </summary>
/// <typeparam name="TState">The states.</typeparam>
/// <typeparam name="TTrigger">What moves it: an enum of bytes.</typeparam>
public sealed class StateMachine<TState, TTrigger>
    where TState : struct, Enum
    where TTrigger : struct, Enum
{
    private const int StateBits = 4;
    private const byte NotPermitted = 0xFF;

    // Compiled from the transitions: the state after, by trigger and state, then by trigger alone; the set of states
    // that a trigger may meet. Leaves read them for every call.
    private readonly byte[] _next;
    private readonly byte[] _to;
    private readonly int[] _from;

    /// <summary>A machine with these transitions. Where several differ only in their guards, the first is the rule and the others its exceptions.</summary>
    /// <param name="name">What it describes.</param>
    /// <param name="transitions">The transitions, in the order of diagrams.</param>
    /// <param name="initial">The state that holds from the start, where no transition creates the object.</param>
    /// <exception cref="ArgumentException">A transition is declared twice.</exception>
    public StateMachine(string name, IEnumerable<Transition<TState, TTrigger>> transitions, TState? initial = null)
    {
        Name = name;
        Initial = initial;
        Transitions = [.. transitions];
        States = [.. Enum.GetValues<TState>()];
        if (Transitions.DistinctBy(transition => (transition.From, transition.Trigger, transition.To)).Count() != Transitions.Length)
            throw new ArgumentException($"{name}: a transition is declared twice.", nameof(transitions));
        int triggers = Enum.GetValues<TTrigger>().Length;
        _next = new byte[triggers << StateBits];
        Array.Fill(_next, NotPermitted);
        _to = new byte[triggers];
        Array.Fill(_to, NotPermitted);
        _from = new int[triggers];
        foreach (Transition<TState, TTrigger> transition in Transitions)
        {
            ref byte first = ref _to[Number(transition.Trigger)];
            if (first == NotPermitted && transition.To is { } target)
                first = Number(target);
            if (transition.From is not { } from)
                continue;
            _from[Number(transition.Trigger)] |= Bit(from);
            ref byte next = ref _next[Position(from, transition.Trigger)];
            if (next == NotPermitted && transition.To is { } to)
                next = Number(to);
        }
    }

    /// <summary>What it describes.</summary>
    public string Name { get; }

    /// <summary>The state that holds from the start; null: transitions create the object.</summary>
    public TState? Initial { get; }

    /// <summary>All transitions, in the order of diagrams.</summary>
    public ImmutableArray<Transition<TState, TTrigger>> Transitions { get; }

    /// <summary>All states.</summary>
    public ImmutableArray<TState> States { get; }

    /// <summary>The bit of a state in a set.</summary>
    public static int Bit(TState state) => 1 << Number(state);

    /// <summary>The states of a set, in words.</summary>
    public static string Names(int set, string separator = ", ")
    {
        var names = new List<string>(BitOperations.PopCount((uint)set));
        foreach (TState state in Enum.GetValues<TState>())
        {
            if ((set & Bit(state)) != 0)
                names.Add(state.ToString());
        }

        return string.Join(separator, names);
    }

    /// <summary>The set of states that a trigger may meet: bit n for the state of value n.</summary>
    public int From(TTrigger trigger) => _from[Number(trigger)];

    /// <summary>The trigger may meet the state. Guards may still forbid it.</summary>
    public bool Permits(TState state, TTrigger trigger) => (From(trigger) & Bit(state)) != 0;

    /// <summary>The state after a trigger, by the first transition declared; where none is, the state stays.</summary>
    public TState Next(TState state, TTrigger trigger)
    {
        byte next = _next[Position(state, trigger)];
        return next == NotPermitted ? state : Unsafe.BitCast<byte, TState>(next);
    }

    /// <summary>The state that a trigger leads to, by the first transition declared, whatever the state before.</summary>
    public TState To(TTrigger trigger) => Unsafe.BitCast<byte, TState>(_to[Number(trigger)]);

    private static byte Number<T>(T value)
        where T : struct, Enum => Unsafe.BitCast<T, byte>(value);

    private static int Position(TState state, TTrigger trigger) => (Number(trigger) << StateBits) | Number(state);
}
