using System.Diagnostics;
using TdxVerify.Model;
using TdxVerify.Model.Mutants;
using TdxVerify.Properties.Choices;

namespace TdxVerify.Properties.Mutants;

/// <summary>
/// Judges mutants: by their answers, on random sequences, sweeps and recordings, and by the laws alone. For those that
/// no answer told a shadow is looked for; those without one are run on further sequences.
/// </summary>
/// <remarks>
/// A time limit decides only how many mutants of the sample are judged and how many further sequences are run: the
/// order of the sample, and what the first sequences find, follow from the seed.
/// </remarks>
public sealed class MutantsRun
{
    // Of the whole time: until when mutants are taken from the sample, and until when survivors get further sequences.
    private const double SampleShare = 0.85;
    private const double FurtherShare = 0.95;
    private const int Batch = 64;

    private readonly MutantsOptions _options;
    private readonly LeafSet<ArraysState> _fast;
    private readonly LeafSet<ObservedState> _observed;
    private readonly IReadOnlyList<Mutant<ArraysState>> _mutants;
    private readonly IReadOnlyList<Mutant<ObservedState>> _observedMutants;
    private readonly int[] _leafIndex;
    private readonly int[] _order;
    private readonly Stopwatch _time = new();
    private int _judged;
    private int _survivors;
    private int _sequences;

    /// <summary>Derives the mutants and draws the sample.</summary>
    public MutantsRun(MutantsOptions options)
    {
        _options = options;
        _fast = LeafSet<ArraysState>.Of(options.Platform.Profile);
        _observed = LeafSet<ObservedState>.Of(options.Platform.Profile);
        _mutants = MutantDerivation<ArraysState>.Derive(_fast);
        _observedMutants = MutantDerivation<ObservedState>.Derive(_observed);
        _leafIndex = [.. _mutants.Select(mutant => _fast.All.First(leaf => leaf.Id == mutant.Leaf).Index)];
        _order = [.. Shuffled(_mutants.Count, options.Seed).Where(i => _mutants[i].Id.Contains(options.Only, StringComparison.OrdinalIgnoreCase)).Take(options.Maximum)];
    }

    /// <summary>How many mutants there are.</summary>
    public int Of => _mutants.Count;

    /// <summary>How many may be judged.</summary>
    public int Selected => _order.Length;

    /// <summary>How many are judged so far; may be read while the run goes on.</summary>
    public int Judged => Volatile.Read(ref _judged);

    /// <summary>How many of these nothing told or explained so far; may be read while the run goes on.</summary>
    public int Survivors => Volatile.Read(ref _survivors);

    /// <summary>Random sequences so far; may be read while the run goes on.</summary>
    public int Sequences => Volatile.Read(ref _sequences);

    /// <summary>What the run does now; may be read while it goes on.</summary>
    public string Stage { get; private set; } = "";

    /// <summary>Runs.</summary>
    public MutantsResult Run()
    {
        _time.Start();
        Stage = "sequences";
        ReachedSequence[] pool = SequencePool.Generate(_options.Platform, _options.Seed, 0, _options.Sequences, () => IsOver(SampleShare / 2));
        ReachedSequence[] sweeps = SequencePool.Sweep(_options.Platform, () => IsOver(SampleShare / 2));
        ReachedSequence[] recordings = _options.Recordings is { } folder ? SequencePool.Load(folder, _options.Platform) : [];
        _sequences = pool.Length;
        Stage = "laws";
        (ReachedSequence Sequence, string? Broken)[] sound = Sound([.. pool, .. sweeps, .. recordings]);
        Stage = "mutants";
        var verdicts = new MutantVerdict?[_mutants.Count];
        JudgeSample(verdicts, new Material(pool, sweeps, recordings, [.. sound.Where(row => row.Sequence is not null && row.Broken is null).Select(row => row.Sequence)]));
        Stage = "equivalence";
        new ShadowSearch(_options, _fast, _mutants).Annotate(verdicts, [.. pool, .. sweeps, .. recordings]);
        Interlocked.Add(ref _survivors, -verdicts.Count(verdict => verdict?.Shadow is not null));
        Stage = "survivors";
        JudgeSurvivors(verdicts);
        return new MutantsResult
        {
            Of = _mutants.Count,
            Verdicts = [.. verdicts.OfType<MutantVerdict>()],
            Sequences = _sequences,
            Sweeps = sweeps.Length,
            Recordings = recordings.Length,
            BrokenByModel = [.. sound.Where(row => row.Broken is not null).Select(row => row.Broken!)],
            Seconds = _time.Elapsed.TotalSeconds,
        };
    }

    private static int[] Shuffled(int count, ulong seed)
    {
        ChoiceStream stream = ChoiceStream.FromSeed(seed ^ 0x6D75_7461_6E74, (count / ChoiceStream.Width) + 1);
        int[] order = [.. Enumerable.Range(0, count)];
        for (int i = count - 1; i > 0; i--)
        {
            int other = (int)(stream[i / ChoiceStream.Width, i % ChoiceStream.Width] % (uint)(i + 1));
            (order[i], order[other]) = (order[other], order[i]);
        }

        return order;
    }

    private bool IsOver(double share) => _options.Time is { } time && _time.Elapsed >= time * share;

