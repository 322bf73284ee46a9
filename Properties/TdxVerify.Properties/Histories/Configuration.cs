using System.Numerics;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Contention;

namespace TdxVerify.Properties.Histories;

/// <summary>
/// Where a search is: the state, the calls in flight, what vCPUs were told. Every change can be taken back.
/// </summary>
internal sealed class Configuration
{
    private const int StepBits = 8;
    private const int EventsGivenUp = 1 << 31;

    private readonly AgentMachine<BranchingState> _machine;
    private readonly Agent[] _agents;
    private readonly int[] _calls;
    private readonly int[] _refusedBy;
    private readonly UInt128[] _hashes;
    private readonly AccessSet _accesses = new();
    private readonly List<(int Vcpu, GuestProgram Before)> _programs = [];
    private readonly HashSet<int> _programmed = [];
    private readonly List<(ulong Hpa, byte[] Before)> _memory = [];
    private readonly byte[] _page = new byte[Hpa.PageSize];
    private BranchingState _state;
    private Flight[] _saved = new Flight[64];
    private int _savedCount;
    private int _stale;

    public Configuration(PlatformInfo platform, LeafSet<BranchingState> leaves)
    {
        _state = new BranchingState(platform);
        _machine = new AgentMachine<BranchingState>(leaves, splitsLocks: true);
        _agents = new Agent[platform.LpCount];
        _hashes = new UInt128[platform.LpCount];
        _calls = new int[platform.LpCount];
        _refusedBy = new int[platform.LpCount];
    }

    public int LpCount => _agents.Length;

    /// <summary>The processors with a call in flight, one bit each.</summary>
    public int InFlight { get; private set; }

    /// <summary>The processors whose call can make a step.</summary>
    public int Movable { get; private set; }

    /// <summary>The processors whose call was given up, one bit each.</summary>
    public int GivenUp { get; private set; }

    /// <summary>An event between calls does not hold: no event is passed any more.</summary>
    public bool IsStuck => (GivenUp & EventsGivenUp) != 0;

    /// <summary>What the step made last read and wrote.</summary>
    public AccessSet Accesses => _accesses;

    public ref BranchingState State => ref _state;

    public LeafSet<BranchingState> Leaves => _machine.Leaves;

    /// <summary>The event at which the call in flight on a processor began.</summary>
    public int Call(int lp) => _calls[lp];

    public ref readonly Agent Agent(int lp) => ref _agents[lp];

    /// <summary>The list of steps that a call carries out.</summary>
    public Leaf<BranchingState> List(int lp) => _machine.Leaves.All[_agents[lp].List];

    /// <summary>The processors whose calls held the lock that a call was refused last, one bit each.</summary>
    public int RefusedLockHeldBy(int lp) => _refusedBy[lp];

    /// <summary>How far a call is: it only rises. The access that follows a failed step belongs to that step.</summary>
    public int Place(int lp)
    {
        ref Agent agent = ref _agents[lp];
        int step = agent.Call.Aftermath == Aftermath.Drop ? agent.Call.FailedStep - 1 : agent.Step;
        return ((int)agent.Phase << StepBits) | step;
    }

    public void Clear()
    {
        _state.Reset();
        Array.Clear(_machine.Programs);
        Array.Clear(_agents);
        _programs.Clear();
        _programmed.Clear();
        _memory.Clear();
        _savedCount = 0;
        InFlight = Movable = GivenUp = _stale = 0;
    }

    public void Begin(int e, int lp, in RegisterFile registers, uint choices)
    {
        _calls[lp] = e;
        _refusedBy[lp] = 0;
        InFlight |= 1 << lp;
        _machine.Begin(ref _state, ref _agents[lp], lp, registers, choices);
        Moved(lp);
    }

    /// <summary>One visible step.</summary>
    public void Step(int lp)
    {
        ref Agent agent = ref _agents[lp];
        if (agent.IsInGuest)
            KeepProgram(agent.Call.Vcpu);
        int failed = agent.Call.FailedStep;
        _machine.Step(ref _state, ref agent);
        if (agent.Call.FailedStep != failed)
            _refusedBy[lp] = RefusedBy(lp);
        Moved(lp);
    }

    /// <summary>From now on <see cref="Accesses"/> notes what is read and written.</summary>
    public void NoteAccesses()
    {
        _accesses.Clear();
        _state.LogTo(_accesses);
    }

    /// <summary>Nothing more is noted.</summary>
    public void StopNoting() => _state.LogTo(null);

    /// <summary>The call has ended.</summary>
    public void End(int lp)
    {
        _agents[lp] = default;
        InFlight &= ~(1 << lp);
        Movable &= ~(1 << lp);
    }

    /// <summary>At most one call is in flight.</summary>
    public bool IsAlone => (InFlight & (InFlight - 1)) == 0;

    /// <summary>A call is in flight on a processor.</summary>
    public bool IsInFlight(int lp) => (InFlight >> lp & 1) != 0;

    /// <summary>The call in flight on a processor has ended as recorded.</summary>
    public bool HasEnded(int lp) => _agents[lp].Phase == AgentPhase.Ended && (GivenUp >> lp & 1) == 0;

    /// <summary>The call cannot end as recorded: it makes no step any more, and keeps what it holds.</summary>
    public void GiveUp(int lp)
    {
        GivenUp |= 1 << lp;
        Movable &= ~(1 << lp);
        _stale |= 1 << lp;
    }

