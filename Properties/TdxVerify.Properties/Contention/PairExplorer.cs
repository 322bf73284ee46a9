using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Contention;

/// <summary>
/// All interleavings of two calls from a prepared state, visible step by visible step. States that are reached twice
/// are explored once, so the graph covers every interleaving.
/// </summary>
/// <remarks>
/// States are told apart by a 128-bit hash of what differs from the start and of both calls' locals, as the recorded
/// exploration of the real module did. One explorer a thread: it keeps one platform for all pairs of its set-up.
/// </remarks>
internal sealed class PairExplorer : IDisposable
{
    private readonly ModelPort<BranchingState> _port;
    private readonly AgentMachine<BranchingState> _machine;
    private readonly GuestProgram[] _prepared;
    private readonly Dictionary<(UInt128 State, UInt128 Calls), int> _nodes = [];
    private readonly List<(int A, int B)> _edges = [];
    private readonly Dictionary<int, PairOutcome> _ends = [];
    private readonly int[] _vcpus = [-1, -1];
    private Instance[] _instances = [];
    private bool _halts;

    /// <summary>Replays a set-up.</summary>
    /// <exception cref="InputException">The model does not accept it.</exception>
    public PairExplorer(TraceFile setup, LeafSet<BranchingState> leaves)
    {
        _port = new ModelPort<BranchingState>(new BranchingState(setup.Header.Platform), leaves);
        Hardware.Replay.ReplayResult result = new Hardware.Replay.PortReplayer(_port).Replay(setup);
        if (result.Stop is { } stop)
            throw new InputException($"{result.File}:{stop.Line}: the model does not accept this set-up: {stop.Reason}");
        _machine = new AgentMachine<BranchingState>(leaves);
        _prepared = new GuestProgram[_machine.Programs.Length];
        _port.Machine.Programs.CopyTo(_prepared);
        S.StartHere();
    }

    private ref BranchingState S => ref _port.Machine.State;

    /// <inheritdoc/>
    public void Dispose() => _port.Dispose();

    /// <summary>Explores a pair.</summary>
    public PairResult Explore(Instance a, int lpA, Instance b, int lpB)
    {
        _instances = [a, b];
        _nodes.Clear();
        _edges.Clear();
        _ends.Clear();
        _halts = false;
        var agents = default((Agent A, Agent B));
        Prepare([lpA, lpB], ref agents.A, ref agents.B);
        int start = Visit(ref agents.A, WordHash.OfWords(ref agents.A), ref agents.B, WordHash.OfWords(ref agents.B));
        PairOutcome ab = _ends[Follow(Follow(start, first: true), first: false)];
        PairOutcome ba = _ends[Follow(Follow(start, first: false), first: true)];
        (PairOutcome aloneA, PairOutcome aloneB) = (Alone(0, lpA, lpB), Alone(1, lpA, lpB));
        S.GoBack(0);
        var outcomes = new SortedSet<string>(StringComparer.Ordinal);
        foreach (PairOutcome end in _ends.Values)
            outcomes.Add($"{end.Names.A}|{end.Names.B}|{Relation(end, ab, ba, aloneA, aloneB)}{(end.State.HostPriority ? "+hp" : "")}");
        if (_halts)
            outcomes.Add("fatal");
        return new PairResult(outcomes, _nodes.Count);
    }

    private void Prepare(ReadOnlySpan<int> lps, ref Agent a, ref Agent b)
    {
        S.GoBack(0);
        _prepared.CopyTo(_machine.Programs, 0);
        for (int i = 0; i < 2; i++)
        {
            Instance instance = _instances[i];
            _vcpus[i] = instance.IsOfVcpu ? S.Holder((int)((instance.Tdvpr - S.Platform.PageBase) >> Hpa.PageShift)) : -1;
            if (instance.Operation is { } operation)
                _machine.Programs[_vcpus[i]].Submit(operation);
        }

        for (int i = 0; i < 2; i++)
        {
            RegisterFile registers = _instances[i].Input;
            if (_instances[i].InGuest && (_port.EnterBegin(lps[i], ref registers, out bool running) != PortResult.Ok || !running))
                throw new InvalidOperationException($"{_instances[i].Name} does not reach the guest: {new StatusCode(registers.Rax)}");
        }

        Begin(0, lps[0], ref a);
        Begin(1, lps[1], ref b);
    }

    private void Begin(int which, int lp, ref Agent agent)
    {
        if (_instances[which].InGuest)
            _machine.BeginInGuest(ref S, ref agent, lp);
        else
            _machine.Begin(ref S, ref agent, lp, _instances[which].Input);
    }

