namespace TdxVerify.Properties.Exploration.Liveness;

/// <summary>A strongly connected component, and who can do what in it.</summary>
internal sealed class FairComponent
{
    private readonly StateGraph _graph;
    private readonly bool[] _holds;
    private readonly Func<int, bool> _contains;
    private readonly HashSet<(int Agent, int From)> _possible = [];
    private readonly HashSet<(int Agent, int From)> _taken = [];

    public FairComponent(StateGraph graph, bool[] holds, IReadOnlyList<int> states, Func<int, bool> contains)
    {
        _graph = graph;
        _holds = holds;
        _contains = contains;
        States = states;
        foreach (int state in states)
        {
            uint due = 0;
            foreach (Edge edge in graph.From(state))
            {
                EdgeKind kind = graph.Kinds[edge.Kind];
                if (kind.IsDue)
                {
                    due |= 1u << kind.Agent;
                    if (!kind.IsRefused)
                        _possible.Add((kind.Agent, kind.From));
                }

                if (!Contains(edge))
                    continue;
                Steps |= 1u << kind.Agent;
                if (!kind.IsRefused)
                    _taken.Add((kind.Agent, kind.From));
            }

            Waits |= ~due;
        }

        foreach ((int Agent, int From) attempt in _possible)
        {
            if (!_taken.Contains(attempt))
                Neglected.Add(attempt);
        }
    }

    /// <summary>The states.</summary>
    public IReadOnlyList<int> States { get; }

    /// <summary>Agents that make a step in it.</summary>
    public uint Steps { get; }

    /// <summary>Agents that have nothing that they must do in some state of it.</summary>
    public uint Waits { get; }

    /// <summary>Every agent steps, or has nothing that it must do now and then.</summary>
    public bool IsWeaklyFair => (Steps | Waits) == uint.MaxValue;

    /// <summary>Attempts that would succeed in some state of it and never do.</summary>
    public HashSet<(int Agent, int From)> Neglected { get; } = [];

    /// <summary>The step is one within the component.</summary>
    public bool Contains(Edge edge) => _holds[edge.Kind] && _contains(edge.Target);

    /// <summary>One of the attempts would succeed in a state.</summary>
    public bool Allows(int state, IReadOnlySet<(int Agent, int From)> attempts)
    {
        foreach (Edge edge in _graph.From(state))
        {
            EdgeKind kind = _graph.Kinds[edge.Kind];
            if (kind.IsDue && !kind.IsRefused && attempts.Contains((kind.Agent, kind.From)))
                return true;
        }

        return false;
    }
}
