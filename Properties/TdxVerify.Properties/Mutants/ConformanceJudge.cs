using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Mutants;

/// <summary>
/// Replays sequences on a mutant until it answers differently. One judge a thread: it keeps one state for all mutants.
/// </summary>
/// <remarks>
/// Every call of a mutant ends: a list of steps has no jump back, and each loop inside a step is bounded by an array
/// that it indexes. A mutant that leaves its arrays throws, and is killed by that. Its choice points fail as they did
/// when the sequence was made, so its answers are determined.
/// </remarks>
public sealed class ConformanceJudge(PlatformInfo platform)
{
    private readonly ArraysState _state = new(platform);

    /// <summary>Events replayed.</summary>
    public long Events { get; private set; }

    /// <summary>The first difference; <see cref="Kill.None"/>: all answers were the same.</summary>
    public Kill Judge(LeafSet<ArraysState> leaves, IEnumerable<ReachedSequence> sequences)
    {
        var port = new ModelPort<ArraysState>(_state, leaves);
        var choices = new PlannedChoices(port);
        var replayer = new PortReplayer(port, choices);
        foreach (ReachedSequence sequence in sequences)
        {
            if (Judge(replayer, choices, sequence) is { } kill)
                return kill with { Sequence = sequence };
        }

        return Kill.None;
    }

    private Kill? Judge(PortReplayer replayer, PlannedChoices choices, ReachedSequence sequence)
    {
        int position = 0;
        try
        {
            for (; position < sequence.Events.Length; position++)
            {
                Events++;
                ref readonly TraceEvent e = ref sequence.Events[position];
                choices.Plan(sequence.Choices[position], sequence.AlsoFail[position]);
                if (replayer.Step(e) is { } stop)
                    return new Kill(By(sequence.Source), $"{sequence.Name}, event {position}: {stop.Reason}");
            }
        }
        catch (Exception thrown)
        {
            return new Kill(KilledBy.Crash, $"{sequence.Name}, event {position}: {thrown.GetType().Name}");
        }

        return null;
    }

    private static KilledBy By(SequenceSource source) => source switch
    {
        SequenceSource.Random => KilledBy.RandomSequence,
        SequenceSource.Sweep or SequenceSource.Script => KilledBy.Sweep,
        _ => KilledBy.Recording,
    };
}
