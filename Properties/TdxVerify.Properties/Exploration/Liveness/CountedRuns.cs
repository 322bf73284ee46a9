namespace TdxVerify.Properties.Exploration.Liveness;

/// <summary>The most that something can happen in a row.</summary>
/// <param name="Most">The number, circles left out.</param>
/// <param name="Spins">It can also happen any number of times while another agent stands still.</param>
/// <param name="IsEndless">It can go on for ever although every agent gets its turns.</param>
internal readonly record struct CountedRun(int Most, bool Spins, bool IsEndless);

/// <summary>How often something can happen in a run before something else does: the bound of a retry loop, of kicks, of refusals in a row.</summary>
internal static class CountedRuns
{
    /// <summary>The most counted steps of a run between two steps that begin the count anew.</summary>
    /// <remarks>
    /// Without the steps that begin anew, a circle with a counted step in it is a count without bound: a fair one if its
    /// component is fair, since the circle through all of that is. All states of a component have the same count ahead of
    /// them, which follows from those of its successors.
    /// </remarks>
    /// <param name="graph">The graph of a complete search.</param>
    /// <param name="counts">A step counts.</param>
    /// <param name="beginsAnew">A step begins the count anew.</param>
    public static CountedRun Most(StateGraph graph, Func<EdgeKind, bool> counts, Func<EdgeKind, bool> beginsAnew)
    {
        bool[] counted = [.. graph.Kinds.Select(counts)];
        if (!Array.Exists(counted, each => each))
            return default;
        bool[] holds = [.. graph.Kinds.Select(kind => !beginsAnew(kind))];
        int[] ahead = new int[graph.States];
        int[] component = new int[graph.States];
        int components = 0;
        int most = 0;
        bool spins = false;
        bool isEndless = new Components(graph, holds, singles: true).Find([.. Enumerable.Range(0, graph.States)], _ => true, states =>
        {
            int own = ++components;
            foreach (int state in states)
                component[state] = own;
            (int best, bool isCircle) = Best(graph, states, holds, counted, ahead, component);
            foreach (int state in states)
                ahead[state] = best;
            most = Math.Max(most, best);
            spins |= isCircle;
            return isCircle && new FairComponent(graph, holds, states, state => component[state] == own).IsWeaklyFair;
        });
        return new CountedRun(most, spins, isEndless);
    }

    private static (int Best, bool IsCircle) Best(StateGraph graph, IReadOnlyList<int> states, bool[] holds, bool[] counted, int[] ahead, int[] component)
    {
        int best = 0;
        bool isCircle = false;
        int own = component[states[0]];
        foreach (int state in states)
        {
            foreach (Edge edge in graph.From(state))
            {
                if (!holds[edge.Kind])
                    continue;
                int count = counted[edge.Kind] ? 1 : 0;
                isCircle |= count > 0 && component[edge.Target] == own;
                best = Math.Max(best, ahead[edge.Target] + count);
            }
        }

        return (best, isCircle);
    }
}
