using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Histories;

namespace TdxVerify.Properties.Threads;

/// <summary>
/// Makes a failing history small: takes calls out of the recording, and keeps what is left if the same answer still is the
/// first without an explanation.
/// </summary>
/// <remarks>
/// Nothing is carried out again, since threads do not meet the same way twice. So a call can only go if no answer
/// that stays depends on it: first whole rounds, then single calls, over and over until nothing goes any more.
/// </remarks>
internal sealed class HistoryShrinker(HistoryJudge judge, CancellationToken stop)
{
    /// <summary>Calls that ended among events.</summary>
    public static int CallsIn(IEnumerable<TraceEvent> events) => events.Count(e => e.Kind is TraceEventKind.End or TraceEventKind.Seamcall);

    /// <summary>The smallest history found, up to the event that has no explanation.</summary>
    public (IReadOnlyList<TraceEvent> Events, HistoryFinding Finding) Shrink(IReadOnlyList<TraceEvent> events, HistoryFinding finding)
    {
        List<TraceEvent> smallest = [.. events.Take(finding.Position + 1)];
        int before;
        do
        {
            before = smallest.Count;
            foreach (Func<List<TraceEvent>, List<HashSet<int>>> cuts in (Func<List<TraceEvent>, List<HashSet<int>>>[])[Rounds, Calls])
            {
                List<HashSet<int>> candidates = cuts(smallest);
                for (int i = candidates.Count - 1; i >= 0 && !IsOver; i--)
                {
                    List<TraceEvent> left = [.. smallest.Where((_, place) => !candidates[i].Contains(place))];
                    if (Fails(left, finding.Event) is not { } found)
                        continue;
                    finding = found;
                    smallest = left;
                    // What stood before the cut stands where it did.
                    candidates.RemoveRange(i, candidates.Count - i);
                }
            }
        }
        while (smallest.Count < before && !IsOver);
        return (smallest, finding);
    }

    private bool IsOver => stop.IsCancellationRequested;

    private HistoryFinding? Fails(List<TraceEvent> events, TraceEvent at)
    {
        judge.Reset();
        try
        {
            return judge.Judge([.. events], stop) is { } found && found.Position == events.Count - 1 && IsSame(found.Event, at) ? found : null;
        }
        catch (Exception e) when (e is UndecidedHistoryException or OperationCanceledException)
        {
            return null;
        }
    }

    private static bool IsSame(in TraceEvent a, in TraceEvent b) =>
        a.Kind == b.Kind && a.Id == b.Id && a.Lp == b.Lp && a.Hpa == b.Hpa && a.Input == b.Input && a.Output == b.Output;

    // From one point where no call is in flight to the next.
    private static List<HashSet<int>> Rounds(List<TraceEvent> events)
    {
        var rounds = new List<HashSet<int>>();
        HashSet<int> current = [];
        int open = 0;
        for (int i = 0; i < events.Count - 1; i++)
        {
            open += events[i].Kind switch { TraceEventKind.Begin => 1, TraceEventKind.End => -1, _ => 0 };
            if (events[i].Kind == TraceEventKind.Seamcall)
                continue;
            current.Add(i);
            if (open != 0 || events[i + 1].Kind == TraceEventKind.GuestResult || events[i].Kind is TraceEventKind.Guest or TraceEventKind.Reset)
                continue;
            rounds.Add(current);
            current = [];
        }

        return rounds;
    }

    // What a vCPU was told is done by an entry that follows: without it that entry would do something else.
    private static bool IsDone(List<TraceEvent> events, int told)
    {
        for (int i = told + 1; i < events.Count; i++)
        {
            if (events[i].Kind == TraceEventKind.Guest && events[i].Hpa == events[told].Hpa)
                return false;
            if (events[i].Kind is TraceEventKind.Begin or TraceEventKind.GuestResult && (events[i].Hpa == events[told].Hpa || events[i].Input.Rcx == events[told].Hpa))
                return true;
        }

        return false;
    }

    // A call with what became of its guest operation.
    private static List<HashSet<int>> Calls(List<TraceEvent> events)
    {
        var calls = new List<HashSet<int>>();
        for (int i = 1; i < events.Count - 1; i++)
        {
            if (events[i].Kind is TraceEventKind.Seamcall or TraceEventKind.Write || (events[i].Kind == TraceEventKind.Guest && !IsDone(events, i)))
            {
                calls.Add([i]);
            }
            else if (events[i].Kind == TraceEventKind.Begin)
            {
                TraceEvent begin = events[i];
                int end = events.FindIndex(i, e => e.Kind == TraceEventKind.End && e.Id == begin.Id);
                if (end == events.Count - 1)
                    continue;
                HashSet<int> call = [i];
                if (end >= 0)
                    call.Add(end);
                if (end >= 0 && events[end + 1].Kind == TraceEventKind.GuestResult && end + 1 < events.Count - 1)
                    call.Add(end + 1);
                calls.Add(call);
            }
        }

        return calls;
    }
}
