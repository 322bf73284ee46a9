using System.Collections.Immutable;
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
/// Depth first over the events. Where a call ends, its own steps are tried first. Another call goes on before only for
/// a reason: its last step conflicts with the next step of the call that waits for it, since else that step, and with it
/// all the others of its run, could as well come later. The same holds for a call that must go on before the other one
/// can: calls that wait for one another form a stack. Stacks of two calls explain nearly everything, so the whole
/// history is first tried with those, then with higher ones. A call that can no longer end as recorded is given up at
/// once: its answer names the steps that can still decide it. A point (event, state, calls in flight, stack) that
/// explained nothing is not looked at again.
/// </remarks>
internal sealed class HistorySearch
{
    // Recordings that can be explained took at most 2,000 steps for each of their sequences.
    private const long MostSteps = 3_000_000;
    private const long MostStepsOfPrefix = 100_000;

    private readonly AgentMachine<BranchingState> _machine;
    private readonly Agent[] _agents;
    private readonly UInt128[] _agentHashes;
    private readonly Dictionary<int, UInt128> _programHashes = [];
    private readonly HashSet<UInt128> _seen = [];
    private readonly AccessSet[] _next;
    private readonly AccessSet _made = new();
    private readonly byte[] _page = new byte[Hpa.PageSize];
    private readonly RecordedEnd[] _ends;
    private int _limit;
    private int _cut;
    private long _left;
    private ImmutableArray<TraceEvent> _events;
    private BranchingState _state;
    private Blame? _blame;

    public HistorySearch(PlatformInfo platform, LeafSet<BranchingState> leaves)
    {
        _state = new BranchingState(platform);
        _machine = new AgentMachine<BranchingState>(leaves, splitsLocks: true);
        _agents = new Agent[platform.LpCount];
        _agentHashes = new UInt128[platform.LpCount];
        _ends = new RecordedEnd[platform.LpCount];
        _next = [.. Enumerable.Range(0, platform.LpCount + 1).Select(_ => new AccessSet())];
    }

    /// <summary>Steps made since the search was created.</summary>
    public long Steps { get; private set; }

    /// <summary>Why a sequence has no explanation; null: it has one.</summary>
    public Blame? Judge(TraceSequence sequence)
    {
        _events = [.. sequence.Events];
        _cut = _events.Length;
        if (IsExplained(MostSteps))
            return null;
        if (_left <= 0)
            throw new InputException($"the history in sequence {sequence.Number} is undecided: neither an explanation nor a contradiction was found in {MostSteps:N0} steps");

        // Calls are given up early by how they end later. So that this does not hide how far an explanation reaches,
        // what comes later is cut off, event by event.
        Blame found = _blame ?? new Blame(0, _events[0], []);
        for (_cut = found.Event + 1; _cut <= _events.Length; _cut++)
        {
            if (IsExplained(MostStepsOfPrefix))
                continue;
            return _blame is { } last && last.Event >= found.Event ? last : found;
        }

        return found;
    }

    private bool IsExplained(long steps)
    {
        _blame = null;
        _left = steps;
        for (_limit = 2; _limit <= Math.Max(_agents.Length, 2); _limit++)
        {
            Start();
            if (Search(0))
                return true;
        }

        return false;
    }

    private void Start()
    {
        _state.Reset();
        Array.Clear(_machine.Programs);
        Array.Clear(_agents);
        Array.Clear(_agentHashes);
        _programHashes.Clear();
        _seen.Clear();
    }

    private bool Search(int e)
    {
        if (e == _cut)
            return true;
        if (!_seen.Add(Key(e, Waiting.None, mayPop: false)))
            return false;
        ref readonly TraceEvent current = ref _events.ItemRef(e);
        switch (current.Kind)
        {
            case TraceEventKind.Begin:
                return Begin(e, FindEnd(e)) && Search(e + 1) || TakeBack(current.Lp);
            case TraceEventKind.Seamcall:
                return Begin(e, e) && Reach(current.Lp, e) || TakeBack(current.Lp);
            case TraceEventKind.End:
                return Reach(current.Lp, e);
            case TraceEventKind.Guest:
                return Submit(e);
            case TraceEventKind.GuestResult:
                return CheckResult(e) && Search(e + 1);
            case TraceEventKind.Write:
                _state.WriteMemory(current.Hpa, current.BytesIn(_page));
                return Search(e + 1);
            case TraceEventKind.Interrupt:
                int mark = _state.Mark;
                _state.SetGlobal(GlobalField.InterruptPending, current.Pending ? 1UL : 0);
                if (Search(e + 1))
                    return true;
                _state.GoBack(mark);
                return false;
            case TraceEventKind.Reset:
                return Search(e + 1);
            default:
                Note(e, "lock, unlock, enter and exit are not judged in a sequence in which calls overlap");
                return false;
        }
    }

