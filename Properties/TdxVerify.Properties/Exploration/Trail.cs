using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration;

/// <summary>One step of a run.</summary>
/// <param name="Agent">Who made it.</param>
/// <param name="Choice">Which of its ways to go on.</param>
/// <param name="Before">The agent's locals before.</param>
/// <param name="After">The agent's locals after.</param>
/// <param name="Step">What came of it.</param>
/// <param name="Cells">The shared state before.</param>
internal sealed record TrailStep<TLocal>(int Agent, int Choice, TLocal Before, TLocal After, SystemStep Step, ICells Cells)
    where TLocal : unmanaged;

/// <summary>Finds the runs that lead to what a search found.</summary>
/// <remarks>
/// A stored state knows the one it was reached from. Where states are kept as the smallest of their renamings, a run is
/// followed from the real start: of the states that follow from the one reached, that is taken whose smallest renaming
/// is stored next.
/// </remarks>
internal sealed unsafe class Trail<TLocal>
    where TLocal : unmanaged
{
    private readonly CompiledSystem<TLocal> _system;
    private readonly ulong[] _state;
    private readonly List<TrailStep<TLocal>> _steps = [];

    private Trail(CompiledSystem<TLocal> system)
    {
        _system = system;
        _state = new ulong[system.Layout.Words];
    }

    /// <summary>The steps that lead to a stored state.</summary>
    public static IReadOnlyList<TrailStep<TLocal>> To(Search<TLocal> search, StateId id)
    {
        var trail = new Trail<TLocal>(search.System);
        trail.GoTo(search, id);
        ulong[] end = [.. trail._state];
        return trail.InFewestSwitches((state, _) => state.AsSpan().SequenceEqual(end));
    }

    /// <summary>The steps up to and with the one that reported an event first.</summary>
    public static IReadOnlyList<TrailStep<TLocal>> To(Search<TLocal> search, int e)
    {
        FirstEvent first = search.First(e) ?? throw new InvalidOperationException($"event {e} did not occur");
        var trail = new Trail<TLocal>(search.System);
        trail.GoTo(search, first.From);
        trail.Take((successors, i) => (successors.Transition(i).Events >> e & 1) != 0);
        return trail.InFewestSwitches((_, events) => (events >> e & 1) != 0);
    }

    /// <summary>The steps that lead to a stored state, and further steps from there.</summary>
    /// <returns>The steps, and how many of them lead to the state.</returns>
    public static (IReadOnlyList<TrailStep<TLocal>> Steps, int Prefix) Through(Search<TLocal> search, StateId id, IEnumerable<(int Agent, int Choice)> further)
    {
        IReadOnlyList<TrailStep<TLocal>> prefix = To(search, id);
        var trail = new Trail<TLocal>(search.System);
        trail.Follow(prefix.Select(step => (step.Agent, step.Choice)));
        trail.Follow(further);
        return (trail._steps, prefix.Count);
    }

    /// <summary>Steps from the start of a system that was never searched.</summary>
    public static IReadOnlyList<TrailStep<TLocal>> Of(CompiledSystem<TLocal> system, IReadOnlyList<(int Agent, int Choice)> steps)
    {
        var trail = new Trail<TLocal>(system);
        trail.Follow(steps);
        return trail._steps;
    }

    private List<TrailStep<TLocal>> InFewestSwitches(Func<ulong[], ulong, bool> isSameEnd)
    {
        var trail = new Trail<TLocal>(_system);
        trail.Follow(FewestSwitches.Of<(int Agent, int Choice)>(
            [.. _steps.Select(step => (step.Agent, step.Choice))], step => step.Agent, steps => EndsAlike(steps, isSameEnd)));
        return trail._steps;
    }

    private bool EndsAlike(IReadOnlyList<(int Agent, int Choice)> steps, Func<ulong[], ulong, bool> isSameEnd)
    {
        ulong[] state = new ulong[_state.Length];
        using var successors = new Successors(state.Length);
        ulong events = 0;
        foreach ((int agent, int choice) in steps)
        {
            if (!TryStep(state, agent, choice, successors, out events))
                return false;
        }

        return isSameEnd(state, events);
    }

    private bool TryStep(ulong[] state, int agent, int choice, Successors successors, out ulong events)
    {
        events = 0;
        bool independent = true;
        successors.Clear();
        try
        {
            fixed (ulong* words = state)
                _system.Expand(words, agent, 0, successors, ref independent);
        }
        catch (LayoutTooSmallException)
        {
            // A state that a search did not come to that ended early: whether the order is possible is not known.
            return false;
        }

        for (int i = 0; i < successors.Count; i++)
        {
            if (successors.Transition(i).Choice != choice)
                continue;
            events = successors.Transition(i).Events;
            new ReadOnlySpan<ulong>(successors[i], state.Length).CopyTo(state);
            return true;
        }

        return false;
    }

    private void Follow(IEnumerable<(int Agent, int Choice)> steps)
    {
        foreach ((int agent, int choice) in steps)
            Take((successors, i) => successors.Transition(i).Agent == agent && successors.Transition(i).Choice == choice);
    }

    private void GoTo(Search<TLocal> search, StateId id)
    {
        var path = new Stack<StateId>();
        for (StateId at = id; at != search.StartId; at = search.Set.Parent(at))
            path.Push(at);
        foreach (StateId next in path)
        {
            var stored = new ReadOnlySpan<ulong>(search.Set[next], _state.Length).ToArray();
            ulong[] smallest = new ulong[_state.Length];
            Take((successors, i) =>
            {
                new ReadOnlySpan<ulong>(successors[i], smallest.Length).CopyTo(smallest);
                fixed (ulong* words = smallest)
                    _system.Canonicalizer?.Apply(words);
                return smallest.AsSpan().SequenceEqual(stored);
            });
        }
    }

    private void Take(Func<Successors, int, bool> isWanted)
    {
        CompiledSystem<TLocal> system = _system;
        using var successors = new Successors(_state.Length);
        bool independent = true;
        fixed (ulong* state = _state)
        {
            for (int agent = 0; agent < system.Layout.Agents; agent++)
                system.Expand(state, agent, 0, successors, ref independent);
            for (int i = 0; i < successors.Count; i++)
            {
                if (!isWanted(successors, i))
                    continue;
                Transition step = successors.Transition(i);
                UnpackedState<TLocal> before = system.Unpack(state);
                TLocal after = system.Unpack(successors[i]).Local(step.Agent);
                _steps.Add(new TrailStep<TLocal>(
                    step.Agent, step.Choice, before.Local(step.Agent), after, new SystemStep(StepEnd.Moved, step.Events, step.Traits, step.Attempt), before));
                new ReadOnlySpan<ulong>(successors[i], _state.Length).CopyTo(_state);
                return;
            }
        }

        throw new InvalidOperationException("a stored state does not follow from the one it was reached from");
    }
}
