using TdxVerify.Abi;

namespace TdxVerify.Properties.Schedules;

/// <summary>How the next call to go on is chosen.</summary>
public enum ScheduleStrategy
{
    /// <summary>Each call that can go on is as likely as any other.</summary>
    Uniform,

    /// <summary>Probabilistic concurrency testing: priorities that change at a few points.</summary>
    Pct,

    /// <summary>Partial-order sampling: a new priority for each step that races with one that was made.</summary>
    Pos,
}

/// <summary>What a run of random schedules does.</summary>
public sealed record ScheduleOptions
{
    /// <summary>The module version and the platform; its logical processors are the agents.</summary>
    public required PlatformInfo Platform { get; init; }

    /// <summary>How the next call to go on is chosen.</summary>
    public ScheduleStrategy Strategy { get; init; } = ScheduleStrategy.Pct;

    /// <summary>For <see cref="ScheduleStrategy.Pct"/>: how many ordering constraints a bug may need; one less priority changes.</summary>
    public int Depth { get; init; } = 3;

    /// <summary>Operations that prepare the platform, one after the other.</summary>
    public int Preparation { get; init; } = 300;

    /// <summary>Calls that overlap.</summary>
    public int Calls { get; init; } = 8;

    /// <summary>Schedules of the same calls.</summary>
    public int SchedulesPerPlan { get; init; } = 16;

    /// <summary>Names of the laws to check; empty: those that hold of the module.</summary>
    public IReadOnlyList<string> Laws { get; init; } = [];

    /// <summary>The seed that everything follows from.</summary>
    public ulong Seed { get; init; }

    /// <summary>The run ends after this time.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Workers.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Time spent on making a failure small.</summary>
    public TimeSpan ShrinkTime { get; init; } = TimeSpan.FromSeconds(20);
}