    private void JudgeSample(MutantVerdict?[] verdicts, Material material)
    {
        int next = -1;
        Parallel.For(0, _options.Workers, new ParallelOptions { MaxDegreeOfParallelism = _options.Workers }, _ =>
        {
            var conformance = new ConformanceJudge(_options.Platform);
            var laws = new LawJudge(_options.Platform);
            while (!IsOver(SampleShare) && Interlocked.Increment(ref next) is var place && place < _order.Length)
            {
                int mutant = _order[place];
                verdicts[mutant] = Judge(mutant, conformance, laws, material);
                Interlocked.Increment(ref _judged);
                if (!verdicts[mutant]!.Conformance.IsKilled)
                    Interlocked.Increment(ref _survivors);
            }
        });
    }

    private MutantVerdict Judge(int index, ConformanceJudge conformance, LawJudge laws, Material material)
    {
        Mutant<ArraysState> mutant = _mutants[index];
        LeafSet<ArraysState> faulty = mutant.Apply(_fast);
        Kill answers = Kill.None;
        int reached = 0;

        // Two things wrong in one call, which tells swapped steps, is what sweeps are about.
        ReachedSequence[][] order = mutant.Kind == MutantKind.StepsSwapped
            ? [material.Sweeps, material.Random, material.Recordings]
            : [material.Random, material.Sweeps, material.Recordings];
        foreach (ReachedSequence[] sequences in order)
        {
            List<ReachedSequence> reaching = Reaching(index, sequences);
            reached += reaching.Count;
            if (!answers.IsKilled)
                answers = conformance.Judge(faulty, reaching);
        }

        Kill broken = JudgeByLaws(index, laws, material, answers.Sequence);
        return new MutantVerdict(mutant.Id, mutant.Leaf.Name, mutant.Kind, reached, answers, broken);
    }

    // What tells a mutant by its answers is what most likely makes a law speak.
    private Kill JudgeByLaws(int index, LawJudge laws, Material material, ReachedSequence? first)
    {
        if (_options.LawEvents == 0)
            return Kill.None;
        IEnumerable<ReachedSequence> sequences = Reaching(index, material.Sound);
        if (first is not null && material.Sound.Contains(first))
            sequences = sequences.Where(sequence => sequence != first).Prepend(first);
        return laws.Judge(_observedMutants[index].Apply(_observed), sequences, _options.LawEvents);
    }

    // A law that the declared model breaks on a sequence says nothing about a mutant there.
    private (ReachedSequence Sequence, string? Broken)[] Sound(ReachedSequence[] sequences)
    {
        var judges = new ThreadLocal<LawJudge>(() => new LawJudge(_options.Platform));
        var sound = new (ReachedSequence, string?)[sequences.Length];
        if (_options.LawEvents > 0)
        {
            Parallel.For(0, sequences.Length, new ParallelOptions { MaxDegreeOfParallelism = _options.Workers }, i =>
                sound[i] = (sequences[i], judges.Value!.Unsound(_observed, sequences[i])));
        }

        return sound;
    }

    // Those that get there first are the cheapest to run.
    private List<ReachedSequence> Reaching(int index, ReachedSequence[] sequences)
    {
        Mutant<ArraysState> mutant = _mutants[index];
        return [.. sequences
            .Select(sequence => (Sequence: sequence, At: sequence.FirstAt(_leafIndex[index], mutant.Step, mutant.Reach)))
            .Where(reached => reached.At is not null)
            .OrderBy(reached => reached.At)
            .Select(reached => reached.Sequence)];
    }

    // Without a time limit, also those that have a shadow: a sequence that tells one refutes its claim.
    private void JudgeSurvivors(MutantVerdict?[] verdicts)
    {
        var judges = new ThreadLocal<ConformanceJudge>(() => new ConformanceJudge(_options.Platform));
        for (int done = 0; done < _options.FurtherSequences && !IsOver(FurtherShare); done += Batch)
        {
            int[] survivors = [.. Enumerable.Range(0, verdicts.Length)
                .Where(i => verdicts[i] is { Conformance.IsKilled: false } verdict && (verdict.Shadow is null || _options.Time is null))];
            if (survivors.Length == 0)
                return;
            ReachedSequence[] batch = SequencePool.Generate(
                _options.Platform, _options.Seed, _options.Sequences + done, Math.Min(Batch, _options.FurtherSequences - done), () => IsOver(FurtherShare));
            Interlocked.Add(ref _sequences, batch.Length);
            Parallel.ForEach(survivors, new ParallelOptions { MaxDegreeOfParallelism = _options.Workers }, i =>
            {
                List<ReachedSequence> reaching = Reaching(i, batch);
                if (reaching.Count == 0 || IsOver(1))
                    return;
                Kill kill = judges.Value!.Judge(_mutants[i].Apply(_fast), reaching);
                verdicts[i] = verdicts[i]! with { Conformance = kill, Reached = verdicts[i]!.Reached + reaching.Count };
                if (!kill.IsKilled)
                    return;
                if (verdicts[i]!.Shadow is null)
                    Interlocked.Decrement(ref _survivors);
                verdicts[i] = verdicts[i]! with { Shadow = null };
            });
        }
    }

    private sealed record Material(ReachedSequence[] Random, ReachedSequence[] Sweeps, ReachedSequence[] Recordings, ReachedSequence[] Sound);
}
