using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration.Liveness;

/// <summary>Which attempts are possible in a state, and which steps are their success.</summary>
/// <remarks>
/// An attempt is possible in a state where its agent, about to begin it or in the middle of it, would succeed if the
/// others stood still, be it after a refusal. Not: where the one step that decides would go well at that moment. A call
/// that always comes to that step at a bad time, and is unwinding whenever the lock is free, would be fair then, and
/// every loop around a call would count as starving.
/// </remarks>
internal sealed class Attempts(StateGraph graph)
{
    private const int LongestRun = 1000;
    private const byte Unknown = 0;
    private const byte Failure = 1;
    private const byte Success = 2;

    private readonly List<int> _passed = [];

    // For each state and agent: what becomes of the attempt that it is in, or about to begin.
    private readonly byte[] _known = new byte[graph.States * graph.Agents];

    /// <summary>Adds the attempts that are possible in a state.</summary>
    public void AddPossible(int state, Fairness fairness, ISet<Attempt> possible)
    {
        foreach (Edge edge in graph.From(state))
        {
            EdgeKind kind = graph.Kinds[edge.Kind];
            if (kind.Is(StepTraits.Recurring) || (fairness == Fairness.Strong && Succeeds(state, kind.Agent)))
                possible.Add(kind.Attempt);
        }
    }

    /// <summary>One of some attempts is possible in a state.</summary>
    public bool AreAnyPossible(int state, Fairness fairness, IReadOnlySet<Attempt> attempts)
    {
        var possible = new HashSet<Attempt>();
        AddPossible(state, fairness, possible);
        return possible.Overlaps(attempts);
    }

    /// <summary>The attempt that succeeds in a step; null: none does.</summary>
    public static Attempt? SucceedingIn(EdgeKind kind) => kind.Is(StepTraits.Completes) || kind.Is(StepTraits.Recurring) ? kind.Attempt : null;

    private bool Succeeds(int state, int agent)
    {
        ref byte known = ref _known[(state * graph.Agents) + agent];
        if (known == 0)
            Run(state, agent);
        return known == Success;
    }

    // The agent alone, without what the surroundings may do. What comes of it holds for all states of the attempt that it passes.
    private void Run(int start, int agent)
    {
        _passed.Clear();
        _passed.Add(start);
        int number = StepOf(start, agent) is { } first ? graph.Kinds[first.Kind].Number : 0;
        byte result = Failure;
        int state = start;
        for (int steps = 0; steps < LongestRun && StepOf(state, agent) is { } step; steps++)
        {
            EdgeKind kind = graph.Kinds[step.Kind];
            if (kind.Number == number)
            {
                byte known = _known[(state * graph.Agents) + agent];
                if (known != Unknown || kind.Is(StepTraits.Completes))
                {
                    result = known != Unknown ? known : Success;
                    break;
                }

                _passed.Add(state);
            }

            state = step.Target;
        }

        foreach (int passed in _passed)
            _known[(passed * graph.Agents) + agent] = result;
    }

    private Edge? StepOf(int state, int agent)
    {
        foreach (Edge edge in graph.From(state))
        {
            EdgeKind kind = graph.Kinds[edge.Kind];
            if (kind.Agent == agent && !kind.Is(StepTraits.Recurring))
                return edge;
        }

        return null;
    }
}
