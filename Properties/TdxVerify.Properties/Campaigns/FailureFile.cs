using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Campaigns;

/// <summary>A failing sequence as a trace file, which every command that takes a trace can read.</summary>
public static class FailureFile
{
    /// <summary>Carries the sequence out once more and writes it with its answers.</summary>
    /// <param name="path">The file; gzip where it ends in .gz.</param>
    /// <param name="runner">The runner on which it failed.</param>
    /// <param name="implementation">What gave the answers.</param>
    /// <param name="events">The sequence.</param>
    public static void Write(string path, EventRunner runner, string implementation, IReadOnlyList<PlannedEvent> events)
    {
        using var writer = TraceWriter.Create(path, new TraceHeader { Implementation = implementation, Platform = runner.Model.Platform });
        writer.Write(TraceEvent.OfReset(0));
        runner.Reset();
        foreach (PlannedEvent planned in events)
        {
            TraceEvent e = planned.Event;
            RunFailure? failure = runner.Step(ref e, planned.Choice, 0);
            if (!runner.Last.Happened)
                continue;
            writer.Write(e);
            if (runner.LastGuestResult is { } result)
                writer.Write(result);
            if (failure is not null)
                return;
        }
    }

    /// <summary>The events of a trace's sequence, to be carried out again. Choice points fail where the recorded answer says so.</summary>
    /// <param name="sequence">The sequence.</param>
    public static IReadOnlyList<PlannedEvent> Plan(TraceSequence sequence) => [.. sequence.Events.Select(e => PlannedEvent.AsAnswered(e))];
}
