namespace TdxVerify.Properties.Exploration.Liveness;

/// <summary>A strongly connected component, and who can do what in it.</summary>
internal sealed class FairComponent
{
    private readonly bool[] _holds;
    private readonly Func<int, bool> _contains;

    public FairComponent(StateGraph graph, bool[] holds, IReadOnlyList<int> states, Func<int, bool> contains)
    {
        _holds = holds;
        _contains = contains;
        States = states;
        foreach (int state in states)
        {
            uint due = 0;
            foreach (Edge edge in graph.From(state))
            {
                EdgeKind kind = graph.Kinds[edge.Kind];
                due |= 1u << kind.Agent;
                if (!Contains(edge))
                    continue;
                Steps |= 1u << kind.Agent;
                if (Attempts.SucceedingIn(kind) is { } success)
                    Successes.Add(success);
            }

            Waits |= ~due;
        }
    }

    /// <summary>The states.</summary>
    public IReadOnlyList<int> States { get; }

    /// <summary>Agents that make a step in it.</summary>
    public uint Steps { get; }

    /// <summary>Agents that can do nothing in some state of it.</summary>
    public uint Waits { get; }

    /// <summary>Every agent steps, or can do nothing now and then.</summary>
    public bool IsWeaklyFair => (Steps | Waits) == uint.MaxValue;

    /// <summary>Attempts that succeed in it.</summary>
    public HashSet<Attempt> Successes { get; } = [];

    /// <summary>The step is one within the component.</summary>
    public bool Contains(Edge edge) => _holds[edge.Kind] && _contains(edge.Target);
}
