using System.Numerics;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Contention;

namespace TdxVerify.Properties.Histories;

/// <summary>
/// Looks for an interleaving of visible steps that explains every answer of a history: a call has no effect before it
/// begins and none after it ends.
/// </summary>
/// <remarks>
/// <para>Depth first. Of the calls in flight only those are tried that must be (<see cref="Movers"/>), a call that can no
/// longer end as recorded is given up at once, and a configuration that explained nothing is not looked at again.</para>
/// <para>Which calls must be tried depends on what each call can use, and that is learnt on the way. A segment, from one
/// point where no call is in flight to the next, is searched again from its start whenever something was learnt in it.
/// A dead end hides what the other calls in flight would have used from there on; some of it is seen by going on from dead
/// ends at random (<see cref="FootprintProbe"/>). Before a segment is left as one that has no (further) explanation, it is
/// searched once more thoroughly: a call that cannot end as recorded stops where it is, keeps its locks, and the others go
/// on; so do they all where an event between calls does not hold. That visits every interleaving of calls that stop when
/// they fail, up to the order of steps that do not conflict; if nothing new is learnt in all of it, then nothing was
/// missed before.</para>
/// </remarks>
internal sealed class HistorySearch
{
    private const long CollectingSteps = 2_000_000;

    // Up to so many dead ends a segment is begun again as soon as something was learnt, after that only at its end.
    private const int EarlyDeadEnds = 1000;

    // Each has a copy of the calls in flight: some 100 MB in all.
    private const int MostKeptChoices = 30_000;

    private const int DeadEndsAllProbed = 64;

    private const int DeadEndsPerProbe = 64;

    // Nearly all explanations that calls helping one another in turn have are found by then.
    private const int NarrowDeadEnds = 3000;

    private readonly Configuration _configuration;
    private readonly Playback _playback;
    private readonly Movers _movers;
    private readonly FootprintProbe _probe;
    private readonly HashSet<UInt128> _seen = [];
    private readonly List<Choice> _choices = [];
    private readonly List<HistoryStep> _steps = [];
    private AnswerCollector? _collector;
    private Effort _least;
    private int _segment;
    private ulong _pass;
    private int _helper = -1;

    /// <summary>A search on a platform.</summary>
    public HistorySearch(PlatformInfo platform, LeafSet<BranchingState> leaves)
    {
        History = new History(leaves);
        _configuration = new Configuration(platform, leaves);
        _playback = new Playback(_configuration, History);
        _movers = new Movers(_configuration, History, _playback);
        _probe = new FootprintProbe(_configuration, History, _playback);
        Restart(0);
    }

    /// <summary>The events.</summary>
    public History History { get; }

    /// <summary>Steps made since the search was created.</summary>
    public long Steps { get; private set; }

    /// <summary>The <see cref="Steps"/> at which a search is given up.</summary>
    public long LastStep { get; set; } = long.MaxValue;

    /// <summary>Gives a search up as well.</summary>
    public CancellationToken Stop { get; set; }

    /// <summary>The way to where the search is: where all is explained, the interleaving that explains it.</summary>
    public IReadOnlyList<HistoryStep> Explanation => _steps;

    /// <summary>The last event that all before it were explained of.</summary>
    public int Deepest { get; private set; }

    /// <summary>A new history, of which nothing is known yet.</summary>
    public void Clear()
    {
        History.Clear();
        Restart(0);
    }

    /// <summary>Begins again. What was learnt is kept.</summary>
    /// <param name="events">With so many events.</param>
    /// <param name="least">The first effort: more than the least where it is known that this finds nothing.</param>
    public void Restart(int events, Effort least = Effort.Narrow)
    {
        _least = least;
        _configuration.Clear();
        _choices.Clear();
        _seen.Clear();
        _steps.Clear();
        _segment = -1;
        _helper = -1;
        _playback.Cut = _playback.Known = events;
        _playback.Cursor = default;
        _collector = null;
        Deepest = 0;
    }

    /// <summary>Adds events, from one point where no call is in flight up to another.</summary>
    public void Add(ReadOnlySpan<TraceEvent> events)
    {
        History.Add(events);
        _playback.Cut = _playback.Known = History.Count;
        _playback.Cursor = _playback.Cursor;
    }

    /// <summary>All events so far can be explained. Where they can, more may be added and the search goes on.</summary>
    /// <param name="effort">How hard to look. With <see cref="Effort.Thorough"/> what is not found does not exist.</param>
    /// <param name="isDecided">False: it was given up at the <see cref="LastStep"/>.</param>
    public bool IsExplained(Effort effort, out bool isDecided)
    {
        bool isExplained = Search(effort, LastStep);
        isDecided = isExplained || (Steps < LastStep && !Stop.IsCancellationRequested);
        return isExplained;
    }

