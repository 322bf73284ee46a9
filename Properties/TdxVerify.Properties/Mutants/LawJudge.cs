using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Mutants;

/// <summary>
/// Carries sequences out on a mutant that no port and no recorded answer is compared with: only the laws can tell that
/// something is wrong. One judge a thread: it keeps one state and one set of laws for all mutants.
/// </summary>
public sealed class LawJudge(PlatformInfo platform)
{
    // A mutant that throws does so again and again; some sequences may still get a law to speak first.
    private const int MaximumCrashes = 6;

    private readonly ObservedState _state = new(platform);
    private readonly IReadOnlyList<Law> _laws = LawBook.Create();

    /// <summary>Events carried out.</summary>
    public long Events { get; private set; }

    /// <summary>The law that the declared model itself breaks on a sequence; null: it keeps all of them.</summary>
    public string? Unsound(LeafSet<ObservedState> declared, ReachedSequence sequence) =>
        Judge(declared, [sequence]) is { IsKilled: true } broken ? broken.Reason : null;

    /// <summary>The first broken law; a crash, if there was one and no law was broken; or <see cref="Kill.None"/>.</summary>
    /// <param name="leaves">The mutant.</param>
    /// <param name="sequences">The sequences, in the order in which they are tried.</param>
    /// <param name="maximum">Events after which no further sequence is begun.</param>
    public Kill Judge(LeafSet<ObservedState> leaves, IEnumerable<ReachedSequence> sequences, long maximum = long.MaxValue)
    {
        var runner = new EventRunner(new ModelPort<ObservedState>(_state, leaves), null, _laws);
        Kill crash = Kill.None;
        int crashes = 0;
        long start = Events;
        foreach (ReachedSequence sequence in sequences)
        {
            if (Events - start >= maximum || crashes == MaximumCrashes)
                break;
            Kill kill = Judge(runner, sequence);
            if (kill.By == KilledBy.Law)
                return kill;
            if (kill.By == KilledBy.Crash)
            {
                crash = kill;
                crashes++;
            }
        }

        return crash;
    }

    private Kill Judge(EventRunner runner, ReachedSequence sequence)
    {
        runner.Reset();
        int position = 0;
        try
        {
            for (; position < sequence.Events.Length; position++)
            {
                TraceEvent e = sequence.Events[position];
                if (!PlanRunner.IsPossible(runner, e))
                    continue;
                Events++;
                if (runner.Step(ref e, sequence.Choices[position], position) is { } failure)
                    return new Kill(KilledBy.Law, $"{failure.Law}, {sequence.Name}, event {position}: {failure.Reason}", failure.Law);
            }
        }
        catch (Exception thrown)
        {
            return new Kill(KilledBy.Crash, $"{sequence.Name}, event {position}: {thrown.GetType().Name}");
        }

        return Kill.None;
    }
}
