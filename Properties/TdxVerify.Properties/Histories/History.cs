using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Histories;

/// <summary>
/// The events of a sequence, with what a search wants to know of them beforehand: where a call ends and how, with what it
/// overlaps, and which events have the same time.
/// </summary>
/// <remarks>
/// Events at one time form a group and overlap: only what one processor did is in order. A guest event belongs to the
/// begin that follows it, a guest-result to the end before it.
/// </remarks>
internal sealed class History(LeafSet<BranchingState> leaves)
{
    /// <summary>A search notes with one bit each which events of a group it has passed.</summary>
    public const int LargestGroup = 64;

    private static readonly LeafOperand s_entered = LeafOperands.Of(HostLeaf.TDH_VP_ENTER)[0];

    private readonly List<TraceEvent> _events = [];
    private readonly List<Entry> _entries = [];
    private readonly List<int> _open = [];

    /// <summary>How many events there are.</summary>
    public int Count => _events.Count;

    /// <summary>An event.</summary>
    public ref readonly TraceEvent this[int e] => ref CollectionsMarshal.AsSpan(_events)[e];

    /// <summary>What the call that begins here, or the event itself, was seen to use.</summary>
    public Footprint Footprint(int e) => _entries[e].Footprint ??= new Footprint();

    /// <summary>The same; null: nothing was seen yet.</summary>
    public Footprint? KnownFootprint(int e) => _entries[e].Footprint;

    /// <summary>The end of the call that begins here; the event itself where it is no begin; <see cref="int.MaxValue"/>: it never ends.</summary>
    public int End(int e) => _entries[e].End;

    /// <summary>How the call that begins here is recorded to end.</summary>
    public ref readonly RecordedEnd Recorded(int e) => ref _entries[e].Recorded;

    /// <summary>No call is in flight, and the one that begins here overlaps with another.</summary>
    public bool StartsOverlap(int e) => _entries[e].StartsOverlap;

    /// <summary>The call that begins here overlaps with another.</summary>
    public bool Overlaps(int e) => _entries[e].Overlaps;

    /// <summary>The first event of a later time.</summary>
    public int GroupEnd(int e) => _entries[e].GroupEnd;

    /// <summary>The event of the same time that must have been passed before this one; -1: none.</summary>
    public int Before(int e) => _entries[e].Before;

    /// <summary>Forgets all events.</summary>
    public void Clear()
    {
        _events.Clear();
        _entries.Clear();
        _open.Clear();
    }

    /// <summary>Adds events, from one point where no call is in flight up to another.</summary>
    /// <exception cref="InputException">Too many events have the same time.</exception>
    public void Add(ReadOnlySpan<TraceEvent> events)
    {
        int first = _events.Count;
        _events.AddRange(events);
        for (int e = first; e < _events.Count; e++)
            _entries.Add(new Entry(e));
        for (int start = first; start < _events.Count; start = _entries[start].GroupEnd)
            Group(start);
        FindResults(first);
        FindOverlaps(first);
    }

    // What a vCPU was told and carried out stays as it is until it is told something else, whatever it enters meanwhile.
    private void FindResults(int first)
    {
        var shown = new Dictionary<ulong, int>();
        for (int e = _events.Count - 1; e >= first; e--)
        {
            ref readonly TraceEvent current = ref this[e];
            if (current.Kind == TraceEventKind.GuestResult)
                shown[current.Hpa] = e;
            else if (current.Kind == TraceEventKind.Guest)
                shown.Remove(current.Hpa);
            else if (current.Kind is TraceEventKind.End or TraceEventKind.Seamcall && (HostLeaf)LeafNames.Number(current.Input.Rax) == HostLeaf.TDH_VP_ENTER)
                _entries[e].Result = s_entered.PageOf(current.Input) is { } vcpu ? shown.GetValueOrDefault(vcpu, -1) : -1;
        }
    }

    private void Group(int start)
    {
        int end = start + 1;
        if (TimeAt(start) is { } time)
        {
            while (end < _events.Count && TimeAt(end) == time)
                end++;
        }

        if (end - start > LargestGroup)
            throw new InputException($"line {this[start].Line}: {end - start} events have the same time {TimeAt(start)}; a history is judged with up to {LargestGroup}");
        for (int e = start; e < end; e++)
        {
            _entries[e].GroupEnd = end;
            for (int before = e - 1; before >= start && _entries[e].Before < 0; before--)
            {
                if (this[BeginOrEnd(before)].Lp == this[BeginOrEnd(e)].Lp)
                    _entries[e].Before = before;
            }
        }
    }

    // When an event is: a guest event when the call begins that it is meant for, a guest-result when its call ends.
    private long? TimeAt(int e) => this[BeginOrEnd(e)] is { Kind: TraceEventKind.Begin or TraceEventKind.End } at ? at.Time : null;

    private int BeginOrEnd(int e)
    {
        int at = e;
        while (this[at].Kind == TraceEventKind.Guest && at + 1 < _events.Count)
            at++;
        while (this[at].Kind == TraceEventKind.GuestResult && at > 0)
            at--;
        return at;
    }

    private void FindOverlaps(int first)
    {
        int quiet = -1;
        for (int e = first; e < _events.Count; e++)
        {
            ref readonly TraceEvent current = ref this[e];
            switch (current.Kind)
            {
                case TraceEventKind.Begin:
                    if (_open.Count == 0 && !MarkEndedNow(e))
                        quiet = e;
                    _open.Add(e);
                    _entries[e].End = int.MaxValue;
                    break;
                case TraceEventKind.End:
                    Close(e);
                    break;
                case TraceEventKind.Seamcall:
                    _entries[e].Recorded = RecordedEnd.Of(current.Output, e, _entries[e].Result, leaves.Host(current.Input.Rax));
                    break;
                default:
                    break;
            }

            if (_open.Count > 0 && e != quiet && current.Kind != TraceEventKind.End)
                MarkOverlap(quiet, e);
        }
    }

    // A call that begins when others end still overlaps with these.
    private bool MarkEndedNow(int e)
    {
        bool found = false;
        for (int ended = e - 1; ended >= 0 && _entries[ended].GroupEnd == _entries[e].GroupEnd; ended--)
        {
            if (_events[ended].Kind != TraceEventKind.End)
                continue;
            _entries[_entries[ended].Begin].Overlaps = true;
            found = true;
        }

        return found;
    }

    private void MarkOverlap(int quiet, int e)
    {
        _entries[quiet].StartsOverlap = true;
        _entries[e].Overlaps = true;
        foreach (int open in _open)
            _entries[open].Overlaps = true;
    }

    private void Close(int e)
    {
        int place = _open.FindIndex(begin => _events[begin].Id == _events[e].Id);
        if (place < 0)
            return;
        int begin = _open[place];
        _entries[begin].End = e;
        _entries[e].Begin = begin;
        _entries[begin].Recorded = RecordedEnd.Of(_events[e].Output, e, _entries[e].Result, leaves.Host(_events[e].Input.Rax));
        _open.RemoveAt(place);
    }

    private sealed class Entry(int e)
    {
        public Footprint? Footprint;
        public RecordedEnd Recorded = RecordedEnd.Unknown;
        public int End = e;
        public int Begin = e;
        public int GroupEnd = e + 1;
        public int Before = -1;
        public int Result = -1;
        public bool StartsOverlap;
        public bool Overlaps;
    }
}