    private bool Begin(int e, int end)
    {
        ref readonly TraceEvent current = ref _events.ItemRef(e);
        uint choices = ChoiceStatuses.Find(_events[end].Output.Rax) is { } choice ? 1u << (int)choice : 0;
        _ends[current.Lp] = end < _cut ? RecordedEnd.Of(_events, end, _machine.Leaves.Host(current.Input.Rax)) : RecordedEnd.Unknown;
        _machine.Begin(ref _state, ref _agents[current.Lp], current.Lp, current.Input, choices);
        _agentHashes[current.Lp] = WordHash.OfWords(ref _agents[current.Lp]);
        return true;
    }

    private bool TakeBack(int lp)
    {
        _agents[lp] = default;
        _agentHashes[lp] = 0;
        return false;
    }

    private int FindEnd(int e)
    {
        for (int i = e + 1; i < _events.Length; i++)
        {
            if (_events[i].Kind == TraceEventKind.End && _events[i].Id == _events[e].Id)
                return i;
        }

        return e;
    }

    // Makes steps until the call on the processor has ended as recorded, then goes on after the event.
    private bool Reach(int goal, int e)
    {
        return Advance(e, Waiting.None.Push(goal), mayPop: false);
    }

    // The call at the top of the stack is to go on. Those below wait for it, each for a step that matters to its next one.
    private bool Advance(int e, Waiting stack, bool mayPop)
    {
        int top = stack.Top;
        if (stack.Count == 1 && _agents[top].Phase == AgentPhase.Ended)
            return EndAndGoOn(top, e);
        if (_left <= 0 || !_seen.Add(Key(e, stack, mayPop)))
            return false;
        if (mayPop)
        {
            if (Advance(e, stack.Pop(), mayPop: false))
                return true;
            LookAhead(stack.Pop().Top, _next[stack.Count]);
        }

        if (!_agents[top].CanStep)
            return false;
        if (Step(e, stack))
            return true;
        if (stack.Count == _limit)
            return false;
        for (int helper = 0; helper < _agents.Length; helper++)
        {
            if (!_agents[helper].CanStep || stack.Contains(helper))
                continue;
            LookAhead(top, _next[stack.Count + 1]);
            if (Advance(e, stack.Push(helper), mayPop: false))
                return true;
        }

        return false;
    }

    private bool Step(int e, Waiting stack)
    {
        int mover = stack.Top;
        Undo undo = Save(mover);
        Make(mover, _made);
        bool matters = stack.Count > 1 && _made.ConflictsWith(_next[stack.Count]);
        if (CanEndAsRecorded(mover, e))
        {
            if (matters)
                LookAhead(stack.Pop().Top, _next[stack.Count]);
            if (Advance(e, stack, matters))
                return true;
        }

        Restore(mover, undo);
        if (stack.Count > 1)
            LookAhead(stack.Pop().Top, _next[stack.Count]);
        return false;
    }

    // What the next step of a call would read and write, were it made now.
    private void LookAhead(int mover, AccessSet accesses)
    {
        Undo undo = Save(mover);
        Make(mover, accesses);
        Restore(mover, undo);
    }

    private Undo Save(int mover)
    {
        int vcpu = _agents[mover].IsInGuest ? _agents[mover].Call.Vcpu : -1;
        return new Undo(_state.Mark, _agents[mover], _agentHashes[mover], vcpu, vcpu >= 0 ? _machine.Program(vcpu) : default);
    }

    private void Make(int mover, AccessSet accesses)
    {
        ref Agent agent = ref _agents[mover];
        int vcpu = agent.IsInGuest ? agent.Call.Vcpu : -1;
        accesses.Clear();
        _state.LogTo(accesses);
        _machine.Step(ref _state, ref agent);
        _state.LogTo(null);
        Steps++;
        _left--;
        _agentHashes[mover] = WordHash.OfWords(ref agent);
        if (vcpu >= 0)
            _programHashes[vcpu] = HashOf(vcpu);
    }

    private void Restore(int mover, in Undo undo)
    {
        _state.GoBack(undo.Mark);
        _agents[mover] = undo.Agent;
        _agentHashes[mover] = undo.Hash;
        if (undo.Vcpu < 0)
            return;
        _machine.Program(undo.Vcpu) = undo.Program;
        _programHashes[undo.Vcpu] = HashOf(undo.Vcpu);
    }

