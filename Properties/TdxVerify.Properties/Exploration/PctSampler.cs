using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration;

/// <summary>A law that a random schedule broke.</summary>
/// <param name="Event">The event that says so.</param>
/// <param name="Steps">The steps up to it.</param>
internal sealed record SampledViolation<TLocal>(int Event, IReadOnlyList<TrailStep<TLocal>> Steps)
    where TLocal : unmanaged;

/// <summary>
/// Random schedules of a system that is too large to be explored, by probabilistic concurrency testing (Burckhardt and
/// others, 2010): agents have random priorities, the highest that can go on does, and at some random steps it falls below
/// all others.
/// </summary>
/// <remarks>
/// The method is for programs that end. Here agents go round for ever, so one also falls below the others where it is
/// refused something: whoever is in its way gets a turn. Always the same schedules.
/// </remarks>
internal sealed unsafe class PctSampler<TLocal>
    where TLocal : unmanaged
{
    private const int MostChanges = 12;

    private readonly ISystem<TLocal> _system;
    private readonly CompiledSystem<TLocal> _compiled;
    private readonly int _schedules;
    private readonly int _stepsOfSchedule;
    private readonly ulong _violations;
    private readonly ulong _ends;
    private readonly List<SampledViolation<TLocal>> _found = [];
    private ulong _seen;

    /// <summary>A sampler.</summary>
    /// <param name="system">The system.</param>
    /// <param name="schedules">Schedules.</param>
    /// <param name="stepsOfSchedule">Steps of each, at most.</param>
    public PctSampler(ISystem<TLocal> system, int schedules, int stepsOfSchedule)
    {
        _system = system;
        _compiled = new CompiledSystem<TLocal>(system);
        _schedules = schedules;
        _stepsOfSchedule = stepsOfSchedule;
        for (int e = 0; e < system.Events.Count; e++)
        {
            _violations |= system.Events[e].Kind == EventKind.Violation ? 1UL << e : 0;
            _ends |= system.Events[e].EndsRun ? 1UL << e : 0;
        }
    }

    /// <summary>Schedules that were tried.</summary>
    public int Schedules { get; private set; }

    /// <summary>Steps that were made.</summary>
    public long Steps { get; private set; }

    /// <summary>Laws that were broken, each in the schedule that broke it first.</summary>
    public IReadOnlyList<SampledViolation<TLocal>> Violations => _found;

    /// <summary>Tries all schedules.</summary>
    public void Run(CancellationToken cancel = default)
    {
        WarmUp.Run(_compiled);
        for (int schedule = 0; schedule < _schedules && !cancel.IsCancellationRequested; schedule++)
        {
            var steps = new List<(int Agent, int Choice)>();
            while (!TryRun(new Random(schedule), steps))
            {
                _compiled.Widen();
                steps.Clear();
            }

            Schedules++;
            Steps += steps.Count;
        }
    }

    private bool TryRun(Random random, List<(int Agent, int Choice)> steps)
    {
        int words = _compiled.Layout.Words;
        ulong* state = stackalloc ulong[words];
        new Span<ulong>(state, words).Clear();
        using var successors = new Successors(words);
        int[] order = [.. Enumerable.Range(0, _compiled.Layout.Agents)];
        random.Shuffle(order);
        HashSet<int> changes = [.. Enumerable.Range(0, random.Next(MostChanges)).Select(_ => random.Next(_stepsOfSchedule))];
        try
        {
            while (steps.Count < _stepsOfSchedule)
            {
                int place = Next(state, order, successors);
                if (place < 0)
                    return true;
                int way = random.Next(successors.Count);
                Transition step = successors.Transition(way);
                steps.Add((step.Agent, step.Choice));
                Note(step.Events, steps);
                if ((step.Events & _ends) != 0)
                    return true;
                for (int i = 0; i < words; i++)
                    state[i] = successors[way][i];
                if (changes.Contains(steps.Count) || (step.Traits & StepTraits.Refused) != 0)
                    Lower(order, place);
            }

            return true;
        }
        catch (LayoutTooSmallException)
        {
            return false;
        }
    }

    // The first in the order that can go on, and its ways; -1: nobody can.
    private int Next(ulong* state, int[] order, Successors successors)
    {
        bool independent = true;
        for (int place = 0; place < order.Length; place++)
        {
            successors.Clear();
            _compiled.Expand(state, order[place], 0, successors, ref independent);
            if (successors.Count > 0)
                return place;
        }

        return -1;
    }

    private static void Lower(int[] order, int place)
    {
        int agent = order[place];
        Array.Copy(order, place + 1, order, place, order.Length - place - 1);
        order[^1] = agent;
    }

    private void Note(ulong events, List<(int Agent, int Choice)> steps)
    {
        ulong news = events & _violations & ~_seen;
        if (news == 0)
            return;
        _seen |= news;
        IReadOnlyList<TrailStep<TLocal>> trail = Trail<TLocal>.Of(_compiled, steps);
        for (int e = 0; e < _system.Events.Count; e++)
        {
            if ((news >> e & 1) != 0)
                _found.Add(new SampledViolation<TLocal>(e, trail));
        }
    }
}
