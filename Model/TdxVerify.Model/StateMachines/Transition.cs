namespace TdxVerify.Model;

/// <summary>What a guard may look at.</summary>
/// <param name="Level">Level of the S-EPT entry.</param>
/// <param name="OpState">OP_STATE of the TD.</param>
/// <param name="Children">State of the first entry of the S-EPT page below, where there is one.</param>
public readonly record struct GuardContext(int Level, OpState OpState, SeptState Children);

/// <summary>The condition of a transition.</summary>
/// <param name="Text">The condition in words, as diagrams print it in brackets.</param>
/// <param name="Holds">The condition, where <see cref="GuardContext"/> decides it; null: words only.</param>
public sealed record Guard(string Text, Predicate<GuardContext>? Holds = null)
{
    /// <summary>Both conditions.</summary>
    public static Guard operator &(Guard left, Guard right) => new(
        $"{left.Text}, {right.Text}",
        context => left.Permits(context) && right.Permits(context));

    /// <summary>The same as <c>&amp;</c>.</summary>
    public static Guard BitwiseAnd(Guard left, Guard right) => left & right;

    /// <summary>Nothing in <paramref name="context"/> speaks against it.</summary>
    public bool Permits(GuardContext context) => Holds?.Invoke(context) ?? true;
}

/// <summary>One transition of a state machine.</summary>
/// <param name="From">The state before; null: the object comes into being.</param>
/// <param name="Trigger">What causes it.</param>
/// <param name="To">The state after; null: the object is gone.</param>
/// <param name="Guard">Its condition; null: none but the state.</param>
public sealed record Transition<TState, TTrigger>(TState? From, TTrigger Trigger, TState? To, Guard? Guard = null)
    where TState : struct, Enum
    where TTrigger : struct, Enum
{
    /// <summary>The state stays what it is.</summary>
    public bool IsReentry => From is { } from && To is { } to && EqualityComparer<TState>.Default.Equals(from, to);
}
