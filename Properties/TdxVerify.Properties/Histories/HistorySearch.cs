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
/// longer end as recorded is given up at once, a configuration that explained nothing is not looked at again, and from a
/// dead end it goes back to where another order can change what was decisive (<see cref="Blame"/>).</para>
/// <para>Which calls must be tried depends on what each call can use, and that is learnt on the way. A segment, from one
/// point where no call is in flight to the next, is searched again from its start whenever something was learnt in it.
/// A dead end hides what the other calls in flight would have used from there on; some of it is seen by going on from dead
/// ends at random (<see cref="FootprintProbe"/>). Before a segment is left as one that has no (further) explanation, it is
/// searched once more thoroughly: a call that cannot end as recorded stops where it is, keeps its locks, and the others go
/// on; so do they all where an event between calls does not hold, and nothing is left out for want of blame. That visits
/// every interleaving of calls that stop when they fail, up to the order of steps that do not conflict; if nothing new is
/// learnt in all of it, then nothing was missed before.</para>
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
    private readonly FailedConfigurations _failed = new();
    private readonly Blame _blame = new();
    private readonly List<Choice> _choices = [];
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
    public StepLog Log { get; } = new();

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
        _failed.Clear();
        Log.Cut(0);
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
                return BlameAny();
            switch (current.Kind)
            {
                case TraceEventKind.Begin:
                    if (History.StartsOverlap(e) && !EnterSegment())
                        return false;
                    _playback.Begin(e);
                    Log.Add(new HistoryStep(HistoryStepKind.Begin, current.Lp, e));
                    break;
                case TraceEventKind.Seamcall when !_configuration.IsInFlight(current.Lp):
                    _playback.Begin(e);
                    Log.Add(new HistoryStep(HistoryStepKind.Begin, current.Lp, e));
                    continue;
                case TraceEventKind.Seamcall:
                case TraceEventKind.End:
                    _configuration.End(current.Lp);
                    Log.Add(new HistoryStep(HistoryStepKind.End, current.Lp, e));
                    break;
                default:
                    bool holds = _playback.Carry(e, out bool hasLearnt);
                    Log.Add(new HistoryStep(HistoryStepKind.Event, StepLog.Event, e), _configuration.Accesses.Accesses);
                    Note(hasLearnt);
                    if (holds)
                        break;
                    if (CurrentEffort != Effort.Thorough || _configuration.InFlight == 0)
                        return BlameOn(StepLog.Event);
                    _configuration.GetStuck();
                    return true;
            }

            _playback.Pass(e);
        }

        return true;
    }

    private bool EnterSegment()
    {
        if (_segment >= 0 && _choices[_segment].Cursor == _playback.Cursor)
            return true;
        UInt128 key = Key(0);
        if (!_failed.Meet(key, out Blame? before))
            return BlameAsBefore(before);
        Settle();
        _choices.Add(new Choice(_configuration.Save(), _playback.Cursor, Log.Count, key, _segment) { IsStart = true, Effort = _least });
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
        _choices.RemoveRange(_segment + 1, _choices.Count - _segment - 1);
    }

    // One step of a call that must be tried; the others that must be are kept for later.
    private bool Move()
    {
        if (_configuration.IsAlone && !_configuration.IsStuck)
            return _configuration.Movable != 0 ? Step(BitOperations.TrailingZeroCount(_configuration.Movable)) : BlameAny();
        if (_helper >= 0)
            return Help();
        int movers = CurrentEffort == Effort.Narrow ? _configuration.Movable : _movers.Choose();
        if (movers == 0)
            return BlameAny();
        if (BitOperations.IsPow2(movers))
            return Step(BitOperations.TrailingZeroCount(movers));
        UInt128 key = Key(_pass);
        if (!_failed.Meet(key, out Blame? before))
            return BlameAsBefore(before);
        int first = (movers & _playback.Goals) is > 0 and var goals ? goals & -goals : movers & -movers;
        var choice = new Choice(_configuration.Save(), _playback.Cursor, Log.Count, key, _segment) { Left = movers };
        _choices.Add(choice);
        return Try(choice, first);
    }

    // Narrow: a call that goes on before the one that ends next does so up to a step that matters to it.
    private bool Help()
    {
        int goals = _playback.Goals & _configuration.Movable;
        int helper = _helper;
        if (goals == 0 || (_configuration.Movable >> helper & 1) == 0)
        {
            _helper = -1;
            return goals != 0 ? Move() : BlameAny();
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
        Log.Add(new HistoryStep(HistoryStepKind.Step, lp, _configuration.Call(lp)), _configuration.Accesses.Accesses);
        if (CanEndAsRecorded(lp))
            return true;
        if (CurrentEffort != Effort.Thorough || _configuration.IsAlone)
            return BlameOn(lp);
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

    // To the last point where another call can be tried that may prevent what failed; false: there is none.
    private bool GoBack(Effort most)
    {
        if (_segment >= 0 && CurrentEffort != Effort.Thorough && !_configuration.IsAlone)
            LearnFromDeadEnd(_choices[_segment]);
        while (_choices.Count > 0)
        {
            Choice last = _choices[^1];
            if (CurrentEffort == Effort.Thorough || _collector is not null)
                _blame.BeOnAny();
            bool isAtFault = _blame.Follow(Log, last.Step);
            (last.Blame ??= new Blame()).Add(_blame);
            Return(last);
            if (last.IsStart)
            {
                if (StartAgain(last, most))
                    return true;
                _segment = last.Parent;
                Leave(last);
                continue;
            }

            if (isAtFault)
                last.Wanted |= Preventing(last);
            int wanted = last.Left & last.Wanted;
            if (wanted == 0)
                Leave(last);
            else if (Try(last, wanted & -wanted))
                return true;
        }

        return false;
    }

    private void Return(Choice choice)
    {
        _configuration.Restore(choice.Point);
        _playback.Cursor = choice.Cursor;
        Log.Cut(choice.Step);
        _helper = -1;
    }

    // A narrow search knows too little of what calls use.
    private int Preventing(Choice choice) =>
        _blame.IsOnAny || CurrentEffort == Effort.Narrow ? choice.Left : _movers.Against(choice.Tried);

    private bool Try(Choice choice, int one)
    {
        int lp = BitOperations.TrailingZeroCount(one);
        choice.Left &= ~one;
        choice.Tried = lp;
        int goals = _playback.Goals & _configuration.Movable;
        if (CurrentEffort != Effort.Narrow || goals == 0 || (one & goals) != 0)
            return Step(lp);
        _helper = lp;
        return Help();
    }

    private void Leave(Choice last)
    {
        Blame blame = last.Blame!;
        _failed.Fail(last.Key, blame);
        _blame.Become(blame);
        _configuration.Forget(last.Point);
        _choices.RemoveAt(_choices.Count - 1);
    }

    private bool BlameAny()
    {
        _blame.BeOnAny();
        return false;
    }

    private bool BlameOn(int lp)
    {
        _blame.BeOn(lp);
        return false;
    }

    private bool BlameAsBefore(Blame? before)
    {
        if (before is null)
            return BlameAny();
        _blame.Become(before);
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

    private void Abandon()
    {
        _choices.RemoveRange(_segment + 1, _choices.Count - _segment - 1);
        _blame.BeOnAny();
    }

    private bool StartAgain(Choice segment, Effort most)
    {
        Effort next = segment.HasLearnt && segment.Effort != Effort.Narrow ? Effort.Wide : segment.Effort + 1;
        if (next > most)
            return false;
        segment.Effort = next;
        segment.HasLearnt = false;
        segment.DeadEnds = 0;
        segment.Blame = null;
        _pass++;
        return true;
    }

    private UInt128 Key(ulong pass)
    {
        UInt128 hash = _configuration.Hash();
        return WordHash.Of((ulong)(hash >> 64), (ulong)hash, ((ulong)_playback.Cursor.Event << 32) ^ pass, _playback.Cursor.Passed);
    }
}
