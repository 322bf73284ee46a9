using System.Numerics;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Generation;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Shrinking;

/// <summary>The passes that make events simpler: what does not matter becomes 0, or what it usually is.</summary>
internal static class Simplifications
{
    // The whole, its halves, quarters, ... sixteenths.
    private const int PartsOfSequence = 31;
    private const int Few = 120;
    private const ulong VersionMask = 0xFF_0000;
    private const ulong PageMask = 0x000F_FFFF_FFFF_F000;

    private static readonly byte[] s_parameters = TdParamsImage.Build(
        septVeDisable: false, fiveLevels: false, wideGpa: false, maxVcpus: 8, illegal: -1, mayNameL2Vms: false);

    private static readonly Register[] s_registers = [.. RegisterFile.All[1..]];

    private delegate void Edit(ref TraceEvent e);

    private static readonly Edit[] s_edits =
    [
        static (ref TraceEvent e) => e.Input.Rax &= ~VersionMask,
        .. s_registers.Select<Register, Edit>(register => (ref TraceEvent e) => e.Input[register] &= PageMask),
        .. s_registers.Select<Register, Edit>(register => (ref TraceEvent e) => e.Input[register] = 0),
        static (ref TraceEvent e) => e.Access = e.Operation == GuestOperationKind.Access ? GuestAccess.Read : e.Access,
        Idle,
        static (ref TraceEvent e) => e.Data = e.Kind == TraceEventKind.Write ? s_parameters : e.Data,
        static (ref TraceEvent e) => e.Lp = 0,
    ];

    /// <summary>All events of a part of the sequence at once: long sequences would take too long one by one.</summary>
    public static ShrinkPass Parts { get; } = new(
        _ => s_edits.Length * PartsOfSequence,
        (events, place) =>
        {
            (int edit, int part) = Math.DivRem(place, PartsOfSequence);
            (int start, int end) = PartOf(events.Count, part);
            List<PlannedEvent> simpler = [.. events];
            bool hasChanged = false;
            for (int i = start; i < end; i++)
            {
                TraceEvent e = simpler[i].Event;
                s_edits[edit](ref e);
                hasChanged |= !IsSame(e, simpler[i].Event);
                simpler[i] = simpler[i] with { Event = e };
            }

            return hasChanged ? simpler : null;
        });

    /// <summary>One event.</summary>
    public static ShrinkPass Events { get; } = new(
        events => events.Count > Few ? 0 : events.Count * s_edits.Length,
        (events, place) =>
        {
            (int position, int edit) = Math.DivRem(place, s_edits.Length);
            TraceEvent e = events[position].Event;
            s_edits[edit](ref e);
            return IsSame(e, events[position].Event) ? null : Replace(events, position, events[position] with { Event = e });
        });

    /// <summary>The pass that lets no choice point fail.</summary>
    public static ShrinkPass Choices { get; } = new(
        events => events.Count,
        (events, place) => events[place].Choice == ChoicePoint.None
            ? null
            : Replace(events, place, events[place] with { Choice = ChoicePoint.None }));

    /// <summary>The pass in which the host, and not a guest, holds a lock: it drops the lock as what it took it.</summary>
    public static ShrinkPass Locks { get; } = new(
        events => events.Count,
        (events, place) =>
        {
            LockOperation held = events[place].Event.Lock;
            if (events[place].Event.Kind != TraceEventKind.Lock || !held.Guest)
                return null;
            List<PlannedEvent> byHost = [.. events];
            for (int i = 0; i < byHost.Count; i++)
            {
                if (byHost[i].Event.Kind is TraceEventKind.Lock or TraceEventKind.Unlock && byHost[i].Event.Lock == held)
                    byHost[i] = byHost[i] with { Event = byHost[i].Event with { Lock = held with { Guest = false } } };
            }

            return byHost;
        });

    // Parts are numbered as in a heap; the last, which is tried first, is the whole.
    private static (int Start, int End) PartOf(int count, int part)
    {
        int number = PartsOfSequence - part;
        int level = BitOperations.Log2((uint)number);
        int index = number - (1 << level);
        return ((count * index) >> level, (count * (index + 1)) >> level);
    }

    private static void Idle(ref TraceEvent e)
    {
        if (e.Kind == TraceEventKind.Guest)
            e = TraceEvent.OfGuest(e.Hpa, new GuestOperation { Kind = GuestOperationKind.Idle });
    }

    private static List<PlannedEvent> Replace(List<PlannedEvent> events, int position, PlannedEvent by)
    {
        List<PlannedEvent> replaced = [.. events];
        replaced[position] = by;
        return replaced;
    }

    private static bool IsSame(in TraceEvent e, in TraceEvent other) =>
        e.Lp == other.Lp && e.Input == other.Input && e.Operation == other.Operation && e.Access == other.Access
        && (e.Data ?? []).AsSpan().SequenceEqual(other.Data);
}
