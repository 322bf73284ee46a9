using TdxVerify.Host;
using TdxVerify.Properties.Exploration;
using HostThread = TdxVerify.Host.Thread;

namespace TdxVerify.Tests.Exploration;

/// <summary>
/// Whether some steps of an agent can change places with each step of every other agent: made before it and after it,
/// they must lead to the same states and report the same.
/// </summary>
/// <param name="machine">The system.</param>
/// <param name="isAsked">The agent's next step is one of those.</param>
internal sealed unsafe class StepOrder(HostMachine machine, Predicate<HostThread> isAsked)
{
    private readonly Dictionary<(int Agent, int Local), bool> _asked = [];
    private readonly Dictionary<string, int> _steps = [];

    /// <summary>Steps that were looked at, by what they do, with how often.</summary>
    public IReadOnlyDictionary<string, int> Steps => _steps;

    /// <summary>Those that cannot change places, with what they cannot change places with.</summary>
    public SortedSet<string> Conflicts { get; } = [];

    /// <summary>Looks in every state.</summary>
    public void LookEverywhere()
    {
        using var search = new Search<HostThread>(machine, new SearchOptions { Workers = 1 });
        search.Run();
        for (int index = 0; index < search.Set.CountOf(0); index++)
            Look(search.System, search.Set[new StateId(0, index)]);
    }

    /// <summary>Looks along random runs.</summary>
    public void LookAlong(int runs, int stepsOfRun)
    {
        var system = new CompiledSystem<HostThread>(machine);
        WarmUp.Run(system);
        for (int run = 0; run < runs; run++)
        {
            while (!TryRun(system, new Random(run), stepsOfRun))
                system.Widen();
        }
    }

    private bool TryRun(CompiledSystem<HostThread> system, Random random, int steps)
    {
        _asked.Clear();
        int words = system.Layout.Words;
        ulong* state = stackalloc ulong[words];
        new Span<ulong>(state, words).Clear();
        using var next = new Successors(words);
        try
        {
            for (int step = 0; step < steps; step++)
            {
                Look(system, state);
                next.Clear();
                for (int agent = 0; agent < system.Layout.Agents; agent++)
                    Expand(system, state, agent, next);
                new Span<ulong>(next[random.Next(next.Count)], words).CopyTo(new Span<ulong>(state, words));
            }

            return true;
        }
        catch (LayoutTooSmallException)
        {
            return false;
        }
    }

    private void Look(CompiledSystem<HostThread> system, ulong* state)
    {
        for (int agent = 0; agent < system.Layout.Agents; agent++)
        {
            (int, int) key = (agent, system.Layout.Slots[agent].Read(state));
            if (!_asked.TryGetValue(key, out bool asked))
                _asked.Add(key, asked = isAsked(system.Unpack(state).Local(agent)));
            if (asked)
                Look(system, state, agent);
        }
    }

    private void Look(CompiledSystem<HostThread> system, ulong* state, int agent)
    {
        string step = Describe(system.Unpack(state).Local(agent));
        _steps[step] = _steps.GetValueOrDefault(step) + 1;
        for (int other = 0; other < system.Layout.Agents; other++)
        {
            if (other != agent && !Both(system, state, agent, other).SetEquals(Both(system, state, other, agent)))
                Conflicts.Add($"{step} / {Describe(system.Unpack(state).Local(other))}");
        }
    }

    // What comes of a step of one agent and then one of another: the state, and what each has reported.
    private static HashSet<(string State, ulong Reported)> Both(CompiledSystem<HostThread> system, ulong* state, int first, int second)
    {
        using var middle = new Successors(system.Layout.Words);
        using var end = new Successors(system.Layout.Words);
        HashSet<(string, ulong)> all = [];
        Expand(system, state, first, middle);
        for (int i = 0; i < middle.Count; i++)
        {
            end.Clear();
            Expand(system, middle[i], second, end);
            for (int k = 0; k < end.Count; k++)
                all.Add((Convert.ToHexString(new Span<byte>(end[k], end.Words * sizeof(ulong))), middle.Transition(i).Events | end.Transition(k).Events));
        }

        return all;
    }

    private static void Expand(CompiledSystem<HostThread> system, ulong* state, int agent, Successors successors)
    {
        bool independent = false;
        system.Expand(state, agent, 0, successors, ref independent);
    }

    private string Describe(HostThread thread) => $"{machine.CallOf(thread)}: {machine.NextStepOf(thread)}";
}
