using System.Numerics;

namespace TdxVerify.Properties.Schedules.Schedulers;

/// <summary>Chooses, step by step, which logical processor goes on.</summary>
public abstract class Scheduler
{
    /// <summary>A run begins.</summary>
    /// <param name="start">What is known of it.</param>
    public abstract void Begin(in ScheduleStart start);

    /// <summary>The processor that makes the next visible step.</summary>
    /// <param name="runnable">Those that can: bit by number; at least one.</param>
    /// <param name="current">The one that made the last step; -1: none did.</param>
    public abstract int Next(uint runnable, int current);

    /// <summary>The processors of a set, those behind <paramref name="current"/> first: place 0 is to go on where one is.</summary>
    protected static int Pick(uint runnable, int current, int place)
    {
        const int Bits = 32;
        int shift = Math.Max(current, 0);
        uint rotated = BitOperations.RotateRight(runnable, shift);
        for (; place > 0; place--)
            rotated &= rotated - 1;
        return (BitOperations.TrailingZeroCount(rotated) + shift) % Bits;
    }
}

/// <summary>What a scheduler is told at the start of a run.</summary>
/// <param name="Choices">Its choices.</param>
/// <param name="Agents">Logical processors.</param>
/// <param name="Steps">About how many visible steps the run takes.</param>
/// <param name="Races">Tells which steps race.</param>
public readonly record struct ScheduleStart(ScheduleChoices Choices, int Agents, int Steps, IRaces Races);

/// <summary>Tells whether the order of two steps can matter.</summary>
public interface IRaces
{
    /// <summary>Looks at the step that a processor would make next. Nothing changes.</summary>
    void Look(int agent);

    /// <summary>The steps last looked at of two processors access the same cell, and one changes it.</summary>
    bool AreRacing(int agent, int other);
}
