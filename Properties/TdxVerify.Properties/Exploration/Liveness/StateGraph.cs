using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration.Liveness;

/// <summary>
/// A completed search as a graph: states numbered in the order of their stores, and for each the steps that leave it.
/// </summary>
/// <remarks>
/// Why it is built once and kept: every question about cycles goes through all edges several times, and a step is eight
/// bytes here while making it again costs a lookup in the set of states.
/// </remarks>
internal sealed unsafe class StateGraph
{
    private const int BlockSize = 64;

    private readonly int[] _firstEdge;
    private readonly int[] _offsets;
    private readonly Edge[] _edges;
    private int _edgeCount;

    private StateGraph(int[] offsets, int states, int edges)
    {
        _offsets = offsets;
        _firstEdge = new int[states + 1];
        _edges = new Edge[edges];
    }

    /// <summary>Agents.</summary>
    public int Agents { get; private init; }

    /// <summary>States.</summary>
    public int States => _firstEdge.Length - 1;

    /// <summary>Steps.</summary>
    public int Edges => _edgeCount;

    /// <summary>The kinds of steps, by <see cref="Edge.Kind"/>.</summary>
    public IReadOnlyList<EdgeKind> Kinds { get; private set; } = [];

    /// <summary>For each state, a bit for each agent that can do nothing more there.</summary>
    public uint[] Done { get; private set; } = [];

    /// <summary>The steps that leave a state.</summary>
    public ReadOnlySpan<Edge> From(int state) => _edges.AsSpan(_firstEdge[state], _firstEdge[state + 1] - _firstEdge[state]);

    /// <summary>The number of a stored state.</summary>
    public int Number(StateId id) => _offsets[id.Worker] + id.Index;

    /// <summary>The stored state with a number.</summary>
    public StateId Id(int state)
    {
        int worker = _offsets.Length - 1;
        while (_offsets[worker] > state)
            worker--;
        return new StateId(worker, state - _offsets[worker]);
    }

    /// <summary>Bytes of the graph of a search and of what is kept beside it to judge it.</summary>
    public static long BytesFor(long states, long transitions, int agents) => (transitions * 8) + (states * (40 + agents));

    /// <summary>A graph of more steps or states is not built: their numbers would have no room.</summary>
    public static bool IsTooLarge(long states, long transitions, int agents) => transitions > Array.MaxLength || states * agents > Array.MaxLength;

    /// <summary>The graph of a search that is complete.</summary>
    public static StateGraph Of<TLocal>(Search<TLocal> search)
        where TLocal : unmanaged
    {
        StateSet set = search.Set;
        int[] offsets = new int[set.Workers];
        int states = 0;
        for (int worker = 0; worker < set.Workers; worker++)
        {
            offsets[worker] = states;
            states = checked(states + set.CountOf(worker));
        }

        var graph = new StateGraph(offsets, states + 1, checked((int)search.Progress.Transitions)) { Done = new uint[states + 1], Agents = search.System.Layout.Agents };
        graph.Fill(search);
        return graph;
    }

    /// <summary>The steps of a loop, as those who make them and the ways that they take.</summary>
    public IEnumerable<(int Agent, int Choice)> StepsOf<TLocal>(Search<TLocal> search, Lasso lasso)
        where TLocal : unmanaged
    {
        for (int i = 0; i < lasso.Loop.Count; i++)
        {
            EdgeKind kind = Kinds[From(lasso.Loop[i])[lasso.Steps[i]].Kind];
            int own = 0;
            for (int step = 0; step < lasso.Steps[i]; step++)
                own += Kinds[From(lasso.Loop[i])[step].Kind].Agent == kind.Agent ? 1 : 0;
            yield return (kind.Agent, ChoiceOf(search, lasso.Loop[i], kind.Agent, own));
        }
    }

    // Ways in which the agent would have to wait have a number too, but no edge.
    private unsafe int ChoiceOf<TLocal>(Search<TLocal> search, int state, int agent, int place)
        where TLocal : unmanaged
    {
        using var successors = new Successors(search.Set.Words);
        bool independent = true;
        search.System.Expand(search.Set[Id(state)], agent, 0, successors, ref independent);
        return successors.Transition(place).Choice;
    }

    // In blocks, so that the table and the states are fetched before they are looked at, as in the search.
    private void Fill<TLocal>(Search<TLocal> search)
        where TLocal : unmanaged
    {
        StateSet set = search.Set;
        var kinds = new Dictionary<EdgeKind, int>();
        using var successors = new Successors(set.Words);
        bool independent = true;
        int end = States - 1;
        for (int first = 0; first < end; first += BlockSize)
        {
            successors.Clear();
            int count = Math.Min(BlockSize, end - first);
            for (int state = first; state < first + count; state++)
            {
                for (int agent = 0; agent < Agents; agent++)
                {
                    if (search.System.Expand(set[Id(state)], agent, state, successors, ref independent) == StepEnd.Done)
                        Done[state] |= 1u << agent;
                }

                _firstEdge[state + 1] = _edgeCount + successors.Count;
            }

            set.HashAndPrefetch(successors);
            for (int i = 0; i < successors.Count; i++)
                _edges[_edgeCount++] = EdgeTo(search, successors, i, kinds);
        }

        _firstEdge[end + 1] = _edgeCount;
        Done[end] = uint.MaxValue;
        Kinds = [.. kinds.Keys];
    }

    private Edge EdgeTo<TLocal>(Search<TLocal> search, Successors successors, int i, Dictionary<EdgeKind, int> kinds)
        where TLocal : unmanaged
    {
        Transition step = successors.Transition(i);
        bool isLast = (step.Events & search.Ends) != 0;
        StateId target = default;
        if (!isLast && !search.Set.TryFind(successors[i], successors.Hash(i), out target))
            throw new InvalidOperationException("a step leads out of the states found: the search is not complete");
        var kind = new EdgeKind(step.Agent, step.Events, step.Traits, step.Attempt);
        if (!kinds.TryGetValue(kind, out int number))
            kinds.Add(kind, number = kinds.Count);
        return new Edge(isLast ? States - 1 : Number(target), number);
    }
}

/// <summary>One step between two states.</summary>
/// <param name="Target">The state that it leads to.</param>
/// <param name="Kind">What it is: its place in <see cref="StateGraph.Kinds"/>.</param>
internal readonly record struct Edge(int Target, int Kind);

/// <summary>What a step is apart from the state in which it is made.</summary>
/// <param name="Agent">Who makes it.</param>
/// <param name="Events">What it reports.</param>
/// <param name="Traits">What else is to be known about it.</param>
/// <param name="Number">The number of the attempt that it belongs to.</param>
internal readonly record struct EdgeKind(int Agent, ulong Events, StepTraits Traits, int Number)
{
    /// <summary>The attempt that it belongs to.</summary>
    public Attempt Attempt => new(Agent, Number, Is(StepTraits.Recurring));

    /// <summary>The step has a trait.</summary>
    public bool Is(StepTraits trait) => (Traits & trait) != 0;
}
