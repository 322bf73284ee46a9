using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration.Liveness;

/// <summary>What is wrong with how agents get on.</summary>
internal enum LivenessFault
{
    /// <summary>All agents go round for ever and none makes progress.</summary>
    Livelock,

    /// <summary>One agent goes round or waits for ever without progress.</summary>
    Starvation,

    /// <summary>A state from which an agent can never make progress again, whatever happens.</summary>
    Trapped,
}

/// <summary>A fault that was found.</summary>
/// <param name="Fault">What.</param>
/// <param name="Fairness">Under which assumption; a trapped agent is one under any.</param>
/// <param name="Agent">The agent; -1: all.</param>
/// <param name="Lasso">The run; null for a trapped agent.</param>
/// <param name="State">The state in which the loop begins, or in which the agent is trapped.</param>
internal sealed record LivenessFinding(LivenessFault Fault, Fairness Fairness, int Agent, Lasso? Lasso, int State);

/// <summary>Judges the graph of a complete search: livelock, starvation, and agents trapped for good.</summary>
internal static class LivenessCheck
{
    /// <summary>All faults; each agent and each kind of fairness at most once.</summary>
    public static IReadOnlyList<LivenessFinding> Of<TLocal>(ISystem<TLocal> system, StateGraph graph)
        where TLocal : unmanaged
    {
        var findings = new List<LivenessFinding>();
        ulong progress = Progress(system, -1);
        if (progress == 0)
            return findings;
        var attempts = new Attempts(graph);
        var cycles = new FairCycles(graph, attempts);
        foreach (Fairness fairness in (Fairness[])[Fairness.Strong, Fairness.Weak])
        {
            Add(LivenessFault.Livelock, fairness, -1, cycles.Find(kind => (kind.Events & progress) != 0, fairness, component => component.Steps != 0));
            for (int agent = 0; agent < system.Agents.Count; agent++)
            {
                ulong own = Progress(system, agent);
                if (own == 0)
                    continue;
                int number = agent;
                Add(LivenessFault.Starvation, fairness, agent, cycles.Find(
                    kind => (kind.Events & own) != 0, fairness, component => (graph.Done[component.States[0]] >> number & 1) == 0));
            }
        }

        (ulong[] Events, uint[] Done) ahead = Reachability.Ahead(graph);
        for (int agent = 0; agent < system.Agents.Count; agent++)
        {
            ulong own = Progress(system, agent);
            int state = own == 0 ? -1 : Reachability.FirstWithout(ahead, own, agent);
            if (state >= 0)
                findings.Add(new LivenessFinding(LivenessFault.Trapped, Fairness.Weak, agent, null, state));
        }

        return findings;

        void Add(LivenessFault fault, Fairness fairness, int agent, FairComponent? component)
        {
            if (component is null)
                return;
            Lasso lasso = Lasso.In(graph, attempts, component, fairness).InFewestSwitches(graph, attempts, fairness);
            findings.Add(new LivenessFinding(fault, fairness, agent, lasso, lasso.Start));
        }
    }

    private static ulong Progress<TLocal>(ISystem<TLocal> system, int agent)
        where TLocal : unmanaged
    {
        ulong bits = 0;
        for (int i = 0; i < system.Events.Count; i++)
        {
            if (system.Events[i].Kind == EventKind.Progress && (agent < 0 || system.Events[i].Agent == agent))
                bits |= 1UL << i;
        }

        return bits;
    }
}
