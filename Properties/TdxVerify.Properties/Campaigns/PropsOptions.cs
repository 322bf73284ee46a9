using TdxVerify.Abi;
using TdxVerify.Properties.Generation;

namespace TdxVerify.Properties.Campaigns;

/// <summary>What a property run does.</summary>
public sealed record PropsOptions
{
    /// <summary>Operations of one sequence, by default.</summary>
    public const int DefaultOperations = 1000;

    /// <summary>The platform.</summary>
    public required PlatformInfo Platform { get; init; }

    /// <summary>Makes the port under test, one for each worker; null: the model's laws alone.</summary>
    public required Func<IPort>? OpenPort { get; init; }

    /// <summary>What the port can do.</summary>
    public GenerationLimits Limits { get; init; } = GenerationLimits.None;

    /// <summary>The run ends after this time.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The seed that all sequences follow from.</summary>
    public ulong Seed { get; init; }

    /// <summary>Operations of a sequence.</summary>
    public int Operations { get; init; } = DefaultOperations;

    /// <summary>Names of the laws to check; empty: all.</summary>
    public IReadOnlyList<string> Laws { get; init; } = [];

    /// <summary>Workers, each with its own port and model.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Time spent on making a failure small.</summary>
    public TimeSpan ShrinkTime { get; init; } = TimeSpan.FromSeconds(20);
}