    private int Visit(ref Agent a, UInt128 hashA, ref Agent b, UInt128 hashB)
    {
        (UInt128, UInt128) key = (S.Hash, WordHash.Of((ulong)(hashA >> 64), (ulong)hashA, (ulong)(hashB >> 64), (ulong)hashB) ^ Programs());
        if (_nodes.TryGetValue(key, out int node))
            return node;
        node = _nodes.Count;
        _nodes.Add(key, node);
        _edges.Add((-1, -1));
        if (a.Phase == AgentPhase.Halted || b.Phase == AgentPhase.Halted)
        {
            _halts = true;
            return node;
        }

        if (!a.IsBusy && !b.IsBusy)
        {
            _ends.Add(node, Outcome(a, b));
            return node;
        }

        if (a.IsBusy)
        {
            Agent before = a;
            (int mark, GuestProgram first, GuestProgram second) = Save();
            _machine.Step(ref S, ref a);
            _edges[node] = _edges[node] with { A = Visit(ref a, WordHash.OfWords(ref a), ref b, hashB) };
            Restore(mark, first, second);
            a = before;
        }

        if (b.IsBusy)
        {
            Agent before = b;
            (int mark, GuestProgram first, GuestProgram second) = Save();
            _machine.Step(ref S, ref b);
            _edges[node] = _edges[node] with { B = Visit(ref a, hashA, ref b, WordHash.OfWords(ref b)) };
            Restore(mark, first, second);
            b = before;
        }

        return node;
    }

    private (int Mark, GuestProgram A, GuestProgram B) Save() =>
        (S.Mark, _vcpus[0] < 0 ? default : _machine.Programs[_vcpus[0]], _vcpus[1] < 0 ? default : _machine.Programs[_vcpus[1]]);

    private void Restore(int mark, in GuestProgram a, in GuestProgram b)
    {
        S.GoBack(mark);
        if (_vcpus[0] >= 0)
            _machine.Programs[_vcpus[0]] = a;
        if (_vcpus[1] >= 0)
            _machine.Programs[_vcpus[1]] = b;
    }

    private UInt128 Programs()
    {
        UInt128 hash = 0;
        foreach (int vcpu in _vcpus)
            hash = (hash << 1) ^ (vcpu < 0 ? 0 : Shown(vcpu));
        return hash;
    }

    private UInt128 Shown(int vcpu) => WordHash.OfProgram(vcpu, _machine.Programs[vcpu]);

    private int Follow(int node, bool first)
    {
        while ((first ? _edges[node].A : _edges[node].B) is >= 0 and var next)
            node = next;
        return node;
    }

    private PairOutcome Alone(int which, int lpA, int lpB)
    {
        var agents = default((Agent A, Agent B));
        Prepare([lpA, lpB], ref agents.A, ref agents.B);
        ref Agent agent = ref which == 0 ? ref agents.A : ref agents.B;
        while (agent.IsBusy)
            _machine.Step(ref S, ref agent);
        return Outcome(agents.A, agents.B);
    }

    private PairOutcome Outcome(in Agent a, in Agent b) => new()
    {
        Names = (Name(0, a), Name(1, b)),
        Shown = (Shown(0, a), Shown(1, b)),
        Busy = (IsBusy(0, a), IsBusy(1, b)),
        State = FinalState.Of(S),
    };

    private UInt128 Shown(int which, in Agent agent) =>
        WordHash.OfWords(in agent.Answer) ^ (_vcpus[which] < 0 ? 0 : Shown(_vcpus[which]));

    private bool IsBusy(int which, in Agent agent) =>
        IsBusyStatus(agent.Answer.Rax)
        || (_instances[which].HasTdcall && _machine.Programs[_vcpus[which]].TdcallReturned && IsBusyStatus(_machine.Programs[_vcpus[which]].Result.Registers.Rax));

    private static bool IsBusyStatus(ulong rax) => new StatusCode(rax).Base.Value == Status.TDX_OPERAND_BUSY;

    private string Name(int which, in Agent agent)
    {
        Instance instance = _instances[which];
        string name = instance.IsOfVcpu && agent.Answer.Rax is (ulong)ExitReason.Tdcall or (ulong)ExitReason.EptViolation
            ? $"exit{agent.Answer.Rax}"
            : OutcomeNames.Of(agent.Answer.Rax);
        if (!instance.HasTdcall)
            return name;
        ref GuestProgram program = ref _machine.Programs[_vcpus[which]];
        return program.TdcallReturned ? $"{name}[{OutcomeNames.Of(program.Result.Registers.Rax)}]" : $"{name}[-]";
    }

    private string Relation(PairOutcome end, PairOutcome ab, PairOutcome ba, PairOutcome aloneA, PairOutcome aloneB)
    {
        foreach (PairOutcome order in (PairOutcome[])[ab, ba])
        {
            if (end.Shown == order.Shown && end.State.All == order.State.All)
                return "ser";
        }

        bool noEffect = end.Busy switch
        {
            (true, true) => IsSame(0, end.State, default) || IsSame(1, end.State, default),
            (true, false) => end.Shown.B == aloneB.Shown.B && IsSame(0, end.State, aloneB.State),
            (false, true) => end.Shown.A == aloneA.Shown.A && IsSame(1, end.State, aloneA.State),
            _ => false,
        };
        return noEffect ? "busy" : "nonser";
    }

    // A vCPU has run meanwhile anyhow: then only S-EPT, PAMT and TDR are compared.
    private bool IsSame(int busy, FinalState end, FinalState alone) =>
        _instances[busy].IsOfVcpu ? end.SeptPamtTdr == alone.SeptPamtTdr : end.All == alone.All;
}
