namespace TdxVerify.Properties.Exploration.Liveness;

/// <summary>From which states something can still happen.</summary>
internal static class Reachability
{
    /// <summary>For each state the events that some run from it reports, and the agents that are done at its end, or at the end of some other.</summary>
    public static (ulong[] Events, uint[] Done) Ahead(StateGraph graph)
    {
        // Backwards until nothing changes; breadth-first order makes most steps point forward, so few rounds are needed.
        ulong[] ahead = new ulong[graph.States];
        uint[] done = [.. graph.Done];
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int state = graph.States - 1; state >= 0; state--)
            {
                ulong events = ahead[state];
                uint agents = done[state];
                foreach (Edge edge in graph.From(state))
                {
                    events |= graph.Kinds[edge.Kind].Events | ahead[edge.Target];
                    agents |= done[edge.Target];
                }

                changed |= events != ahead[state] || agents != done[state];
                (ahead[state], done[state]) = (events, agents);
            }
        }

        return (ahead, done);
    }

    /// <summary>The first state from which none of some events can happen any more, of an agent that will not be done either; -1: there is none.</summary>
    public static int FirstWithout((ulong[] Events, uint[] Done) ahead, ulong events, int agent)
    {
        for (int state = 0; state < ahead.Events.Length; state++)
        {
            if ((ahead.Events[state] & events) == 0 && (ahead.Done[state] >> agent & 1) == 0)
                return state;
        }

        return -1;
    }
}
