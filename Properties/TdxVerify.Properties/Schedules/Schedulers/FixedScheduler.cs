using System.Numerics;

namespace TdxVerify.Properties.Schedules.Schedulers;

/// <summary>
/// Follows a schedule. Runs of calls that have ended, or whose turn on their processor has not come, are left out; behind
/// the end of the schedule the calls are finished one processor after the other.
/// </summary>
public sealed class FixedScheduler : Scheduler
{
    private readonly IReadOnlyList<ScheduleRun> _schedule;
    private readonly Func<int, int> _processorOf;
    private readonly Func<int, int> _callOn;
    private int _run;
    private int _steps;

    /// <summary>A schedule.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="processorOf">The processor of a call.</param>
    /// <param name="callOn">The call that a processor makes or would make next.</param>
    public FixedScheduler(IReadOnlyList<ScheduleRun> schedule, Func<int, int> processorOf, Func<int, int> callOn)
    {
        _schedule = schedule;
        _processorOf = processorOf;
        _callOn = callOn;
    }

    /// <inheritdoc/>
    public override void Begin(in ScheduleStart start)
    {
        _run = 0;
        _steps = 0;
    }

    /// <inheritdoc/>
    public override int Next(uint runnable, int current)
    {
        for (; _run < _schedule.Count; _run++, _steps = 0)
        {
            int lp = _processorOf(_schedule[_run].Call);
            if (_steps >= _schedule[_run].Steps || (runnable >> lp & 1) == 0 || _callOn(lp) != _schedule[_run].Call)
                continue;
            _steps++;
            return lp;
        }

        return current >= 0 && (runnable >> current & 1) != 0 ? current : BitOperations.TrailingZeroCount(runnable);
    }
}
