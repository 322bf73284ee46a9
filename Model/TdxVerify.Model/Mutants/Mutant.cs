namespace TdxVerify.Model.Mutants;

/// <summary>
/// A faulty model: the declared one with one fault in one list of steps. Mutants measure the suite: one that no run
/// can tell from the model shows what the suite does not check.
/// </summary>
/// <typeparam name="S">The layout of the state.</typeparam>
public sealed class Mutant<S>
    where S : struct, IState
{
    private readonly Func<IReadOnlyList<Step<S>>, IEnumerable<Step<S>>> _alter;

    internal Mutant(
        LeafId leaf, int step, MutantKind kind, MutantReach reach, string fault,
        Func<IReadOnlyList<Step<S>>, IEnumerable<Step<S>>> alter)
    {
        Leaf = leaf;
        Step = step;
        Kind = kind;
        Reach = reach;
        Id = step == 0 ? $"{leaf} {fault}" : $"{leaf} step {step} {fault}";
        _alter = alter;
    }

    /// <summary>
    /// What is wrong, and where: stable, readable and unique, such as
    /// <c>TDH.MEM.RANGE.BLOCK step 21 check dropped: S-EPT walk reaches the level</c>.
    /// </summary>
    public string Id { get; }

    /// <summary>The altered list of steps.</summary>
    public LeafId Leaf { get; }

    /// <summary>The altered step, counted from 1; 0: the success of the whole call.</summary>
    public int Step { get; }

    /// <summary>What is wrong.</summary>
    public MutantKind Kind { get; }

    /// <summary>Which calls can tell.</summary>
    public MutantReach Reach { get; }

    /// <summary>The set of leaves with the fault in.</summary>
    public LeafSet<S> Apply(LeafSet<S> leaves)
    {
        Leaf<S> leaf = leaves.All.First(candidate => candidate.Id == Leaf);
        return leaves.With(leaf.With(_alter(leaf.Steps)));
    }

    /// <inheritdoc/>
    public override string ToString() => Id;
}
