using System.Numerics;

namespace TdxVerify.Properties.Schedules.Schedulers;

/// <summary>
/// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte 2010): each processor has a random
/// priority, the highest one that can goes on, and at depth - 1 random steps the one that goes on falls below all others.
/// </summary>
/// <remarks>
/// A bug of depth d (d ordering constraints) is found with probability at least 1 / (n k^(d-1)) for n processors and k
/// steps: much more than by uniform choices, which rarely keep one processor waiting for long.
/// </remarks>
/// <param name="depth">The depth, at least 1.</param>
public sealed class PctScheduler(int depth) : Scheduler
{
    private readonly int[] _changes = new int[depth - 1];
    private long[] _priorities = [];
    private int _step;

    /// <inheritdoc/>
    public override void Begin(in ScheduleStart start)
    {
        _step = 0;
        _priorities = new long[start.Agents];
        for (int agent = 0; agent < start.Agents; agent++)
        {
            // A random permutation, by insertion; all above the priorities of change points.
            int place = start.Choices.Below(agent + 1);
            for (int i = agent; i > place; i--)
                _priorities[i] = _priorities[i - 1];
            _priorities[place] = depth + agent;
        }

        for (int i = 0; i < _changes.Length; i++)
            _changes[i] = 1 + start.Choices.Below(Math.Max(start.Steps, 1));
    }

    /// <inheritdoc/>
    public override int Next(uint runnable, int current)
    {
        _step++;
        int next = Highest(runnable);
        for (int i = 0; i < _changes.Length; i++)
        {
            if (_changes[i] != _step)
                continue;
            _priorities[next] = i;
            next = Highest(runnable);
        }

        return next;
    }

    private int Highest(uint runnable)
    {
        int highest = BitOperations.TrailingZeroCount(runnable);
        for (uint rest = runnable; rest != 0; rest &= rest - 1)
        {
            int agent = BitOperations.TrailingZeroCount(rest);
            if (_priorities[agent] > _priorities[highest])
                highest = agent;
        }

        return highest;
    }
}
