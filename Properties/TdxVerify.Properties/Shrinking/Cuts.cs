using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Shrinking;

/// <summary>Passes that take events out. What they prepared is left out by <see cref="PlanRunner"/>, or fails and is cut next.</summary>
internal static class Cuts
{
    // Below this, cuts of every length start at every event, and every two events are tried together.
    private const int Few = 80;

    /// <summary>Many neighbouring events.</summary>
    public static IEnumerable<ShrinkPass> Long => ((int[])[512, 256, 128, 64, 32, 16, 8]).Select(Neighbours);

    /// <summary>Few neighbouring events, and single ones.</summary>
    public static IEnumerable<ShrinkPass> Short => ((int[])[4, 3, 2, 1]).Select(Neighbours);

    /// <summary>Two events that are not neighbours, such as a lock and what drops it.</summary>
    public static ShrinkPass Pairs { get; } = new(
        events => events.Count > Few ? 0 : events.Count * events.Count,
        (events, place) =>
        {
            (int first, int second) = Math.DivRem(place, events.Count);
            return first >= second ? null : [.. events.Where((_, i) => i != first && i != second)];
        });

    /// <summary>Every event that concerns a TD, a vCPU, a page or a GPA.</summary>
    public static ShrinkPass Objects { get; } = new(
        events => Named(events).Count,
        (events, place) =>
        {
            ulong name = Named(events)[place];
            List<PlannedEvent> rest = [.. events.Where(planned => !EventOperands.Pages(planned.Event).Append(EventOperands.Entry(planned.Event)).Contains(name))];
            return rest.Count == events.Count ? null : rest;
        });

    /// <summary>A whole TDH.VP.ENTER instead of its two halves, in the place of either.</summary>
    public static ShrinkPass Halves { get; } = new(
        events => 2 * events.Count,
        (events, place) =>
        {
            (int enter, int end) = Math.DivRem(place, 2);
            TraceEvent first = events[enter].Event;
            if (first.Kind != TraceEventKind.Enter)
                return null;
            int exit = events.FindIndex(enter, planned => planned.Event.Kind == TraceEventKind.Exit && planned.Event.Lp == first.Lp);
            if (exit < 0)
                return null;
            List<PlannedEvent> whole = [.. events];
            whole[end == 0 ? enter : exit] = events[enter] with { Event = TraceEvent.OfSeamcall(first.Lp, first.Input, first.Input) };
            whole.RemoveAt(end == 0 ? exit : enter);
            return whole;
        });

    private static ShrinkPass Neighbours(int size) => new(
        events => events.Count < size ? 0 : ((events.Count - size) / Stride(events, size)) + 1,
        (events, place) => Without(events, place * Stride(events, size), size));

    private static int Stride(List<PlannedEvent> events, int size) => events.Count <= Few ? 1 : size;

    private static List<PlannedEvent> Without(List<PlannedEvent> events, int start, int size)
    {
        List<PlannedEvent> rest = [.. events];
        rest.RemoveRange(start, size);
        return rest;
    }

    private static List<ulong> Named(List<PlannedEvent> events) =>
    [
        .. events.SelectMany(planned => EventOperands.Pages(planned.Event).Append(EventOperands.Entry(planned.Event))).Where(name => name != 0)
            .GroupBy(name => name).Where(group => group.Skip(1).Any()).Select(group => group.Key),
    ];
}
