using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Shrinking;

/// <summary>
/// The passes that bring together what belongs together, so that a person reads one object being built after the other:
/// calls that build a vCPU or an S-EPT follow each other, and what prepares a call stands before it.
/// </summary>
internal static class Moves
{
    /// <summary>A call that builds an object comes directly behind the one before that builds the same.</summary>
    public static ShrinkPass Builders { get; } = new(
        events => events.Count,
        (events, place) =>
        {
            if (place == 0 || Built(events[place].Event) is not { } built)
                return null;
            int before = events.FindLastIndex(place - 1, place, planned => Built(planned.Event) == built);
            return before < 0 || before == place - 1 ? null : Moved(events, place, before + 1);
        });

    /// <summary>What a vCPU will do, or memory that is written, comes directly before the call that uses it.</summary>
    public static ShrinkPass Preparations { get; } = new(
        events => events.Count,
        (events, place) =>
        {
            TraceEvent e = events[place].Event;
            if (e.Kind is not (TraceEventKind.Guest or TraceEventKind.Write))
                return null;
            ulong page = EventOperands.Pages(e).Single();
            int use = events.FindIndex(place + 1, planned => Uses(planned.Event, e.Kind) && EventOperands.Pages(planned.Event).Contains(page));
            return use <= place + 1 ? null : Moved(events, place, use - 1);
        });

    private static (char Kind, ulong Page)? Built(in TraceEvent e) => e.Kind != TraceEventKind.Seamcall ? null : (HostLeaf)LeafNames.Number(e.Input.Rax) switch
    {
        HostLeaf.TDH_VP_CREATE or HostLeaf.TDH_VP_INIT => ('v', e.Input.Rcx),
        HostLeaf.TDH_VP_ADDCX => ('v', e.Input.Rdx),
        HostLeaf.TDH_MNG_CREATE or HostLeaf.TDH_MNG_KEY_CONFIG => ('t', e.Input.Rcx),
        HostLeaf.TDH_MNG_ADDCX => ('t', e.Input.Rdx),
        HostLeaf.TDH_MEM_SEPT_ADD => ('s', e.Input.Rdx),
        _ => null,
    };

    private static bool Uses(in TraceEvent e, TraceEventKind preparation) => preparation == TraceEventKind.Write
        ? e.Kind == TraceEventKind.Seamcall
        : e.Kind is TraceEventKind.Enter or TraceEventKind.Seamcall && (HostLeaf)LeafNames.Number(e.Input.Rax) == HostLeaf.TDH_VP_ENTER;

    private static List<PlannedEvent> Moved(List<PlannedEvent> events, int from, int to)
    {
        List<PlannedEvent> moved = [.. events];
        moved.RemoveAt(from);
        moved.Insert(to, events[from]);
        return moved;
    }
}
