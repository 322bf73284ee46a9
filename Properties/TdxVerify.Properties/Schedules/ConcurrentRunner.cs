using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Contention;
using TdxVerify.Properties.Runs;
using TdxVerify.Properties.Schedules.Laws;
using TdxVerify.Properties.Schedules.Schedulers;

namespace TdxVerify.Properties.Schedules;

/// <summary>
/// Carries out calls that overlap, one visible step at a time in the order that a scheduler chooses, and checks the laws.
/// A platform is prepared once and serves all schedules of the same calls.
/// </summary>
public sealed class ConcurrentRunner : IDisposable, IRaces
{
    private readonly ModelPort<BranchingState> _port;
    private readonly AgentMachine<BranchingState> _machine;
    private readonly InterleavingLaw[] _laws;
    private readonly Agent[] _agents;
    private readonly ConcurrentView _view;
    private readonly int[] _next;
    private readonly int[] _made;
    private readonly bool[] _isTold;
    private readonly List<int>[] _programs;
    private readonly AccessSet[] _accesses;
    private readonly List<CallEnding> _endings = [];
    private readonly List<ScheduleRun> _schedule = [];
    private IReadOnlyList<PlannedEvent>? _setup;
    private IReadOnlyList<ConcurrentCall> _calls = [];
    private GuestProgram[] _prepared = [];
    private GuestProgram[] _looked = [];
    private InterleavingLaw? _broken;
    private string? _wrong;
    private UInt128 _history;
    private int _steps;

    /// <summary>A runner with its own platform.</summary>
    /// <param name="platform">The platform; its logical processors are the agents.</param>
    /// <param name="leaves">The leaves.</param>
    /// <param name="laws">The laws to check.</param>
    public ConcurrentRunner(PlatformInfo platform, LeafSet<BranchingState> leaves, IReadOnlyList<InterleavingLaw> laws)
    {
        _port = new ModelPort<BranchingState>(new BranchingState(platform), leaves);
        _machine = new AgentMachine<BranchingState>(leaves) { Observer = Observe };
        _laws = [.. laws];
        _agents = new Agent[platform.LpCount];
        _view = new ConcurrentView(_port, _agents);
        _next = new int[platform.LpCount];
        _made = new int[platform.LpCount];
        _isTold = new bool[platform.LpCount];
        _programs = [.. _agents.Select(_ => new List<int>())];
        _accesses = [.. _agents.Select(_ => new AccessSet())];
    }

    /// <summary>The laws.</summary>
    public IReadOnlyList<InterleavingLaw> Laws => _laws;

    /// <summary>Told of each access of each call, and of the end of each run of steps.</summary>
    public IScheduleListener? Listener { get; set; }

    private ref BranchingState S => ref _port.Machine.State;

    /// <inheritdoc/>
    public void Dispose() => _port.Dispose();

    /// <summary>Carries the calls out in the order that a strategy chooses.</summary>
    /// <param name="plan">The calls and what precedes them.</param>
    /// <param name="scheduler">The strategy.</param>
    /// <param name="choices">Its choices.</param>
    /// <param name="steps">About how many visible steps it takes.</param>
    public ScheduleOutcome Run(ConcurrentPlan plan, Scheduler scheduler, ScheduleChoices choices, int steps)
    {
        Prepare(plan);
        GoToStart();
        scheduler.Begin(new ScheduleStart(choices, _agents.Length, steps, this));
        return Follow(scheduler);
    }

    /// <summary>Carries the calls out under a schedule, as it was before.</summary>
    public ScheduleOutcome Run(ConcurrentPlan plan, IReadOnlyList<ScheduleRun> schedule)
    {
        Prepare(plan);
        var scheduler = new FixedScheduler(schedule, call => call < plan.Calls.Count ? plan.Calls[call].Lp : 0, CallOn);
        return Run(plan, scheduler, new ScheduleChoices(ChoiceStream.FromValues([]), 0), 0);
    }

    /// <inheritdoc/>
    public void Look(int agent)
    {
        (int mark, Agent before, int next, int made) = (S.Mark, _agents[agent], _next[agent], _made[agent]);
        if (_looked.Length != _machine.Programs.Length)
            _looked = new GuestProgram[_machine.Programs.Length];
        _machine.Programs.CopyTo(_looked, 0);
        StepObserver<BranchingState>? observer = _machine.Observer;
        _machine.Observer = null;
        _accesses[agent].Clear();
        S.LogTo(_accesses[agent]);
        Advance(agent);
        S.LogTo(null);
        _machine.Observer = observer;
        S.GoBack(mark);
        (_agents[agent], _next[agent], _made[agent]) = (before, next, made);
        _looked.CopyTo(_machine.Programs, 0);
    }

    /// <inheritdoc/>
    public bool AreRacing(int agent, int other) => _accesses[agent].ConflictsWith(_accesses[other]);

    private int CallOn(int lp) => _agents[lp].IsBusy ? _made[lp] : _next[lp] < _programs[lp].Count ? _programs[lp][_next[lp]] : -1;

    // The set-up is carried out again only if it is another one.
    private void Prepare(ConcurrentPlan plan)
    {
        _calls = plan.Calls;
        foreach (List<int> program in _programs)
            program.Clear();
        for (int i = 0; i < plan.Calls.Count; i++)
            _programs[plan.Calls[i].Lp].Add(i);
        if (ReferenceEquals(_setup, plan.Setup))
            return;
        _setup = plan.Setup;
        SetupPlayer.CarryOut(_port, plan.Setup);
        _prepared = [.. _port.Machine.Programs];
        if (_prepared.Length > 0)
            _machine.Program(_prepared.Length - 1);
        S.StartHere();
        foreach (InterleavingLaw law in _laws)
            law.Prepared(_view);
    }

