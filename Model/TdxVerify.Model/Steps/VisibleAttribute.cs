namespace TdxVerify.Model;

/// <summary>
/// Marks the code of a step that is one visible access to shared state: between two visible accesses of a call, calls
/// of other processors can come in between. Steps without the mark join the access before them. Lock and release
/// steps are always visible.
/// </summary>
/// <remarks>
/// Visible are, as in contention/contention.md ("Visible steps", STD): each lock operation as a whole, each atomic
/// instruction, each store to S-EPT, PAMT, TDR and TDCS, each load of an S-EPT entry and of the TD's epoch and
/// reference counts. A page type or owner is stored together with the access before it. Tests compare the marks with
/// the accesses that the steps make.
/// </remarks>
[AttributeUsage(AttributeTargets.Method)]
public sealed class VisibleAttribute : Attribute
{
    /// <summary>
    /// For a step of several accesses: the method of the same class that makes one of them. It is called until it
    /// leaves <see cref="Call.Again"/> false; <see cref="Call.Progress"/> counts the calls before.
    /// </summary>
    public string? Part { get; init; }

    /// <summary>What the access touches.</summary>
    public Touched Touches { get; init; }

    /// <summary>
    /// Fields of <see cref="Call"/> that the step gives a value, whatever they were, in its first access: before it they
    /// hold nothing that tells calls apart.
    /// </summary>
    public string[] Sets { get; init; } = [];
}
