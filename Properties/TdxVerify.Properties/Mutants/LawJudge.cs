using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Generation;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Mutants;

/// <summary>
/// Runs streams on a mutant that no port is compared with: only the laws can tell that something is wrong. One judge a
/// thread: it keeps one state for all mutants.
/// </summary>
public sealed class LawJudge(PlatformInfo platform)
{
    // A mutant that throws does so again and again; some streams may still get a law to speak first.
    private const int MaximumCrashes = 6;

    private readonly ObservedState _state = new(platform);

    /// <summary>Calls carried out.</summary>
    public long Calls { get; private set; }

    /// <summary>The law that the declared model itself breaks on a sequence; null: it keeps all of them.</summary>
    public string? Unsound(LeafSet<ObservedState> declared, ReachedSequence sequence) =>
        Judge(declared, [sequence]) is { IsKilled: true } broken ? broken.Reason : null;

    /// <summary>The first broken law; a crash, if there was one and no law was broken; or <see cref="Kill.None"/>.</summary>
    public Kill Judge(LeafSet<ObservedState> leaves, IEnumerable<ReachedSequence> sequences)
    {
        var events = new EventRunner(new ModelPort<ObservedState>(_state, leaves), null, LawBook.Create());
        var runner = new SequenceRunner(events, GenerationLimits.None);
        Kill crash = Kill.None;
        int crashes = 0;
        foreach (ReachedSequence sequence in sequences)
        {
            ChoiceStream stream = sequence.Stream!;
            try
            {
                if (runner.Run(stream) is { } failure)
                    return new Kill(KilledBy.Law, $"{failure.Law}, {sequence.Name}, operation {failure.Operation}: {failure.Reason}", failure.Law);
            }
            catch (Exception thrown)
            {
                // The generator, which follows the mutant's state, throws as well where that state cannot be.
                crash = new Kill(KilledBy.Crash, $"{sequence.Name}: {thrown.GetType().Name}");
                if (++crashes == MaximumCrashes)
                    break;
            }
            finally
            {
                Calls = events.Calls;
            }
        }

        return crash;
    }
}
