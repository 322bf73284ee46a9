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
/// <param name="setup">The set-up.</param>
/// <param name="leaves">The leaves.</param>
/// <param name="splitsLocks">Each atomic instruction of an attempt at a lock is a visible step.</param>
/// <exception cref="InputException">The model does not accept the set-up.</exception>
internal sealed class PairExplorer(TraceFile setup, LeafSet<BranchingState> leaves, bool splitsLocks = false) : IDisposable
{
    private readonly PairStage _stage = new(setup, leaves, splitsLocks);
    private readonly Dictionary<(UInt128 State, UInt128 Calls), int> _nodes = [];
    private readonly List<(int A, int B)> _edges = [];
    private readonly List<(ulong A, ulong B)> _busy = [];
    private readonly Dictionary<int, PairOutcome> _ends = [];
    private readonly HashSet<int> _halts = [];

    /// <inheritdoc/>
    public void Dispose() => _stage.Dispose();

    /// <summary>Explores a pair.</summary>
    /// <param name="a">The first call.</param>
    /// <param name="lpA">Its processor.</param>
    /// <param name="b">The second call.</param>
    /// <param name="lpB">Its processor.</param>
    /// <param name="witnesses">Shortest schedules are looked for too.</param>
    public PairResult Explore(Instance a, int lpA, Instance b, int lpB, bool witnesses = false)
    {
        _nodes.Clear();
        _edges.Clear();
        _busy.Clear();
        _ends.Clear();
        _halts.Clear();
        _stage.Choose(a, lpA, b, lpB);
        var agents = default((Agent A, Agent B));
        _stage.Start(ref agents.A, ref agents.B);
        int start = Visit(ref agents.A, WordHash.OfWords(ref agents.A), ref agents.B, WordHash.OfWords(ref agents.B));
        PairOutcome ab = _ends[Follow(Follow(start, first: true), first: false)];
        PairOutcome ba = _ends[Follow(Follow(start, first: false), first: true)];
        (PairOutcome aloneA, PairOutcome aloneB) = (Alone(0), Alone(1));
        _stage.GoToStart();
        var named = _ends.ToDictionary(
            end => end.Key,
            end => $"{end.Value.Names.A}|{end.Value.Names.B}|{Relation(end.Value, ab, ba, aloneA, aloneB)}{(end.Value.State.HostPriority ? "+hp" : "")}");
        var outcomes = new SortedSet<string>(named.Values, StringComparer.Ordinal);
        if (_halts.Count > 0)
            outcomes.Add(PairResult.Fatal);
        return new PairResult(outcomes, _nodes.Count, witnesses ? Witnesses(named) : []);
    }

    private List<PairWitness> Witnesses(Dictionary<int, string> outcomes) =>
    [
        .. WitnessSearch.Nearest(_edges, node => Shown(node, outcomes))
            .OrderBy(found => found.Key.Of).ThenBy(found => found.Key.What, StringComparer.Ordinal)
            .Select(found => new PairWitness(found.Key.Of, found.Key.What, found.Value)),
    ];

    private IEnumerable<(WitnessOf Of, string What)> Shown(int node, Dictionary<int, string> outcomes)
    {
        if (_busy[node].A != 0)
            yield return (WitnessOf.BusyA, OutcomeNames.Operand(_busy[node].A));
        if (_busy[node].B != 0)
            yield return (WitnessOf.BusyB, OutcomeNames.Operand(_busy[node].B));
        if (_halts.Contains(node))
            yield return (WitnessOf.Halt, PairResult.Fatal);
        if (outcomes.TryGetValue(node, out string? outcome) && PairResult.IsNotSerializable(outcome))
            yield return (WitnessOf.NotSerializable, outcome);
    }

    private int Visit(ref Agent a, UInt128 hashA, ref Agent b, UInt128 hashB)
    {
        (UInt128, UInt128) key = (_stage.S.Hash, WordHash.Of((ulong)(hashA >> 64), (ulong)hashA, (ulong)(hashB >> 64), (ulong)hashB) ^ _stage.ProgramHash());
        if (_nodes.TryGetValue(key, out int node))
            return node;
        node = _nodes.Count;
        _nodes.Add(key, node);
        _edges.Add((-1, -1));
        _busy.Add((_stage.BusyStatus(0, a), _stage.BusyStatus(1, b)));
        if (a.Phase == AgentPhase.Halted || b.Phase == AgentPhase.Halted)
        {
            _halts.Add(node);
            return node;
        }

        if (!a.IsBusy && !b.IsBusy)
        {
            _ends.Add(node, _stage.Outcome(a, b));
            return node;
        }

        if (a.IsBusy)
        {
            Agent before = a;
            (int mark, GuestProgram first, GuestProgram second) = _stage.Save();
            _stage.Machine.Step(ref _stage.S, ref a);
            _edges[node] = _edges[node] with { A = Visit(ref a, WordHash.OfWords(ref a), ref b, hashB) };
            _stage.Restore(mark, first, second);
            a = before;
        }

        if (b.IsBusy)
        {
            Agent before = b;
            (int mark, GuestProgram first, GuestProgram second) = _stage.Save();
            _stage.Machine.Step(ref _stage.S, ref b);
            _edges[node] = _edges[node] with { B = Visit(ref a, hashA, ref b, WordHash.OfWords(ref b)) };
            _stage.Restore(mark, first, second);
            b = before;
        }

        return node;
    }

    private int Follow(int node, bool first)
    {
        while ((first ? _edges[node].A : _edges[node].B) is >= 0 and var next)
            node = next;
        return node;
    }

    private PairOutcome Alone(int which)
    {
        var agents = default((Agent A, Agent B));
        _stage.Start(ref agents.A, ref agents.B);
        ref Agent agent = ref which == 0 ? ref agents.A : ref agents.B;
        while (agent.IsBusy)
            _stage.Machine.Step(ref _stage.S, ref agent);
        return _stage.Outcome(agents.A, agents.B);
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
        return noEffect ? "busy" : PairResult.NotSerializable;
    }

    // A vCPU has run meanwhile anyhow: then only S-EPT, PAMT and TDR are compared.
    private bool IsSame(int busy, FinalState end, FinalState alone) =>
        _stage.Instances[busy].IsOfVcpu ? end.SeptPamtTdr == alone.SeptPamtTdr : end.All == alone.All;
}