    /// <summary>Goes through all that can be in the place of an event that has no explanation, as far as there is time.</summary>
    /// <returns>False: there may be more.</returns>
    public bool Collect(int unexplained, out IReadOnlyList<HistoryCandidate> candidates)
    {
        Restart(unexplained + 1, Effort.Wide);
        _playback.Known = unexplained;
        _collector = new AnswerCollector(_configuration, History, unexplained);
        long last = Steps + CollectingSteps;
        Search(Effort.Wide, last);
        bool isComplete = Steps < last && !Stop.IsCancellationRequested;
        candidates = _collector.Candidates;
        _collector = null;
        return isComplete;
    }

    private Effort CurrentEffort => _segment < 0 ? Effort.Narrow : _choices[_segment].Effort;

    private bool Search(Effort effort, long last)
    {
        bool goesOn = true;
        while (Steps < last && !Stop.IsCancellationRequested)
        {
            if (goesOn && Advance())
            {
                if (_playback.IsDone)
                    return true;
                goesOn = Move();
            }
            else if (GoBack(effort))
            {
                goesOn = true;
            }
            else
            {
                return false;
            }
        }

        return false;
    }

    // Passes events until some call has to make a step; false: an event does not hold here.
    private bool Advance()
    {
        while (!_playback.IsDone)
        {
            Deepest = Math.Max(Deepest, _playback.Next);
            if (_configuration.IsStuck || !_playback.TryNext(out int e))
                return true;
            ref readonly TraceEvent current = ref History[e];
            if (_collector is not null && _collector.Add(e))
                return false;
            switch (current.Kind)
            {
                case TraceEventKind.Begin:
                    if (History.StartsOverlap(e) && !EnterSegment())
                        return false;
                    Begin(e);
                    break;
                case TraceEventKind.Seamcall when !_configuration.IsInFlight(current.Lp):
                    Begin(e);
                    continue;
                case TraceEventKind.Seamcall:
                case TraceEventKind.End:
                    _configuration.End(current.Lp);
                    _steps.Add(new HistoryStep(HistoryStepKind.End, current.Lp, e));
                    break;
                default:
                    bool holds = _playback.Carry(e, out bool hasLearnt);
                    _steps.Add(new HistoryStep(HistoryStepKind.Event, HistoryStep.BetweenCalls, e));
                    Note(hasLearnt);
                    if (holds)
                        break;
                    if (CurrentEffort != Effort.Thorough || _configuration.InFlight == 0)
                        return false;
                    _configuration.GetStuck();
                    return true;
            }

            _playback.Pass(e);
        }

        return true;
    }

    private void Begin(int e)
    {
        _playback.Begin(e);
        _steps.Add(new HistoryStep(HistoryStepKind.Begin, History[e].Lp, e));
    }

    private bool EnterSegment()
    {
        if (_segment >= 0 && _choices[_segment].Cursor == _playback.Cursor)
            return true;
        if (!_seen.Add(Key(0)))
            return false;
        Settle();
        _choices.Add(new Choice(_configuration.Save(), _playback.Cursor, _steps.Count, 0, _segment) { IsStart = true, Effort = _least });
        _segment = _choices.Count - 1;
        _pass++;
        return true;
    }

    // Of a long history, what a narrow search left to be tried is not kept: there is much of it, and a wider search comes
    // to it as well.
    private void Settle()
    {
        if (_choices.Count < MostKeptChoices || _segment < 0 || CurrentEffort != Effort.Narrow || _choices.Count == _segment + 1)
            return;
        _configuration.Forget(_choices[_segment + 1].Point);
        Abandon();
    }

    // One step of a call that must be tried; the others that must be are kept for later.
    private bool Move()
    {
        if (_configuration.IsAlone && !_configuration.IsStuck)
            return _configuration.Movable != 0 && Step(BitOperations.TrailingZeroCount(_configuration.Movable));
        if (_helper >= 0)
            return Help();
        int movers = CurrentEffort == Effort.Narrow ? _configuration.Movable : _movers.Choose();
        if (movers == 0)
            return false;
        if (BitOperations.IsPow2(movers))
            return Step(BitOperations.TrailingZeroCount(movers));
        if (!_seen.Add(Key(_pass)))
            return false;
        int first = (movers & _playback.Goals) is > 0 and var goals ? goals & -goals : movers & -movers;
        _choices.Add(new Choice(_configuration.Save(), _playback.Cursor, _steps.Count, movers & ~first, _segment));
        return Step(BitOperations.TrailingZeroCount(first));
    }

