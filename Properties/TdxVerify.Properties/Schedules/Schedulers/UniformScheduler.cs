using System.Numerics;

namespace TdxVerify.Properties.Schedules.Schedulers;

/// <summary>Each processor that can go on is as likely as any other. Choice 0 is to go on with the same one.</summary>
public sealed class UniformScheduler : Scheduler
{
    private ScheduleChoices? _choices;

    /// <inheritdoc/>
    public override void Begin(in ScheduleStart start) => _choices = start.Choices;

    /// <inheritdoc/>
    public override int Next(uint runnable, int current) => Pick(runnable, current, _choices!.Below(BitOperations.PopCount(runnable)));
}
