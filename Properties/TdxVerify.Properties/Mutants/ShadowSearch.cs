using TdxVerify.Model;
using TdxVerify.Model.Mutants;

namespace TdxVerify.Properties.Mutants;

/// <summary>Checks by running whether a claim explains why a mutant was not told from the model.</summary>
internal sealed class ShadowSearch(MutantsOptions options, LeafSet<ArraysState> leaves, IReadOnlyList<Mutant<ArraysState>> mutants)
{
    // A claim needs that many runs that got to the altered step.
    private const int MinimumOccasions = 10;
    private const int MaximumRuns = 60;

    private static readonly MutantKind[] s_dropped =
        [MutantKind.CheckDropped, MutantKind.LockDropped, MutantKind.EffectDropped, MutantKind.ReleaseDropped];

    /// <summary>Adds its shadow to each verdict on a mutant that was not told and that a claim explains.</summary>
    public void Annotate(MutantVerdict?[] verdicts, ReachedSequence[] sequences)
    {
        var judges = new ThreadLocal<PairJudge>(() => new PairJudge(options.Platform));
        Parallel.For(0, verdicts.Length, new ParallelOptions { MaxDegreeOfParallelism = options.Workers }, i =>
        {
            if (verdicts[i] is { Conformance.IsKilled: false } verdict)
                verdicts[i] = verdict with { Shadow = Find(mutants[i], sequences, judges.Value!) };
        });
    }

    private Shadow? Find(Mutant<ArraysState> mutant, ReachedSequence[] sequences, PairJudge judge)
    {
        foreach (ShadowClaim claim in ShadowClaims.All.Where(claim => claim.IsAbout(mutant.Leaf.Name, mutant.Kind, mutant.Id)))
        {
            if (Check(claim, mutant, sequences, judge) is { } shadow)
                return shadow;
        }

        return null;
    }

    private Shadow? Check(ShadowClaim claim, Mutant<ArraysState> mutant, ReachedSequence[] sequences, PairJudge judge)
    {
        Leaf<ArraysState> leaf = leaves.All.First(candidate => candidate.Id == mutant.Leaf);
        List<ReachedSequence> calling = Reaching(sequences, leaf.Index, Math.Max(mutant.Step, 1), mutant.Step == 0 ? MutantReach.Calls : MutantReach.Reaches);
        if (claim.NeverFails)
        {
            int step = mutant.Kind == MutantKind.StepsSwapped && !leaf.Steps[mutant.Step - 1].Text.Contains(claim.Step, StringComparison.Ordinal)
                ? mutant.Step + 1
                : mutant.Step;
            if (sequences.Any(sequence => sequence.FirstAt(leaf.Index, step, MutantReach.Fails) is not null))
                return null;
        }

        if (claim.Behind.Length == 0)
            return calling.Count >= MinimumOccasions ? new Shadow(claim.Reason, calling.Count) : null;
        LeafSet<ArraysState> without = leaves;
        var names = new List<string>();
        foreach (StepName name in claim.Behind)
        {
            string list = name.Leaf.Length > 0 ? name.Leaf : mutant.Leaf.Name;
            Mutant<ArraysState> drop = mutants
                .Where(candidate => candidate.Leaf.Name == list && s_dropped.Contains(candidate.Kind) && StepText(candidate).Contains(name.Text, StringComparison.Ordinal))
                .MinBy(candidate => StepText(candidate).Length)!;
            without = drop.Apply(without);
            names.Add($"{list} step {drop.Step}: {StepText(drop)}");
        }

        IEnumerable<ReachedSequence> runs = Reaching(sequences, leaf.Index, 0, MutantReach.Calls).Take(MaximumRuns);
        return judge.Differ(without, mutant.Apply(without), runs) ? new Shadow(string.Join(", and ", names), Math.Max(calling.Count, 1)) : null;
    }

    private static List<ReachedSequence> Reaching(ReachedSequence[] sequences, int leaf, int step, MutantReach reach) =>
    [
        .. sequences.Select(sequence => (Sequence: sequence, At: sequence.FirstAt(leaf, step, reach)))
            .Where(reached => reached.At is not null).OrderBy(reached => reached.At).Select(reached => reached.Sequence),
    ];

    private string StepText(Mutant<ArraysState> mutant) => leaves.All.First(leaf => leaf.Id == mutant.Leaf).Steps[mutant.Step - 1].Text;
}
