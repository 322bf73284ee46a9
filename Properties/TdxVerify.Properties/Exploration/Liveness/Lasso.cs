namespace TdxVerify.Properties.Exploration.Liveness;

/// <summary>A run that never ends: steps up to a state, and steps from there back to it.</summary>
/// <param name="Start">The state at which the loop begins.</param>
/// <param name="Loop">The states of the loop in order; the last leads back to the first.</param>
/// <param name="Steps">The place of each step of the loop among those that leave its state.</param>
internal sealed record Lasso(int Start, IReadOnlyList<int> Loop, IReadOnlyList<int> Steps)
{
    /// <summary>A short fair loop in a component, from the state of it that is reached first.</summary>
    public static Lasso In(StateGraph graph, Attempts possible, FairComponent component, Fairness fairness)
    {
        var loop = new List<int>();
        var steps = new List<int>();
        int start = component.States.Min();
        int at = start;
        uint missing = ~(component.Waits & ~component.Steps);
        missing &= component.Steps | component.Waits;
        var attempts = new HashSet<Attempt>();
        var met = new HashSet<Attempt>();
        uint waited = WaitsAt(graph, start);
        uint stepped = 0;
        while (true)
        {
            // What the states passed so far make possible has to succeed somewhere in the loop too.
            foreach (int state in loop.Append(at))
                possible.AddPossible(state, fairness, attempts);
            attempts.ExceptWith(met);

            uint open = missing & ~stepped & ~waited;
            bool satisfied = open == 0 && attempts.Count == 0;
            if (satisfied && at == start && loop.Count > 0)
                return new Lasso(start, loop, steps);
            IReadOnlyList<(int State, int Step)> path = Way(graph, component, at, (state, step, target) =>
            {
                if (satisfied)
                    return target == start;
                EdgeKind kind = graph.Kinds[graph.From(state)[step].Kind];
                return (open >> kind.Agent & 1) != 0 || (WaitsAt(graph, target) & open) != 0
                    || (Attempts.SucceedingIn(kind) is { } success && attempts.Contains(success));
            });
            foreach ((int state, int step) in path)
            {
                Edge edge = graph.From(state)[step];
                EdgeKind kind = graph.Kinds[edge.Kind];
                loop.Add(state);
                steps.Add(step);
                stepped |= 1u << kind.Agent;
                if (Attempts.SucceedingIn(kind) is { } success)
                    met.Add(success);
                at = edge.Target;
                waited |= WaitsAt(graph, at);
            }
        }
    }

    /// <summary>Every agent steps or has to wait somewhere in the loop, and what is possible in it succeeds in it.</summary>
    public bool IsFair(StateGraph graph, Attempts attempts, Fairness fairness)
    {
        var possible = new HashSet<Attempt>();
        uint served = 0;
        for (int i = 0; i < Loop.Count; i++)
        {
            served |= WaitsAt(graph, Loop[i]) | 1u << KindOf(graph, i).Agent;
            attempts.AddPossible(Loop[i], fairness, possible);
        }

        for (int i = 0; i < Loop.Count; i++)
        {
            if (Attempts.SucceedingIn(KindOf(graph, i)) is { } success)
                possible.Remove(success);
        }

        return served == uint.MaxValue && possible.Count == 0;
    }

    /// <summary>The same steps in another order, with fewer turns, as fair as before.</summary>
    public Lasso InFewestSwitches(StateGraph graph, Attempts attempts, Fairness fairness)
    {
        var order = FewestSwitches.Of<LoopStep>(
            [.. Enumerable.Range(0, Loop.Count).Select(i => new LoopStep(KindOf(graph, i), PlaceAmongOwn(graph, i)))],
            step => step.Kind.Agent,
            steps => Follow(graph, steps) is { } lasso && lasso.IsFair(graph, attempts, fairness));
        return Follow(graph, order)!;
    }

    private EdgeKind KindOf(StateGraph graph, int i) => graph.Kinds[graph.From(Loop[i])[Steps[i]].Kind];

    private int PlaceAmongOwn(StateGraph graph, int i)
    {
        int place = 0;
        for (int step = 0; step < Steps[i]; step++)
            place += graph.Kinds[graph.From(Loop[i])[step].Kind].Agent == KindOf(graph, i).Agent ? 1 : 0;
        return place;
    }

    // Null: a step is not possible where it would have to be made, or they do not lead back.
    private Lasso? Follow(StateGraph graph, IReadOnlyList<LoopStep> order)
    {
        var loop = new List<int>();
        var steps = new List<int>();
        int at = Start;
        foreach (LoopStep wanted in order)
        {
            int step = Find(graph, at, wanted);
            if (step < 0)
                return null;
            loop.Add(at);
            steps.Add(step);
            at = graph.From(at)[step].Target;
        }

        return at == Start ? new Lasso(Start, loop, steps) : null;
    }

    private static int Find(StateGraph graph, int state, LoopStep wanted)
    {
        ReadOnlySpan<Edge> edges = graph.From(state);
        for (int step = 0, place = 0; step < edges.Length; step++)
        {
            EdgeKind kind = graph.Kinds[edges[step].Kind];
            if (kind.Agent == wanted.Kind.Agent && place++ == wanted.Place)
                return kind == wanted.Kind ? step : -1;
        }

        return -1;
    }

    // What is done, and by which of the ways that the agent has.
    private readonly record struct LoopStep(EdgeKind Kind, int Place);

    private static uint WaitsAt(StateGraph graph, int state)
    {
        uint due = 0;
        foreach (Edge edge in graph.From(state))
            due |= 1u << graph.Kinds[edge.Kind].Agent;
        return ~due;
    }

    // The fewest steps within the component up to and with one that is wanted.
    private static List<(int State, int Step)> Way(StateGraph graph, FairComponent component, int from, Func<int, int, int, bool> isWanted)
    {
        var cameFrom = new Dictionary<int, (int State, int Step)>();
        var queue = new Queue<int>([from]);
        while (queue.TryDequeue(out int state))
        {
            for (int step = 0; step < graph.From(state).Length; step++)
            {
                Edge edge = graph.From(state)[step];
                if (!component.Contains(edge))
                    continue;
                if (isWanted(state, step, edge.Target))
                    return Back(cameFrom, from, state, step);
                if (edge.Target != from && cameFrom.TryAdd(edge.Target, (state, step)))
                    queue.Enqueue(edge.Target);
            }
        }

        throw new InvalidOperationException("a component is not strongly connected");
    }

    private static List<(int State, int Step)> Back(Dictionary<int, (int State, int Step)> cameFrom, int from, int state, int step)
    {
        var path = new List<(int, int)> { (state, step) };
        while (state != from)
        {
            (state, int before) = cameFrom[state];
            path.Add((state, before));
        }

        path.Reverse();
        return path;
    }
}