    private bool EndAndGoOn(int goal, int e)
    {
        Agent ended = _agents[goal];
        RecordedEnd end = _ends[goal];
        UInt128 hash = _agentHashes[goal];
        if (!IsAsRecorded(goal, e))
            return false;
        TakeBack(goal);
        if (Search(e + 1))
            return true;
        _agents[goal] = ended;
        _agentHashes[goal] = hash;
        _ends[goal] = end;
        return false;
    }

    private bool CanEndAsRecorded(int lp, int e)
    {
        ref Agent agent = ref _agents[lp];
        ref readonly RecordedEnd end = ref _ends[lp];
        if (!end.IsPossible(agent, _machine.Leaves.All[agent.List]))
        {
            if (end.Event != e)
                return false;
            if (agent.Phase is AgentPhase.Ended or AgentPhase.Exit)
                Note(end.Event, $"it can end with {OutcomeNames.Of(agent.Answer.Rax)}");
            else if (agent.Call.FailedStep != 0 && !agent.IsInGuest)
                Note(end.Event, $"it can end with {OutcomeNames.Of(agent.Call.Status)}");
            else
                Note(end.Event, "it can get past the last step that returns this");
            return false;
        }

        return !agent.IsInGuest || end.Result < 0 || !_machine.Program(agent.Call.Vcpu).TdcallReturned
            || _machine.Program(agent.Call.Vcpu).Result.Registers == _events[end.Result].Output;
    }

    private bool IsAsRecorded(int lp, int e)
    {
        if (_agents[lp].Answer == _events[e].Output)
            return true;
        Note(e, $"it can end with {OutcomeNames.Of(_agents[lp].Answer.Rax)}");
        return false;
    }

    private bool Submit(int e)
    {
        ref readonly TraceEvent current = ref _events.ItemRef(e);
        // Told for an entry that is going to find no vCPU, another call having taken it away: then nothing comes of it.
        if (!TryFindVcpu(current.Hpa, out int vcpu))
            return Search(e + 1);
        GuestProgram before = _machine.Program(vcpu);
        _machine.Program(vcpu).Submit(current.GuestOperation);
        _programHashes[vcpu] = HashOf(vcpu);
        if (Search(e + 1))
            return true;
        _machine.Program(vcpu) = before;
        _programHashes[vcpu] = HashOf(vcpu);
        return false;
    }

    private bool CheckResult(int e)
    {
        ref readonly TraceEvent current = ref _events.ItemRef(e);
        // What is recorded of a vCPU that is gone is the recorder's own memory of it.
        if (!TryFindVcpu(current.Hpa, out int vcpu))
            return true;
        ref GuestProgram program = ref _machine.Program(vcpu);
        if (program.Result.Completed == current.Completed && program.Result.VirtualizationException == current.VirtualizationException
            && (!current.HasOutput || program.Result.Registers == current.Output))
        {
            return true;
        }

        Note(e, program.TdcallReturned
            ? $"its TDCALL can return {OutcomeNames.Of(program.Result.Registers.Rax)}"
            : program.Result.Completed ? "the operation can complete" : program.Result.VirtualizationException ? "a #VE can be injected" : "the operation can leave to the host");
        return false;
    }

    private bool TryFindVcpu(ulong tdvprHpa, out int vcpu) => VcpuLookup<BranchingState>.TryFind(ref _state, tdvprHpa, out vcpu);

    private UInt128 HashOf(int vcpu) => WordHash.OfProgram(vcpu, _machine.Program(vcpu));

    private UInt128 Key(int e, Waiting stack, bool mayPop)
    {
        UInt128 hash = _state.Hash;
        for (int lp = 0; lp < _agentHashes.Length; lp++)
            hash ^= (_agentHashes[lp] << lp) | (_agentHashes[lp] >> (128 - lp));
        foreach (UInt128 program in _programHashes.Values)
            hash ^= program;
        return WordHash.Of((ulong)(hash >> 64), (ulong)hash, ((ulong)e << 1) | (mayPop ? 1UL : 0), stack.Word);
    }

    private readonly record struct Undo(int Mark, Agent Agent, UInt128 Hash, int Vcpu, GuestProgram Program);

    // Of the answers that were found possible, those at the last event that was reached are the ones to tell.
    private void Note(int e, string answer)
    {
        if (_blame is null || e > _blame.Event)
            _blame = new Blame(e, _events[e], []);
        if (e == _blame.Event)
            _blame.Possible.Add(answer);
    }
}

/// <summary>The event up to which a history can be explained, and what could have been there instead.</summary>
/// <param name="Event">Its place in the sequence.</param>
/// <param name="Recorded">The event.</param>
/// <param name="Possible">What the explanations of all before allow.</param>
internal sealed record Blame(int Event, TraceEvent Recorded, SortedSet<string> Possible);
