namespace TdxVerify.Properties.Contention;

/// <summary>How two calls ended that ran at the same time, and what they left behind.</summary>
internal sealed record PairOutcome
{
    /// <summary>How each ended, in words.</summary>
    public required (string A, string B) Names { get; init; }

    /// <summary>All that each showed: registers to the host and to the guest.</summary>
    public required (UInt128 A, UInt128 B) Shown { get; init; }

    /// <summary>Each, or its TDCALL, returned OPERAND_BUSY.</summary>
    public required (bool A, bool B) Busy { get; init; }

    /// <summary>The state at the end, lock words apart.</summary>
    public required FinalState State { get; init; }
}
