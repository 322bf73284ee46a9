namespace TdxVerify.Properties.Exploration.Liveness;

/// <summary>
/// Looks for a cycle that goes on for ever although everybody gets the turns that fairness demands, and in which something
/// never happens.
/// </summary>
/// <remarks>
/// A strongly connected component without the steps that must not happen holds such a cycle if it is fair: then the
/// cycle that goes through all of it is. Under strong fairness the states in which an attempt would succeed that never
/// does in the component are taken out, and what remains is looked through again (Emerson and Lei, for Streett
/// conditions).
/// </remarks>
internal sealed class FairCycles
{
    private readonly StateGraph _graph;
    private readonly Attempts _attempts;
    private readonly int[] _region;
    private int _regions;

    public FairCycles(StateGraph graph, Attempts attempts)
    {
        _graph = graph;
        _attempts = attempts;
        _region = new int[graph.States];
    }

    /// <summary>The states of a component with a fair cycle; null: there is none.</summary>
    /// <param name="never">The steps that must not be in it.</param>
    /// <param name="fairness">What is assumed.</param>
    /// <param name="counts">Whether a component is one that is looked for.</param>
    public FairComponent? Find(Func<EdgeKind, bool> never, Fairness fairness, Func<FairComponent, bool> counts)
    {
        bool[] holds = [.. _graph.Kinds.Select(kind => !never(kind))];
        var components = new Components(_graph, holds);
        Array.Clear(_region);
        _regions = 0;
        var parts = new Queue<(IReadOnlyList<int> States, int Region)>();
        parts.Enqueue(([.. Enumerable.Range(0, _graph.States)], 0));
        FairComponent? fair = null;
        while (fair is null && parts.TryDequeue(out (IReadOnlyList<int> States, int Region) part))
        {
            components.Find(part.States, state => _region[state] == part.Region, states =>
            {
                int region = ++_regions;
                foreach (int state in states)
                    _region[state] = region;
                var component = new FairComponent(_graph, holds, states, state => _region[state] == region);
                if (!component.IsWeaklyFair || !counts(component))
                    return false;
                HashSet<Attempt> neglected = Neglected(component, fairness);
                if (neglected.Count == 0)
                {
                    fair = component;
                    return true;
                }

                int rest = ++_regions;
                List<int> left = [.. states.Where(state => !_attempts.AreAnyPossible(state, fairness, neglected))];
                foreach (int state in left)
                    _region[state] = rest;
                if (left.Count > 0)
                    parts.Enqueue((left, rest));
                return false;
            });
        }

        return fair;
    }

    // What would succeed in some state of the component and never does.
    private HashSet<Attempt> Neglected(FairComponent component, Fairness fairness)
    {
        var possible = new HashSet<Attempt>();
        foreach (int state in component.States)
            _attempts.AddPossible(state, fairness, possible);
        possible.ExceptWith(component.Successes);
        return possible;
    }
}
