using TdxVerify.Model.Mutants;

namespace TdxVerify.Properties.Mutants;

/// <summary>A step, named by its list of steps and a part of its text.</summary>
/// <param name="Leaf">Name of the list; empty: that of the mutant.</param>
/// <param name="Text">Part of the step's text.</param>
internal readonly record struct StepName(string Leaf, string Text);

/// <summary>
/// A claim that certain mutants cannot be told from the model by any answer, and why. A claim counts for a mutant
/// only after it was checked by running (<see cref="ShadowSearch"/>): nothing else makes a mutant equivalent.
/// </summary>
internal sealed record ShadowClaim
{
    /// <summary>Name of the list of steps, or the start of it before a *.</summary>
    public required string Leaf { get; init; }

    /// <summary>Part of the text of the altered step; of two swapped steps, of either.</summary>
    public required string Step { get; init; }

    /// <summary>What is wrong in the mutant; empty: anything.</summary>
    public MutantKind[] Kinds { get; init; } = [];

    /// <summary>Part of the mutant's id.</summary>
    public string Fault { get; init; } = "";

    /// <summary>
    /// The steps that shadow it. Checked: with these steps dropped from both, the mutant is told from the model.
    /// </summary>
    public StepName[] Behind { get; init; } = [];

    /// <summary>The step can fail in no run. Checked: it never did.</summary>
    public bool NeverFails { get; init; }

    /// <summary>
    /// Of the two swapped steps, at most one acts in a call: is refused, or takes a lock. Checked: each did, never both.
    /// </summary>
    public bool NeverBoth { get; init; }

    /// <summary>The release finds nothing to drop. Checked: it never did.</summary>
    public bool NeverActs { get; init; }

    /// <summary>Why, where no step can be dropped to show it; else empty, or what to add to the names of the steps.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The claim is about this mutant.</summary>
    public bool IsAbout(string leaf, MutantKind kind, string id) =>
        (Leaf.EndsWith('*') ? leaf.StartsWith(Leaf[..^1], StringComparison.Ordinal) : leaf == Leaf)
        && (Kinds.Length == 0 || Kinds.Contains(kind))
        && id.Contains(Step, StringComparison.Ordinal)
        && id.Contains(Fault, StringComparison.Ordinal);
}