    private void GoToStart()
    {
        S.GoBack(0);
        Array.Clear(_machine.Programs);
        _prepared.CopyTo(_machine.Programs, 0);
        Array.Clear(_agents);
        Array.Clear(_next);
        Array.Fill(_made, -1);
        _endings.Clear();
        _schedule.Clear();
        _broken = null;
        _wrong = null;
        _history = 0;
        _steps = 0;
        _view.Begin();
        foreach (InterleavingLaw law in _laws)
            law.Begin(_view);
    }

    private ScheduleOutcome Follow(Scheduler scheduler)
    {
        int current = -1;
        bool halted = false;
        while (_wrong is null && !halted && Runnable() is not 0 and var runnable)
        {
            int lp = scheduler.Next(runnable, current);
            if (current >= 0 && CallOn(lp) != _schedule[^1].Call)
                Listener?.RunEnds(_schedule[^1], _agents[current]);
            _view.Current = lp;
            Advance(lp);
            Count(_made[lp]);
            current = lp;
            CheckStep();
            halted = _agents[lp].Phase == AgentPhase.Halted;
            _history = WordHash.Of((ulong)_history, (ulong)(_history >> 64), (ulong)lp, (ulong)S.Hash) ^ WordHash.OfWords(ref _agents[lp]);
            _view.StepIsOver();
        }

        if (_wrong is null && !halted)
            CheckRest();
        if (current >= 0)
            Listener?.RunEnds(_schedule[^1], _agents[current]);
        return new ScheduleOutcome
        {
            Failure = _wrong is null ? null : new RunFailure(_broken!.Name, _wrong, _steps, _made[_view.Current] < 0 ? "" : NameOf(_made[_view.Current])),
            Schedule = [.. _schedule],
            Calls = [.. _endings],
            Halted = halted,
            History = _history,
            FinalState = FinalState.Of(S).All,
        };
    }

    private uint Runnable()
    {
        uint runnable = 0;
        for (int lp = 0; lp < _agents.Length; lp++)
        {
            if (_agents[lp].CanStep || (!_agents[lp].IsBusy && _next[lp] < _programs[lp].Count))
                runnable |= 1u << lp;
        }

        return runnable;
    }

    // One visible step; a processor that is idle begins its next call with it.
    private void Advance(int lp)
    {
        ref Agent agent = ref _agents[lp];
        if (!agent.IsBusy)
        {
            _made[lp] = _programs[lp][_next[lp]++];
            ConcurrentCall call = _calls[_made[lp]];
            _isTold[lp] = call.Guest is { } guest && Tell(guest);
            _machine.Begin(ref S, ref agent, lp, call.Registers, call.Choice == ChoicePoint.None ? 0 : 1u << (int)call.Choice);
        }

        if (agent.CanStep)
            _machine.Step(ref S, ref agent);
    }

    // A vCPU that is in the guest goes on with what it does.
    private bool Tell(in TraceEvent guest)
    {
        if (!VcpuLookup<BranchingState>.TryFind(ref S, guest.Hpa, out int vcpu) || IsInGuest(vcpu))
            return false;
        _machine.Program(vcpu).Submit(guest.GuestOperation);
        return true;
    }

    private bool IsInGuest(int vcpu)
    {
        foreach (ref Agent agent in _agents.AsSpan())
        {
            if (agent.IsBusy && agent.IsInGuest && agent.Call.Vcpu == vcpu)
                return true;
        }

        return false;
    }

    private void Count(int call)
    {
        bool begins = _endings.TrueForAll(ending => ending.Call != call);
        if (begins)
            _endings.Add(new CallEnding(call, _steps, -1, default, default) { IsToldToGuest = _isTold[_calls[call].Lp] });
        if (_schedule.Count > 0 && _schedule[^1].Call == call)
            _schedule[^1] = _schedule[^1] with { Steps = _schedule[^1].Steps + 1 };
        else
            _schedule.Add(new ScheduleRun(call, 1));
        _steps++;
        ref Agent agent = ref _agents[_calls[call].Lp];
        if (agent.IsBusy)
            return;
        int place = _endings.FindIndex(ending => ending.Call == call);
        _endings[place] = _endings[place] with { Ended = _steps, Answer = agent.Answer, Guest = GuestOf(_calls[call]) };
    }

    private GuestProgram GuestOf(ConcurrentCall call) =>
        call.Registers.Rax == (ulong)HostLeaf.TDH_VP_ENTER && VcpuLookup<BranchingState>.TryFind(ref S, call.Registers.Rcx, out int vcpu) ? _machine.Program(vcpu) : default;

    private string NameOf(int call) => ((HostLeaf)LeafNames.Number(_calls[call].Registers.Rax)).Name() ?? "unknown leaf";

    private void Observe(Leaf<BranchingState> list, int step, bool visible, in Call call)
    {
        Listener?.Accessed(list, step, visible, call);
        foreach (InterleavingLaw law in _laws)
        {
            if (_wrong is null && law.AfterAccess(_view, list, step, call) is { } wrong)
                (_broken, _wrong) = (law, wrong);
        }
    }

    private void CheckStep()
    {
        foreach (InterleavingLaw law in _laws)
        {
            if (_wrong is null && law.AfterStep(_view) is { } wrong)
                (_broken, _wrong) = (law, wrong);
        }
    }

    private void CheckRest()
    {
        foreach (InterleavingLaw law in _laws)
        {
            if (_wrong is null && law.AtRest(_view) is { } wrong)
                (_broken, _wrong) = (law, wrong);
        }
    }
}
