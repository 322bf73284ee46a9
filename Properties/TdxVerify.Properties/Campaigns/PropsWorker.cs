using FsCheck;
using FsCheck.Fluent;
using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Runs;
using TdxVerify.Properties.Shrinking;

namespace TdxVerify.Properties.Campaigns;

/// <summary>One worker of a property run: FsCheck draws streams, runs them against the laws, and shrinks a failing one.</summary>
public sealed class PropsWorker : IDisposable
{
    private const int SequencesPerRound = 8;

    private readonly PropsOptions _options;
    private readonly IPort? _port;
    private readonly Arbitrary<ChoiceStream> _streams;
    private SequenceRunner? _shrinking;
    private ChoiceStream? _firstFailing;
    private ChoiceStream? _failing;
    private RunFailure? _failure;
    private DateTime _shrinkUntil;
    private volatile bool _isStopped;

    /// <summary>A worker with its own port, model and laws.</summary>
    public PropsWorker(PropsOptions options)
    {
        _options = options;
        _port = options.OpenPort?.Invoke();
        _streams = Arb.From(
            Gen.Choose(int.MinValue, int.MaxValue).Two()
                .Select(halves => ChoiceStream.FromSeed(((ulong)(uint)halves.Item1 << 32) | (uint)halves.Item2, options.Operations)),
            Shrinker());
        Runner = new EventRunner(ModelPorts.Observed(options.Platform), _port, SelectLaws(options, _port is not null));
        Sequences = new SequenceRunner(Runner, options.Limits);
    }

    /// <summary>The runner.</summary>
    public EventRunner Runner { get; }

    /// <summary>The runner of sequences.</summary>
    public SequenceRunner Sequences { get; }

    /// <summary>Calls so far; may be read by others while the worker runs.</summary>
    public long Calls => Runner.Calls;

    /// <summary>A law is broken, and the sequence is being made small.</summary>
    public bool IsShrinking => _shrinking is not null;

    /// <summary>Makes a sequence no smaller than it is now.</summary>
    public void StopShrinking() => _isStopped = true;

    /// <summary>The laws of a run.</summary>
    public static IReadOnlyList<Law> SelectLaws(PropsOptions options, bool hasPort)
    {
        List<Law> laws = hasPort ? [new ConformanceLaw()] : [];
        laws.AddRange(LawBook.Create());
        return options.Laws.Count == 0 ? laws : [.. laws.Where(law => options.Laws.Contains(law.Name))];
    }

    /// <summary>Runs rounds of sequences until <paramref name="stop"/> says so or a law is broken.</summary>
    /// <param name="nextRound">Gives each round of the whole run its number.</param>
    /// <param name="stop">The run is over.</param>
    public FoundFailure? Run(Func<long> nextRound, Func<bool> stop)
    {
        while (!stop())
        {
            if (RunRound(nextRound(), stop) is { } failure)
                return failure;
        }

        return null;
    }

    /// <summary>Runs the sequences of one round, or those of them that begin before <paramref name="stop"/> says so.</summary>
    /// <param name="round">The number of the round: with the seed it decides what the sequences are.</param>
    /// <param name="stop">The run is over.</param>
    public FoundFailure? RunRound(long round, Func<bool> stop)
    {
        Property property = Prop.ForAll(_streams, stream => Holds(stream, stop));
        Config config = Config.Quick
            .WithMaxTest(SequencesPerRound)
            .WithRunner(SilentRunner.Instance)
            .WithReplay(new Replay(new Rnd(ChoiceStream.SeedOf(_options.Seed, (ulong)round)), null));
        Check.One(config, property);
        return _failing is null ? null : Minimize();
    }

    /// <summary>Runs one stream and makes a failure small.</summary>
    public FoundFailure? RunOne(ChoiceStream stream)
    {
        Property property = Prop.ForAll(Arb.From(Gen.Constant(stream), Shrinker()), candidate => Holds(candidate, () => false));
        Check.One(Config.Quick.WithMaxTest(1).WithRunner(SilentRunner.Instance), property);
        return _failing is null ? null : Minimize();
    }

    /// <summary>Carries events out and makes a failure small.</summary>
    public FoundFailure? RunOne(IReadOnlyList<PlannedEvent> events) =>
        PlanRunner.Run(Runner, events) is { } failure ? Minimize(events, failure, _options.ShrinkTime) with { OriginalEvents = events.Count } : null;

    /// <inheritdoc/>
    public void Dispose() => _port?.Dispose();

    private Func<ChoiceStream, IEnumerable<ChoiceStream>> Shrinker()
    {
        var shrinker = new StreamShrinker();
        return stream => shrinker.Shrink(stream, _failure is null ? stream.Operations : _failure.Operation + 1);
    }

    // The candidates of a shrink are no part of the run: another runner counts them, on the same port.
    private SequenceRunner StartShrinking() => _shrinking ??=
        new SequenceRunner(new EventRunner(ModelPorts.Observed(_options.Platform), _port, SelectLaws(_options, _port is not null)), _options.Limits);

    private bool Holds(ChoiceStream stream, Func<bool> stop)
    {
        if (_failure is null ? stop() : _isStopped || DateTime.UtcNow >= _shrinkUntil)
            return true;
        RunFailure? failure = (_shrinking ?? Sequences).Run(stream);
        if (failure is null || (_failure is not null && !failure.IsLike(_failure)))
            return true;
        if (_failure is null)
        {
            StartShrinking();
            _shrinkUntil = DateTime.UtcNow + (_options.ShrinkTime / 3);
            _firstFailing = stream;
        }

        _failing = stream;
        _failure = failure;
        return false;
    }

    private FoundFailure Minimize()
    {
        var original = new List<PlannedEvent>();
        SequenceRunner sequences = StartShrinking();
        sequences.Run(_firstFailing!, original);
        var events = new List<PlannedEvent>();
        RunFailure failure = sequences.Run(_failing!, events) ?? _failure!;
        return Minimize(events, failure, _options.ShrinkTime * 2 / 3) with
        {
            Seed = _firstFailing!.Seed, Operations = _firstFailing.Operations, OriginalEvents = original.Count,
        };
    }

    private FoundFailure Minimize(IReadOnlyList<PlannedEvent> events, RunFailure failure, TimeSpan time)
    {
        (IReadOnlyList<PlannedEvent> smallest, RunFailure last) = new EventShrinker(StartShrinking().Events, time, () => _isStopped).Shrink(events, failure);
        return new FoundFailure(last, smallest) { OriginalEvents = events.Count };
    }
}
