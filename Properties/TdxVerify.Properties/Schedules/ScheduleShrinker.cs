using System.Diagnostics;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Schedules;

/// <summary>Calls that overlap, a schedule under which they break a law, and what came of it.</summary>
/// <param name="Plan">The calls and what precedes them.</param>
/// <param name="Outcome">What came of the schedule that it names.</param>
public sealed record FailingSchedule(ConcurrentPlan Plan, ScheduleOutcome Outcome)
{
    /// <summary>What is made small: switches first, then calls, then what precedes them, then the rest.</summary>
    internal (int Switches, int Calls, int Setup, int Processors, int Steps) Size => (
        Outcome.ContextSwitches, Plan.Calls.Count, Plan.Setup.Count,
        Plan.Calls.Sum(call => call.Lp) + Plan.Setup.Sum(planned => planned.Event.Lp), Outcome.Steps);
}

/// <summary>
/// Makes calls that overlap, their schedule and their set-up small together: fewest context switches first, then fewest
/// calls, then the smallest set-up. A candidate counts only if it is the same failure (<see cref="RunFailure.IsLike"/>).
/// </summary>
/// <remarks>
/// Why together: without a call the schedule of the others is another one, and without a switch some calls no longer
/// matter. So the passes are repeated until none helps; a later one may never make worse what an earlier one made small.
/// </remarks>
/// <param name="runner">Carries candidates out.</param>
/// <param name="budget">The smallest found in this time counts.</param>
/// <param name="stop">True ends it earlier.</param>
public sealed class ScheduleShrinker(ConcurrentRunner runner, TimeSpan budget, Func<bool>? stop = null)
{
    private const int MostCallsTriedThoroughly = 3;

    private readonly Stopwatch _time = Stopwatch.StartNew();
    private FailingSchedule _best = null!;

    private bool IsOver => _time.Elapsed >= budget || stop?.Invoke() == true;

    /// <summary>The smallest that fails in the same way.</summary>
    public FailingSchedule Shrink(FailingSchedule failing)
    {
        _best = failing;
        (int, int, int, int, int) before;
        do
        {
            before = _best.Size;
            RemoveCalls();
            RemoveRuns();
            MergeRuns();
            TryFewSwitches();
            RemoveSetup();
            RenumberProcessors();
            PrepareOnFirstProcessor();
        }
        while (_best.Size.CompareTo(before) < 0 && !IsOver);
        return _best;
    }

    private bool Try(ConcurrentPlan plan, IReadOnlyList<ScheduleRun> schedule)
    {
        ScheduleOutcome outcome = runner.Run(plan, schedule);
        var candidate = new FailingSchedule(plan, outcome);
        if (outcome.Failure is null || !outcome.Failure.IsLike(_best.Outcome.Failure!) || candidate.Size.CompareTo(_best.Size) >= 0)
            return false;
        _best = candidate;
        return true;
    }

    private void RemoveCalls()
    {
        for (int call = _best.Plan.Calls.Count - 1; call >= 0 && !IsOver; call--)
        {
            int removed = call;
            Try(
                _best.Plan with { Calls = [.. _best.Plan.Calls.Where((_, i) => i != removed)] },
                [.. _best.Outcome.Schedule.Where(run => run.Call != removed).Select(run => run with { Call = run.Call - (run.Call > removed ? 1 : 0) })]);
        }
    }

    // What a run would have done comes later then: when its call goes on, or at the end.
    private void RemoveRuns()
    {
        for (int i = _best.Outcome.Schedule.Count - 1; i >= 0 && !IsOver; i = Math.Min(i, _best.Outcome.Schedule.Count) - 1)
        {
            int removed = i;
            _ = Try(_best.Plan, [.. _best.Outcome.Schedule.Where((_, place) => place != removed)]);
        }
    }

    private void MergeRuns()
    {
        for (int i = 0; i < _best.Outcome.Schedule.Count && !IsOver; i++)
        {
            List<ScheduleRun> schedule = [.. _best.Outcome.Schedule];
            int next = schedule.FindIndex(i + 1, run => run.Call == schedule[i].Call);
            if (next < 0)
                continue;
            var merged = new ScheduleRun(schedule[i].Call, schedule[i].Steps + schedule[next].Steps);
            List<ScheduleRun> early = [.. schedule];
            early[i] = merged;
            early.RemoveAt(next);
            List<ScheduleRun> late = [.. schedule];
            late[next] = merged;
            late.RemoveAt(i);
            if (Try(_best.Plan, early) || Try(_best.Plan, late))
                i--;
        }
    }

    // Where few calls are left, every schedule with one switch, and with two, less than what is known.
    private void TryFewSwitches()
    {
        int calls = _best.Plan.Calls.Count;
        if (calls > MostCallsTriedThoroughly)
            return;
        for (int first = 0; first < calls; first++)
        {
            for (int second = 0; second < calls; second++)
            {
                if (first == second)
                    continue;
                for (int steps = 1; steps <= StepsOf(first) && !IsOver; steps++)
                {
                    Try(_best.Plan, [new(first, steps), new(second, ScheduleRun.ToTheEnd)]);
                    for (int other = 1; _best.Outcome.ContextSwitches > 2 && other <= StepsOf(second) && !IsOver; other++)
                        Try(_best.Plan, [new(first, steps), new(second, other), new(first, ScheduleRun.ToTheEnd)]);
                }
            }
        }
    }

    private int StepsOf(int call) => _best.Outcome.Schedule.Where(run => run.Call == call).Sum(run => run.Steps);

    // Larger pieces first; a piece that goes is followed by the next one at the same place.
    private void RemoveSetup()
    {
        for (int length = Math.Max(1, _best.Plan.Setup.Count / 2); length >= 1 && !IsOver; length /= 2)
        {
            for (int at = _best.Plan.Setup.Count - length; at >= 0 && !IsOver; at -= length)
            {
                int start = at;
                int piece = length;
                Try(_best.Plan with { Setup = [.. _best.Plan.Setup.Where((_, i) => i < start || i >= start + piece)] }, _best.Outcome.Schedule);
            }
        }
    }

    private void RenumberProcessors()
    {
        Dictionary<int, int> renamed = [];
        foreach (int lp in _best.Plan.Calls.Select(call => call.Lp).Concat(_best.Plan.Setup.Select(planned => planned.Event.Lp)).Distinct().Order())
            renamed.Add(lp, renamed.Count);
        Try(
            _best.Plan with
            {
                Calls = [.. _best.Plan.Calls.Select(call => call with { Lp = renamed[call.Lp] })],
                Setup = [.. _best.Plan.Setup.Select(planned => planned with { Event = planned.Event with { Lp = renamed[planned.Event.Lp] } })],
            },
            _best.Outcome.Schedule);
    }

    private void PrepareOnFirstProcessor()
    {
        for (int i = 0; i < _best.Plan.Setup.Count && !IsOver; i++)
        {
            int moved = i;
            if (_best.Plan.Setup[i].Event.Lp == 0)
                continue;
            Try(
                _best.Plan with { Setup = [.. _best.Plan.Setup.Select((planned, at) => at == moved ? planned with { Event = planned.Event with { Lp = 0 } } : planned)] },
                _best.Outcome.Schedule);
        }
    }
}