    /// <summary>No event is passed any more; the calls in flight go on.</summary>
    public void GetStuck() => GivenUp |= EventsGivenUp;

    public bool TryFindVcpu(ulong tdvprHpa, out int vcpu) => VcpuLookup<BranchingState>.TryFind(ref _state, tdvprHpa, out vcpu);

    /// <summary>What a vCPU was told last.</summary>
    public ref readonly GuestProgram Program(int vcpu) => ref _machine.Program(vcpu);

    /// <summary>The same, as an event that looks at it.</summary>
    public ref readonly GuestProgram Result(int vcpu)
    {
        _accesses.UseProgram(vcpu);
        return ref _machine.Program(vcpu);
    }

    public void Submit(int vcpu, in GuestOperation operation)
    {
        KeepProgram(vcpu);
        _machine.Program(vcpu).Submit(operation);
    }

    public void Write(in TraceEvent write)
    {
        byte[] before = new byte[write.Length];
        _state.ReadMemory(write.Hpa, before);
        _memory.Add((write.Hpa, before));
        _state.WriteMemory(write.Hpa, write.BytesIn(_page));
    }

    /// <summary>A hash of all there is.</summary>
    public UInt128 Hash()
    {
        UInt128 hash = IsStuck ? ~_state.Hash : _state.Hash;
        for (int rest = InFlight; rest != 0; rest &= rest - 1)
        {
            int lp = BitOperations.TrailingZeroCount(rest);
            if ((_stale >> lp & 1) != 0)
                _hashes[lp] = HashOf(lp);
            hash ^= (_hashes[lp] << lp) | (_hashes[lp] >> (128 - lp));
        }

        _stale &= ~InFlight;
        foreach (int vcpu in _programmed)
            hash ^= WordHash.OfProgram(vcpu, _machine.Program(vcpu));
        return hash;
    }

    public Point Save()
    {
        var point = new Point(_state.Mark, _programs.Count, _memory.Count, _savedCount, InFlight, Movable, GivenUp);
        if (_saved.Length < _savedCount + _agents.Length)
            Array.Resize(ref _saved, 2 * _saved.Length);
        for (int rest = InFlight; rest != 0; rest &= rest - 1)
        {
            int lp = BitOperations.TrailingZeroCount(rest);
            _saved[_savedCount++] = new Flight(_agents[lp], _calls[lp], _refusedBy[lp]);
        }

        return point;
    }

    /// <summary>Back to a point; it can be gone back to again.</summary>
    public void Restore(in Point point)
    {
        _state.GoBack(point.Mark);
        for (int i = _programs.Count - 1; i >= point.Programs; i--)
            _machine.Program(_programs[i].Vcpu) = _programs[i].Before;
        _programs.RemoveRange(point.Programs, _programs.Count - point.Programs);
        for (int i = _memory.Count - 1; i >= point.Memory; i--)
            _state.WriteMemory(_memory[i].Hpa, _memory[i].Before);
        _memory.RemoveRange(point.Memory, _memory.Count - point.Memory);
        InFlight = point.InFlight;
        Movable = point.Movable;
        GivenUp = point.GivenUp;
        _savedCount = point.Agents;
        for (int rest = InFlight; rest != 0; rest &= rest - 1)
        {
            int lp = BitOperations.TrailingZeroCount(rest);
            (_agents[lp], _calls[lp], _refusedBy[lp]) = _saved[_savedCount++];
        }

        _stale = -1;
    }

    /// <summary>The point is not gone back to any more.</summary>
    public void Forget(in Point point) => _savedCount = point.Agents;

    private int RefusedBy(int lp)
    {
        ref Agent refused = ref _agents[lp];
        if (refused.Call.FailedStep == 0 || List(lp).Steps[refused.Call.FailedStep - 1].Lock is not { } wanted)
            return 0;
        int holders = 0;
        for (int other = 0; other < _agents.Length; other++)
        {
            if (other == lp || !IsInFlight(other))
                continue;
            Call call = _agents[other].Call;
            // Between the two instructions of an attempt it has the lock already, and may yet give it back.
            if (call.FollowUp != LockFollowUp.None)
                call.Take(wanted.Id, exclusive: false);
            if (call.HoldsSame(wanted.Id, refused.Call))
                holders |= 1 << other;
        }

        return holders;
    }

    private void Moved(int lp)
    {
        int bit = 1 << lp;
        _stale |= bit;
        Movable = _agents[lp].CanStep ? Movable | bit : Movable & ~bit;
    }

    private void KeepProgram(int vcpu)
    {
        _accesses.UseProgram(vcpu);
        _programmed.Add(vcpu);
        _programs.Add((vcpu, _machine.Program(vcpu)));
    }

    // Of a call that is over nothing matters any more but that it is.
    private UInt128 HashOf(int lp) => (GivenUp >> lp & 1) != 0 ? WordHash.Of((ulong)lp, 5, 6, 7) : _agents[lp].IsBusy
        ? WordHash.OfWords(ref _agents[lp])
        : WordHash.Of((ulong)lp, (ulong)_agents[lp].Phase, 3, 4);

    private readonly record struct Flight(Agent Agent, int Call, int RefusedBy);

    internal readonly record struct Point(int Mark, int Programs, int Memory, int Agents, int InFlight, int Movable, int GivenUp);
}
