using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Model.Mutants;

namespace TdxVerify.Properties.Mutants;

/// <summary>Checks by running why a mutant was not told from the model: two steps fail alike, or a claim explains it.</summary>
internal sealed class ShadowSearch(MutantsOptions options, LeafSet<ArraysState> leaves, IReadOnlyList<Mutant<ArraysState>> mutants)
{
    // A claim needs that many runs that got to the altered step.
    private const int MinimumOccasions = 10;
    private const int MaximumRuns = 60;

    private static readonly MutantKind[] s_dropped =
        [MutantKind.CheckDropped, MutantKind.LockDropped, MutantKind.EffectDropped, MutantKind.ReleaseDropped];

    /// <summary>Adds its shadow to each verdict on a mutant that was not told and that has one.</summary>
    public void Annotate(MutantVerdict?[] verdicts, ReachedSequence[] sequences)
    {
        var judges = new ThreadLocal<PairJudge>(() => new PairJudge(options.Platform));
        Parallel.For(0, verdicts.Length, new ParallelOptions { MaxDegreeOfParallelism = options.Workers }, i =>
        {
            if (verdicts[i] is { Conformance.IsKilled: false } verdict)
                verdicts[i] = verdict with { Shadow = Find(mutants[i], sequences, judges.Value!) };
        });
    }

    /// <summary>Why the mutant cannot be told from the model; null: nothing shows that it cannot.</summary>
    public Shadow? Find(Mutant<ArraysState> mutant, ReachedSequence[] sequences, PairJudge judge) =>
        FailsAlike(mutant, sequences, judge)
        ?? ShadowClaims.All.Where(claim => claim.IsAbout(mutant.Leaf.Name, mutant.Kind, mutant.Id))
            .Select(claim => Check(claim, mutant, sequences, judge)).FirstOrDefault(shadow => shadow is not null);

    /// <summary>Whether a claim explains the mutant; null: running refutes it, or does not show it.</summary>
    public Shadow? Check(ShadowClaim claim, Mutant<ArraysState> mutant, ReachedSequence[] sequences, PairJudge judge)
    {
        Leaf<ArraysState> leaf = LeafOf(mutant);
        int calling = Reaching(sequences, leaf.Index, Math.Max(mutant.Step, 1), mutant.Step == 0 ? MutantReach.Calls : MutantReach.Reaches).Count;
        if (claim.NeverFails && sequences.Any(sequence => sequence.FirstAt(leaf.Index, StepOf(claim, mutant), MutantReach.Fails) is not null))
            return null;
        if (claim.NeverBoth || claim.NeverActs)
            return CheckProbe(claim, mutant, leaf, sequences, judge);
        if (claim.Behind.Length == 0)
            return calling >= MinimumOccasions ? new Shadow(claim.Reason, calling) : null;
        LeafSet<ArraysState> without = leaves;
        var names = new List<string>();
        foreach (StepName name in claim.Behind)
        {
            Mutant<ArraysState> drop = Drop(name.Leaf.Length > 0 ? name.Leaf : mutant.Leaf.Name, name.Text);
            without = drop.Apply(without);
            names.Add($"{(name.Leaf.Length > 0 ? $"{name.Leaf} step" : "its step")} {drop.Step}: {StepText(drop)}");
        }

        return judge.Differ(without, mutant.Apply(without), Runs(sequences, leaf.Index))
            ? new Shadow(string.Join(", and ", names) + (claim.Reason.Length > 0 ? $" ({claim.Reason})" : ""), Math.Max(calling, 1))
            : null;
    }

