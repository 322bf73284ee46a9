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
}
