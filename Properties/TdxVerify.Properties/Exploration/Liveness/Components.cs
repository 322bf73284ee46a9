namespace TdxVerify.Properties.Exploration.Liveness;

/// <summary>Finds the strongly connected components of a part of a graph (Tarjan's algorithm, without recursion).</summary>
/// <param name="graph">The graph.</param>
/// <param name="holds">Which edges the part has: a bit for each kind.</param>
/// <param name="singles">States that are in no circle are components too.</param>
internal sealed class Components(StateGraph graph, bool[] holds, bool singles = false)
{
    private readonly int[] _order = new int[graph.States];
    private readonly int[] _low = new int[graph.States];
    private readonly List<int> _open = [];
    private readonly Stack<(int State, int Edge)> _path = new();
    private int _count;

    /// <summary>Calls back for each component, successors first.</summary>
    /// <param name="states">The states of the part.</param>
    /// <param name="contains">A state is in the part.</param>
    /// <param name="found">Takes the states of a component; true: look no further.</param>
    public bool Find(IEnumerable<int> states, Func<int, bool> contains, Func<IReadOnlyList<int>, bool> found)
    {
        _count = 0;
        _open.Clear();
        var roots = states as IReadOnlyList<int> ?? [.. states];
        foreach (int state in roots)
            _order[state] = 0;
        foreach (int root in roots)
        {
            if (_order[root] == 0 && Visit(root, contains, found))
                return true;
        }

        return false;
    }

    private bool Visit(int root, Func<int, bool> contains, Func<IReadOnlyList<int>, bool> found)
    {
        _path.Clear();
        Open(root);
        while (_path.TryPop(out (int State, int Edge) at))
        {
            ReadOnlySpan<Edge> edges = graph.From(at.State);
            if (at.Edge > 0)
                Lower(at.State, edges[at.Edge - 1].Target);
            int edge = at.Edge;
            while (edge < edges.Length && (!holds[edges[edge].Kind] || !contains(edges[edge].Target) || !IsNew(at.State, edges[edge].Target)))
                edge++;
            if (edge < edges.Length)
            {
                _path.Push((at.State, edge + 1));
                Open(edges[edge].Target);
            }
            else if (_low[at.State] == _order[at.State] && Close(at.State, found))
            {
                return true;
            }
        }

        return false;
    }

    private void Open(int state)
    {
        _order[state] = _low[state] = ++_count;
        _open.Add(state);
        _path.Push((state, 0));
    }

    // An edge to a state that is visited already only lowers, and only while that state's component is open.
    private bool IsNew(int from, int to)
    {
        if (_order[to] == 0)
            return true;
        if (_order[to] > 0)
            _low[from] = Math.Min(_low[from], _order[to]);
        return false;
    }

    private void Lower(int from, int to)
    {
        if (_order[to] > 0)
            _low[from] = Math.Min(_low[from], _low[to]);
    }

    private bool Close(int root, Func<IReadOnlyList<int>, bool> found)
    {
        int first = _open.Count - 1;
        while (_open[first] != root)
            first--;
        List<int> component = _open[first..];
        _open.RemoveRange(first, component.Count);
        bool hasEdge = singles || component.Count > 1;
        foreach (Edge edge in graph.From(root))
            hasEdge |= edge.Target == root && holds[edge.Kind];
        foreach (int state in component)
            _order[state] = -1;
        return hasEdge && found(component);
    }
}
