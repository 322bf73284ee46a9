namespace TdxVerify.Properties.Proposals;

/// <summary>How far a system is looked at.</summary>
public sealed record SystemLimits
{
    /// <summary>States of the search without reductions.</summary>
    public long States { get; init; } = 40_000_000;

    /// <summary>States of the search with reductions.</summary>
    public long ReducedStates { get; init; } = 40_000_000;

    /// <summary>States of the search with reductions, of systems of which it is known that it will hardly come to an end.</summary>
    public long LargeStates { get; init; } = 3_000_000;

    /// <summary>Random schedules, where a search does not come to an end.</summary>
    public int Schedules { get; init; } = 200;

    /// <summary>Steps of a random schedule.</summary>
    public int StepsOfSchedule { get; init; } = 2_000;
}
