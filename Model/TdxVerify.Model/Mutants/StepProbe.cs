namespace TdxVerify.Model.Mutants;

/// <summary>
/// Watches two neighbouring tests, or one release, while a model runs: whether both tests ever act in one call, and
/// whether the release ever drops a lock. A test acts if it is refused or takes a lock. Answers are not changed.
/// </summary>
/// <typeparam name="S">The layout of the state.</typeparam>
public sealed class StepProbe<S>
    where S : struct, IState
{
    private readonly LeafId _leaf;
    private readonly int _index;

    /// <summary>Watches a step, counted from 1, and the one after it.</summary>
    public StepProbe(LeafId leaf, int step)
    {
        _leaf = leaf;
        _index = step - 1;
    }

    /// <summary>Calls in which the first step acted; for a release, dropped its lock.</summary>
    public long First { get; private set; }

    /// <summary>Calls in which the second step acted.</summary>
    public long Second { get; private set; }

    /// <summary>Calls in which the second would have acted where the first did.</summary>
    public long Both { get; private set; }

    /// <summary>The set of leaves with the watch in.</summary>
    public LeafSet<S> Apply(LeafSet<S> leaves)
    {
        Leaf<S> leaf = leaves.All.First(candidate => candidate.Id == _leaf);
        Step<S>[] steps = [.. leaf.Steps];
        if (steps[_index].Action is { } action)
        {
            steps[_index] = steps[_index] with { Action = Watched(action) };
        }
        else
        {
            Step<S> first = steps[_index];
            Step<S> second = steps[_index + 1];
            steps[_index] = first with { Test = WatchedFirst(first.Test!, second.Test!, second.Argument) };
            steps[_index + 1] = second with { Test = WatchedSecond(second.Test!) };
        }

        return leaves.With(leaf.With(steps));
    }

    private static bool Acted(in Call before, in Call after, bool goesOn) => !goesOn || before.Held != after.Held;

    private StepAction<S> Watched(StepAction<S> action) => (ref S s, ref Call c, int argument) =>
    {
        ulong held = c.Held;
        action(ref s, ref c, argument);
        if (c.Held != held)
            First++;
    };

    private StepTest<S> WatchedFirst(StepTest<S> test, StepTest<S> next, int nextArgument) => (ref S s, ref Call c, int argument) =>
    {
        Call before = c;
        bool goesOn = test(ref s, ref c, argument);
        if (!Acted(before, c, goesOn))
            return goesOn;
        First++;
        Call trial = c;
        bool wouldGoOn = next(ref s, ref trial, nextArgument);
        if (Acted(c, trial, wouldGoOn))
            Both++;
        return goesOn;
    };

    private StepTest<S> WatchedSecond(StepTest<S> test) => (ref S s, ref Call c, int argument) =>
    {
        Call before = c;
        bool goesOn = test(ref s, ref c, argument);
        if (Acted(before, c, goesOn))
            Second++;
        return goesOn;
    };
}
