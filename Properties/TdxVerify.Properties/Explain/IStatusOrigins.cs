namespace TdxVerify.Properties.Explain;

/// <summary>A step of a leaf that returns a status.</summary>
/// <param name="Leaf">The leaf, as in <c>TDH.MEM.PAGE.AUG</c>.</param>
/// <param name="Step">The step's number in the leaf's declared order, from 1.</param>
/// <param name="Kind">What sort of step: <c>check</c>, <c>lock</c>.</param>
/// <param name="Text">The condition that failed, or the lock that was refused.</param>
/// <param name="Status">The status it returns, operand id or details included.</param>
/// <param name="Registers">What the output registers hold then; empty where the declaration says nothing.</param>
/// <param name="Holders">For a lock: which lock in which mode, and who can hold it against this call; else empty.</param>
public sealed record StatusOrigin(string Leaf, int Step, string Kind, string Text, ulong Status, string Registers, string Holders = "");

/// <summary>Where statuses come from. The model answers this from its declared steps.</summary>
public interface IStatusOrigins
{
    /// <summary>The leaves whose steps are declared; nothing is known about the others.</summary>
    IReadOnlyCollection<string> Leaves { get; }

    /// <summary>The steps that return what is asked for, in declared order, leaf by leaf.</summary>
    /// <param name="query">The status; without an operand, every operand.</param>
    /// <param name="leaf">Only this leaf, as in <c>TDH.MEM.PAGE.AUG</c>; null: every leaf.</param>
    IReadOnlyList<StatusOrigin> Find(StatusQuery query, string? leaf);
}

/// <summary>Knows no leaf.</summary>
public sealed class NoStatusOrigins : IStatusOrigins
{
    /// <inheritdoc/>
    public IReadOnlyCollection<string> Leaves => [];

    /// <inheritdoc/>
    public IReadOnlyList<StatusOrigin> Find(StatusQuery query, string? leaf) => [];
}