    // Two checks with the same failure and nothing to take back: whichever comes first, the answer is the same. With
    // the failure of one of them altered, in the model and in the mutant, the order shows if both can fail in one call.
    private Shadow? FailsAlike(Mutant<ArraysState> mutant, ReachedSequence[] sequences, PairJudge judge)
    {
        if (mutant.Kind != MutantKind.StepsSwapped)
            return null;
        Leaf<ArraysState> leaf = LeafOf(mutant);
        Step<ArraysState> first = leaf.Steps[mutant.Step - 1];
        Step<ArraysState> second = leaf.Steps[mutant.Step];
        if (first is not { Kind: StepKind.Check, Undo: null } || second is not { Kind: StepKind.Check, Undo: null } || first.Failure != second.Failure)
            return null;
        List<ReachedSequence> failing = Reaching(sequences, leaf.Index, mutant.Step, MutantReach.FailsHereOrNext);
        IEnumerable<ReachedSequence> runs = Foremost(failing);
        Mutant<ArraysState> altered = mutants.First(candidate => candidate.Leaf == mutant.Leaf && candidate.Step == mutant.Step
            && candidate.Kind is MutantKind.StatusAltered or MutantKind.FailureAltered);
        LeafSet<ArraysState> told = altered.Apply(leaves);
        string how = first.Failure.End == CallEnd.Returned ? $"{new StatusCode(first.Failure.Status)}" : $"{first.Failure.End}";
        if (judge.Differ(told, mutant.Apply(told), runs))
            return new Shadow($"the other of the two, which fails alike: {how}", failing.Count);
        (long one, long other, long both) = Probe(mutant, runs, judge);
        return one > 0 && other > 0 && both == 0 ? new Shadow($"the other of the two, which fails alike, and in other calls: {how}", failing.Count) : null;
    }

    private Shadow? CheckProbe(ShadowClaim claim, Mutant<ArraysState> mutant, Leaf<ArraysState> leaf, ReachedSequence[] sequences, PairJudge judge)
    {
        List<ReachedSequence> runs = claim.NeverBoth
            ? [.. Reaching(sequences, leaf.Index, mutant.Step, MutantReach.FailsHereOrNext).Take(MaximumRuns), .. Runs(sequences, leaf.Index)]
            : [.. Runs(sequences, leaf.Index)];
        (long first, long second, long both) = Probe(mutant, runs, judge);
        if (claim.NeverActs)
            return first == 0 && runs.Count >= MinimumOccasions ? new Shadow(claim.Reason, runs.Count) : null;
        return first > 0 && second > 0 && both == 0 ? new Shadow(claim.Reason, runs.Count) : null;
    }

    private (long First, long Second, long Both) Probe(Mutant<ArraysState> mutant, IEnumerable<ReachedSequence> runs, PairJudge judge)
    {
        var probe = new StepProbe<ArraysState>(mutant.Leaf, mutant.Step);
        judge.Run(probe.Apply(leaves), runs);
        return (probe.First, probe.Second, probe.Both);
    }

    private Mutant<ArraysState> Drop(string list, string text) =>
        mutants.Where(candidate => candidate.Leaf.Name == list && s_dropped.Contains(candidate.Kind) && StepText(candidate).Contains(text, StringComparison.Ordinal))
            .MinBy(candidate => StepText(candidate).Length)!;

    // Scripts first: they were written down for this. Then what gets there soonest, of either kind.
    private static IEnumerable<ReachedSequence> Runs(ReachedSequence[] sequences, int leaf) => Foremost(Reaching(sequences, leaf, 0, MutantReach.Calls));

    private static IEnumerable<ReachedSequence> Foremost(List<ReachedSequence> calling) =>
        calling.Where(sequence => sequence.Source == SequenceSource.Script)
            .Concat(calling.Where(sequence => sequence.Source is SequenceSource.Random or SequenceSource.Recording).Take(MaximumRuns))
            .Concat(calling.Where(sequence => sequence.Source == SequenceSource.Sweep).Take(MaximumRuns));

    private static List<ReachedSequence> Reaching(ReachedSequence[] sequences, int leaf, int step, MutantReach reach) =>
    [
        .. sequences.Select(sequence => (Sequence: sequence, At: sequence.FirstAt(leaf, step, reach)))
            .Where(reached => reached.At is not null).OrderBy(reached => reached.At).Select(reached => reached.Sequence),
    ];

    // Of two swapped steps the one that the claim names.
    private int StepOf(ShadowClaim claim, Mutant<ArraysState> mutant) =>
        mutant.Kind == MutantKind.StepsSwapped && !StepText(mutant).Contains(claim.Step, StringComparison.Ordinal) ? mutant.Step + 1 : mutant.Step;

    private Leaf<ArraysState> LeafOf(Mutant<ArraysState> mutant) => leaves.All.First(leaf => leaf.Id == mutant.Leaf);

    private string StepText(Mutant<ArraysState> mutant) => LeafOf(mutant).Steps[mutant.Step - 1].Text;
}
