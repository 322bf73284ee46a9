using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Contention;

/// <summary>
/// A prepared platform on which two calls are carried out visible step by visible step, as often as wanted: each time
/// from the same state.
/// </summary>
internal sealed class PairStage : IDisposable
{
    private readonly ModelPort<BranchingState> _port;
    private readonly GuestProgram[] _prepared;
    private readonly int[] _vcpus = [-1, -1];
    private readonly int[] _lps = [0, 0];
    private Instance[] _instances = [];

    /// <summary>Replays a set-up.</summary>
    /// <exception cref="InputException">The model does not accept it.</exception>
    public PairStage(TraceFile setup, LeafSet<BranchingState> leaves, bool splitsLocks)
    {
        PlatformInfo platform = setup.Header.Platform with { Profile = leaves.Profile };
        _port = new ModelPort<BranchingState>(new BranchingState(platform), leaves);
        Hardware.Replay.ReplayResult result = new Hardware.Replay.PortReplayer(_port).Replay(setup);
        if (result.Stop is { } stop)
            throw new InputException($"{result.File}:{stop.Line}: the model does not accept this set-up: {stop.Reason}");
        Machine = new AgentMachine<BranchingState>(leaves, splitsLocks);
        _prepared = new GuestProgram[Machine.Programs.Length];
        _port.Machine.Programs.CopyTo(_prepared);
        S.StartHere();
    }

    /// <summary>The state.</summary>
    public ref BranchingState S => ref _port.Machine.State;

    /// <summary>Carries out the steps.</summary>
    public AgentMachine<BranchingState> Machine { get; }

    /// <summary>The two calls.</summary>
    public IReadOnlyList<Instance> Instances => _instances;

    /// <inheritdoc/>
    public void Dispose() => _port.Dispose();

    /// <summary>Chooses the calls and their processors.</summary>
    public void Choose(Instance a, int lpA, Instance b, int lpB)
    {
        _instances = [a, b];
        (_lps[0], _lps[1]) = (lpA, lpB);
    }

    /// <summary>Brings the platform into the state that the pair starts from.</summary>
    public void Start(ref Agent a, ref Agent b)
    {
        GoToStart();
        for (int i = 0; i < 2; i++)
        {
            Instance instance = _instances[i];
            _vcpus[i] = instance.IsOfVcpu ? S.Holder((int)((instance.Tdvpr - S.Platform.PageBase) >> Hpa.PageShift)) : -1;
            if (instance.Operation is { } operation)
                Machine.Programs[_vcpus[i]].Submit(operation);
        }

        for (int i = 0; i < 2; i++)
        {
            RegisterFile registers = _instances[i].Input;
            if (_instances[i].InGuest && (_port.EnterBegin(_lps[i], ref registers, out bool running) != PortResult.Ok || !running))
                throw new InvalidOperationException($"{_instances[i].Name} does not reach the guest: {new StatusCode(registers.Rax)}");
        }

        Begin(0, ref a);
        Begin(1, ref b);
    }

    /// <summary>Takes all back that the pair did.</summary>
    public void GoToStart()
    {
        S.GoBack(0);
        _prepared.CopyTo(Machine.Programs, 0);
    }

    /// <summary>What a later <see cref="Restore"/> goes back to.</summary>
    public (int Mark, GuestProgram A, GuestProgram B) Save() =>
        (S.Mark, _vcpus[0] < 0 ? default : Machine.Programs[_vcpus[0]], _vcpus[1] < 0 ? default : Machine.Programs[_vcpus[1]]);

    /// <summary>Goes back.</summary>
    public void Restore(int mark, in GuestProgram a, in GuestProgram b)
    {
        S.GoBack(mark);
        if (_vcpus[0] >= 0)
            Machine.Programs[_vcpus[0]] = a;
        if (_vcpus[1] >= 0)
            Machine.Programs[_vcpus[1]] = b;
    }

    /// <summary>A hash of what the guests of both calls can tell of their operations.</summary>
    public UInt128 ProgramHash()
    {
        UInt128 hash = 0;
        foreach (int vcpu in _vcpus)
            hash = (hash << 1) ^ (vcpu < 0 ? 0 : ShownToGuest(vcpu));
        return hash;
    }

    /// <summary>How both calls ended.</summary>
    public PairOutcome Outcome(in Agent a, in Agent b) => new()
    {
        Names = (Name(0, a), Name(1, b)),
        Shown = (Shown(0, a), Shown(1, b)),
        Busy = (BusyStatus(0, a) != 0, BusyStatus(1, b) != 0),
        State = FinalState.Of(S),
    };

    /// <summary>The OPERAND_BUSY that a call, or its TDCALL, has returned; 0: none.</summary>
    public ulong BusyStatus(int which, in Agent agent)
    {
        if (agent.IsBusy)
            return 0;
        if (IsBusy(agent.Answer.Rax))
            return agent.Answer.Rax;
        if (!_instances[which].HasTdcall || !Machine.Programs[_vcpus[which]].TdcallReturned)
            return 0;
        ulong result = Machine.Programs[_vcpus[which]].Result.Registers.Rax;
        return IsBusy(result) ? result : 0;
    }

    /// <summary>How a call ended, as contention.csv writes it.</summary>
    public string Name(int which, in Agent agent)
    {
        Instance instance = _instances[which];
        ulong? tdcall = instance.HasTdcall && Machine.Programs[_vcpus[which]].TdcallReturned ? Machine.Programs[_vcpus[which]].Result.Registers.Rax : null;
        string name = OutcomeNames.Of(agent.Answer.Rax, instance.IsOfVcpu, tdcall);
        return instance.HasTdcall && tdcall is null ? $"{name}[-]" : name;
    }

    private static bool IsBusy(ulong rax) => new StatusCode(rax).Base.Value == Status.TDX_OPERAND_BUSY;

    private void Begin(int which, ref Agent agent)
    {
        if (_instances[which].InGuest)
            Machine.BeginInGuest(ref S, ref agent, _lps[which]);
        else
            Machine.Begin(ref S, ref agent, _lps[which], _instances[which].Input);
    }

    private UInt128 Shown(int which, in Agent agent) =>
        WordHash.OfWords(in agent.Answer) ^ (_vcpus[which] < 0 ? 0 : ShownToGuest(_vcpus[which]));

    private UInt128 ShownToGuest(int vcpu) => WordHash.OfProgram(vcpu, Machine.Programs[vcpu]);
}
