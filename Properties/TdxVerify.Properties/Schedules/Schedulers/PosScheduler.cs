using System.Numerics;

namespace TdxVerify.Properties.Schedules.Schedulers;

/// <summary>
/// Partial-order sampling (Yuan, Yang, Gu 2018): each next step has a random priority, the highest one is made, and the
/// steps that race with it get new ones. So each order of racing steps gets a fair chance, and the many orders of
/// steps that do not race count as one.
/// </summary>
public sealed class PosScheduler : Scheduler
{
    private ulong[] _priorities = [];
    private bool[] _isKnown = [];
    private ScheduleStart _start;

    /// <inheritdoc/>
    public override void Begin(in ScheduleStart start)
    {
        _start = start;
        _isKnown = new bool[start.Agents];
        _priorities = new ulong[start.Agents];
        for (int agent = 0; agent < start.Agents; agent++)
            _priorities[agent] = start.Choices.Next();
    }

    /// <inheritdoc/>
    public override int Next(uint runnable, int current)
    {
        int next = BitOperations.TrailingZeroCount(runnable);
        for (uint rest = runnable; rest != 0; rest &= rest - 1)
        {
            int agent = BitOperations.TrailingZeroCount(rest);
            if (!_isKnown[agent])
                _start.Races.Look(agent);
            _isKnown[agent] = true;
            if (_priorities[agent] > _priorities[next])
                next = agent;
        }

        for (uint rest = runnable & ~(1u << next); rest != 0; rest &= rest - 1)
        {
            int agent = BitOperations.TrailingZeroCount(rest);
            if (_start.Races.AreRacing(next, agent))
                _priorities[agent] = _start.Choices.Next();
        }

        _priorities[next] = _start.Choices.Next();
        _isKnown[next] = false;
        return next;
    }
}