    // Narrow: a call that goes on before the one that ends next does so up to a step that matters to it.
    private bool Help()
    {
        int goals = _playback.Goals & _configuration.Movable;
        int helper = _helper;
        if (goals == 0 || (_configuration.Movable >> helper & 1) == 0)
        {
            _helper = -1;
            return goals != 0 && Move();
        }

        int goal = BitOperations.TrailingZeroCount(goals);
        int call = _configuration.Call(helper);
        int place = _configuration.Place(helper);
        if (!Step(helper))
            return false;
        if (History.Footprint(call).ConflictsAt(place, History.Footprint(_configuration.Call(goal)), _configuration.Place(goal)))
            _helper = -1;
        return true;
    }

    private bool Step(int lp)
    {
        Steps++;
        Note(_playback.Step(lp));
        _steps.Add(new HistoryStep(HistoryStepKind.Step, lp, _configuration.Call(lp)));
        if (CanEndAsRecorded(lp))
            return true;
        if (CurrentEffort != Effort.Thorough || _configuration.IsAlone)
            return false;
        _configuration.GiveUp(lp);
        return true;
    }

    private void Note(bool hasLearnt)
    {
        if (hasLearnt)
            _choices[_segment].HasLearnt = true;
    }

    private bool CanEndAsRecorded(int lp)
    {
        ref readonly Agent agent = ref _configuration.Agent(lp);
        int call = _configuration.Call(lp);
        if (!_playback.IsEndKnown(call))
            return agent.Phase is not (AgentPhase.Halted or AgentPhase.NotModelled);
        ref readonly RecordedEnd end = ref History.Recorded(call);
        return end.IsPossible(agent, _configuration.List(lp))
            && (!agent.IsInGuest || end.Result < 0 || !_playback.IsKnown(end.Result) || RecordedEnd.IsPossible(_configuration.Program(agent.Call.Vcpu), History[end.Result]));
    }

    // To the last point where another call can be tried; false: there is none.
    private bool GoBack(Effort most)
    {
        if (_segment >= 0 && CurrentEffort != Effort.Thorough && !_configuration.IsAlone)
            LearnFromDeadEnd(_choices[_segment]);
        while (_choices.Count > 0)
        {
            Choice last = _choices[^1];
            _configuration.Restore(last.Point);
            _playback.Cursor = last.Cursor;
            _steps.RemoveRange(last.Step, _steps.Count - last.Step);
            _helper = -1;
            if (last.IsStart)
            {
                if (StartAgain(last, most))
                    return true;
                _segment = last.Parent;
                Drop(last);
                continue;
            }

            int next = last.Movers & -last.Movers;
            last.Movers &= ~next;
            if (last.Movers == 0)
                Drop(last);
            if (CurrentEffort == Effort.Narrow && (next & _playback.Goals) == 0)
            {
                _helper = BitOperations.TrailingZeroCount(next);
                if (Help())
                    return true;
            }
            else if (Step(BitOperations.TrailingZeroCount(next)))
            {
                return true;
            }
        }

        return false;
    }

    private void LearnFromDeadEnd(Choice segment)
    {
        int deadEnds = segment.DeadEnds++;
        if (CurrentEffort == Effort.Narrow)
        {
            if (deadEnds == NarrowDeadEnds)
                Abandon();
            return;
        }

        if (deadEnds < DeadEndsAllProbed || deadEnds % DeadEndsPerProbe == 0)
            Note(_probe.Run() | _probe.Run());
        if (segment.HasLearnt && deadEnds < EarlyDeadEnds)
            Abandon();
    }

    // Nothing that the segment left to be tried is gone back to.
    private void Abandon() => _choices.RemoveRange(_segment + 1, _choices.Count - _segment - 1);

    private bool StartAgain(Choice segment, Effort most)
    {
        Effort next = segment.HasLearnt && segment.Effort != Effort.Narrow ? Effort.Wide : segment.Effort + 1;
        if (next > most)
            return false;
        segment.Effort = next;
        segment.HasLearnt = false;
        segment.DeadEnds = 0;
        _pass++;
        return true;
    }

    private void Drop(Choice last)
    {
        _configuration.Forget(last.Point);
        _choices.RemoveAt(_choices.Count - 1);
    }

    private UInt128 Key(ulong pass)
    {
        UInt128 hash = _configuration.Hash();
        return WordHash.Of((ulong)(hash >> 64), (ulong)hash, ((ulong)_playback.Cursor.Event << 32) ^ pass, _playback.Cursor.Passed);
    }

    // A point to go back to: the start of a segment, or calls that are still to be tried.
    private sealed class Choice(Configuration.Point point, Cursor cursor, int step, int movers, int parent)
    {
        public Configuration.Point Point => point;

        public Cursor Cursor => cursor;

        public int Step => step;

        public int Parent => parent;

        public int Movers { get; set; } = movers;

        public bool IsStart { get; init; }

        public Effort Effort { get; set; }

        public bool HasLearnt { get; set; }

        public int DeadEnds { get; set; }
    }
}
