using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>The first line of a trace.</summary>
public sealed record TraceHeader
{
    /// <summary>The value of the key <c>format</c>.</summary>
    public const string Format = "tdxverify-trace";

    /// <summary>The version of the format that is read and written.</summary>
    public const int Version = 1;

    /// <summary>What was recorded.</summary>
    public required string Implementation { get; init; }

    /// <summary>The platform that was recorded, with the profile of the module.</summary>
    public required PlatformInfo Platform { get; init; }

    /// <summary>The name of a prepared platform, for information; null where there is none.</summary>
    public string? Scenario { get; init; }

    /// <summary>
    /// In which order the calls of the one sequence, in the order in which they begin, made their visible steps, such as
    /// <c>a24 b7 a3</c>; null: not known. A recording of a model has it; a replay follows it.
    /// </summary>
    public string? Schedule { get; init; }
}
