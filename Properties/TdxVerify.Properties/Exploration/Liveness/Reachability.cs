namespace TdxVerify.Properties.Exploration.Liveness;

/// <summary>From which states something can still happen.</summary>
internal static class Reachability
{
    /// <summary>For each state the events that some run from it reports.</summary>
    public static ulong[] EventsAhead(StateGraph graph)
    {
        // Backwards until nothing changes; breadth-first order makes most steps point forward, so few rounds are needed.
        ulong[] ahead = new ulong[graph.States];
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int state = graph.States - 1; state >= 0; state--)
            {
                ulong events = ahead[state];
                foreach (Edge edge in graph.From(state))
                    events |= graph.Kinds[edge.Kind].Events | ahead[edge.Target];
                changed |= events != ahead[state];
                ahead[state] = events;
            }
        }

        return ahead;
    }

    /// <summary>The first state from which none of some events can happen any more; -1: one always can.</summary>
    public static int FirstWithout(ulong[] ahead, ulong events, Func<int, bool> counts)
    {
        for (int state = 0; state < ahead.Length; state++)
        {
            if ((ahead[state] & events) == 0 && counts(state))
                return state;
        }

        return -1;
    }
}
