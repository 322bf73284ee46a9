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
    private ChoiceStream? _firstFailing;
    private ChoiceStream? _failing;
    private RunFailure? _failure;
    private DateTime? _shrinkUntil;

    /// <summary>A worker with its own port, model and laws.</summary>
    public PropsWorker(PropsOptions options)
    {
        _options = options;
        _port = options.OpenPort?.Invoke();
        _streams = Arb.From(
            Gen.Choose(int.MinValue, int.MaxValue).Two()
                .Select(halves => ChoiceStream.FromSeed(((ulong)(uint)halves.Item1 << 32) | (uint)halves.Item2, options.Operations)),
            StreamShrinker.Shrink);
        Runner = new EventRunner(ModelPorts.Observed(options.Platform), _port, SelectLaws(options, _port is not null));
        Sequences = new SequenceRunner(Runner, options.Limits);
    }

    /// <summary>The runner.</summary>
    public EventRunner Runner { get; }

    /// <summary>The runner of sequences.</summary>
    public SequenceRunner Sequences { get; }

    /// <summary>Calls so far; may be read by others while the worker runs.</summary>
    public long Calls => Runner.Calls;

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
            .WithReplay(new Replay(new Rnd(Mix(_options.Seed, (ulong)round)), null));
        Check.One(config, property);
        return _failing is null ? null : Minimize();
    }

    /// <summary>Runs one stream and makes a failure small.</summary>
    public FoundFailure? RunOne(ChoiceStream stream)
    {
        Property property = Prop.ForAll(
            Arb.From(Gen.Constant(stream), StreamShrinker.Shrink), candidate => Holds(candidate, () => false));
        Check.One(Config.Quick.WithMaxTest(1).WithRunner(SilentRunner.Instance), property);
        return _failing is null ? null : Minimize();
    }

    /// <inheritdoc/>
    public void Dispose() => _port?.Dispose();

    // The seed must have odd gamma and well mixed bits; FsCheck takes care of the first.
    private static ulong Mix(ulong seed, ulong round) => ChoiceStream.FromSeed(seed ^ (round * 0x9E37_79B9_7F4A_7C15), 1)[0, 0];

    private bool Holds(ChoiceStream stream, Func<bool> stop)
    {
        if (_shrinkUntil is { } end ? DateTime.UtcNow >= end : stop())
            return true;
        RunFailure? failure = Sequences.Run(stream);
        if (failure is null || (_failure is not null && !failure.IsLike(_failure)))
            return true;
        _shrinkUntil ??= DateTime.UtcNow + _options.ShrinkTime;
        _firstFailing ??= stream;
        _failing = stream;
        _failure = failure;
        return false;
    }

    private FoundFailure Minimize()
    {
        var original = new List<PlannedEvent>();
        Sequences.Run(_firstFailing!, original);
        var events = new List<PlannedEvent>();
        RunFailure failure = Sequences.Run(_failing!, events) ?? _failure!;
        (IReadOnlyList<PlannedEvent> smallest, RunFailure last) =
            new EventShrinker(Runner, _options.ShrinkTime).Shrink(events, failure);
        return new FoundFailure(last, smallest, _firstFailing!.Seed, _firstFailing.Operations, original.Count);
    }
}
