using System.Numerics;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Histories;

/// <summary>A place in a history: all events before one, and those of its group that were passed.</summary>
/// <param name="Event">The first event of the group.</param>
/// <param name="Passed">One bit for each event of the group.</param>
internal readonly record struct Cursor(int Event, ulong Passed);

/// <summary>
/// A configuration on its way through a history: begins calls, passes the ends of those that have ended, and learns what
/// each of them uses.
/// </summary>
internal sealed class Playback(Configuration configuration, History history)
{
    private Cursor _cursor;

    /// <summary>Where it is.</summary>
    public Cursor Cursor
    {
        get => _cursor;
        set
        {
            _cursor = value;
            FindGoals();
        }
    }

    /// <summary>Events from here on are left out.</summary>
    public int Cut { get; set; }

    /// <summary>How calls end from here on is unknown.</summary>
    public int Known { get; set; }

    /// <summary>The processors of the calls that end next, one bit each: events wait for these.</summary>
    public int Goals { get; private set; }

    /// <summary>Everything up to the cut was passed.</summary>
    public bool IsDone => _cursor.Event >= Cut;

    /// <summary>The next event that was not passed.</summary>
    public int Next => _cursor.Event + BitOperations.TrailingZeroCount(~_cursor.Passed);

    /// <summary>It is known how the call ends.</summary>
    public bool IsEndKnown(int call) => history.End(call) < Known;

    /// <summary>It is known what this event says.</summary>
    public bool IsKnown(int e) => e < Known;

    /// <summary>An event was passed.</summary>
    public bool IsPassed(int e) => e < _cursor.Event || (e - _cursor.Event < History.LargestGroup && (_cursor.Passed >> (e - _cursor.Event) & 1) != 0);

    /// <summary>The next event that can be passed now; false: there is none, some call has to make a step first.</summary>
    public bool TryNext(out int e)
    {
        int end = Math.Min(history.GroupEnd(_cursor.Event), Cut);
        for (e = _cursor.Event; e < end; e++)
        {
            if (!IsPassed(e) && (history.Before(e) < 0 || IsPassed(history.Before(e))) && IsReady(e))
                return true;
        }

        return false;
    }

    /// <summary>Notes that an event was passed.</summary>
    public void Pass(int e)
    {
        _cursor = _cursor with { Passed = _cursor.Passed | (1UL << (e - _cursor.Event)) };
        int end = Math.Min(history.GroupEnd(_cursor.Event), Cut);
        if (BitOperations.PopCount(_cursor.Passed) == end - _cursor.Event)
            _cursor = new Cursor(end, 0);
        FindGoals();
    }

    /// <summary>A call begins.</summary>
    public void Begin(int e)
    {
        ref readonly TraceEvent current = ref history[e];
        uint choices = history.End(e) < history.Count ? ChoiceStatuses.SetOf(history[history.End(e)].Output.Rax) : 0;
        configuration.Begin(e, current.Lp, current.Input, choices);
    }

    /// <summary>An event between calls; false: it does not hold here. True: <paramref name="hasLearnt"/> tells whether it used anything new.</summary>
    /// <exception cref="InputException">It is of a kind that is not judged.</exception>
    public bool Carry(int e, out bool hasLearnt)
    {
        configuration.NoteAccesses();
        bool holds = Carry(history[e]);
        configuration.StopNoting();
        hasLearnt = configuration.InFlight != 0 && history.Footprint(e).Add(0, configuration.Accesses.Accesses);
        return holds;
    }

    /// <summary>A call makes one visible step; true: it used something new.</summary>
    public bool Step(int lp)
    {
        int call = configuration.Call(lp);
        if (!history.Overlaps(call))
        {
            configuration.Step(lp);
            return false;
        }

        int place = configuration.Place(lp);
        configuration.NoteAccesses();
        configuration.Step(lp);
        configuration.StopNoting();
        return history.Footprint(call).Add(place, configuration.Accesses.Accesses);
    }

    // An end waits for its call; a SEAMCALL that nothing overlaps with is begin and end.
    private bool IsReady(int e) => history[e].Kind switch
    {
        TraceEventKind.End => configuration.HasEnded(history[e].Lp),
        TraceEventKind.Seamcall => !configuration.IsInFlight(history[e].Lp) || configuration.HasEnded(history[e].Lp),
        _ => true,
    };

    private bool Carry(in TraceEvent current)
    {
        switch (current.Kind)
        {
            case TraceEventKind.Reset:
                return true;
            case TraceEventKind.Guest:
                // Told for an entry that is going to find no vCPU, another call having taken it away: then nothing comes of it.
                if (configuration.TryFindVcpu(current.Hpa, out int told))
                    configuration.Submit(told, current.GuestOperation);
                return true;
            case TraceEventKind.GuestResult:
                // What is recorded of a vCPU that is gone is the recorder's own memory of it.
                return !configuration.TryFindVcpu(current.Hpa, out int vcpu) || RecordedEnd.IsAsRecorded(configuration.Result(vcpu), current);
            case TraceEventKind.Write:
                configuration.Write(current);
                return true;
            case TraceEventKind.Interrupt:
                configuration.State.SetGlobal(GlobalField.InterruptPending, current.Pending ? 1UL : 0);
                return true;
            default:
                throw new InputException($"line {current.Line}: lock, unlock, enter and exit are not judged in a sequence in which calls overlap");
        }
    }

    private void FindGoals()
    {
        Goals = 0;
        if (IsDone)
            return;
        int end = Math.Min(history.GroupEnd(_cursor.Event), Cut);
        for (int e = _cursor.Event; e < end; e++)
        {
            if (history[e].Kind is TraceEventKind.End or TraceEventKind.Seamcall && !IsPassed(e))
                Goals |= 1 << history[e].Lp;
        }
    }
}
