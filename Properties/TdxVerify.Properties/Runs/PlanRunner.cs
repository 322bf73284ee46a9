using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Runs;

/// <summary>Carries a fixed sequence of events out, as it was generated, recorded, or made smaller.</summary>
public static class PlanRunner
{
    /// <summary>Carries the events out on a fresh platform, those left out that earlier ones no longer prepare.</summary>
    /// <param name="runner">The runner.</param>
    /// <param name="events">The events.</param>
    /// <param name="answered">Takes those that were carried out, with their answers; null: they are not kept.</param>
    /// <returns>The first broken law; null: all held.</returns>
    public static RunFailure? Run(EventRunner runner, IReadOnlyList<PlannedEvent> events, List<PlannedEvent>? answered = null)
    {
        runner.Reset();
        for (int i = 0; i < events.Count; i++)
        {
            TraceEvent e = events[i].Event;
            if (!IsPossible(runner, e))
                continue;
            RunFailure? failure = runner.Step(ref e, events[i].Choice, i);
            if (runner.Last.Happened)
                answered?.Add(events[i] with { Event = e });
            if (failure is not null)
                return failure;
        }

        return null;
    }

    /// <summary>The event can happen now: no exit without a guest, no unlock without a lock.</summary>
    internal static bool IsPossible(EventRunner runner, in TraceEvent e)
    {
        ref ObservedState s = ref runner.Model.Machine.State;
        return e.Kind switch
        {
            TraceEventKind.Exit => s.Lp(e.Lp, LpField.RunningVcpu) != 0,
            TraceEventKind.Seamcall or TraceEventKind.Enter => s.Lp(e.Lp, LpField.RunningVcpu) == 0,
            TraceEventKind.Unlock => runner.Model.HeldLocks.Contains(e.Lock),
            TraceEventKind.Reset or TraceEventKind.GuestResult => false,
            _ => true,
        };
    }
}
