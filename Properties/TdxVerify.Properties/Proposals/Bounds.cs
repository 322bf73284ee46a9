namespace TdxVerify.Properties.Proposals;

/// <summary>How often hosts try, kick and keep out, over all schedules.</summary>
/// <param name="SeamcallRepeats">SEAMCALLs of one host thread other than TDH.VP.ENTER that are refused before one succeeds.</param>
/// <param name="Kicks">Kicks of one host thread before it gets on: of a zap.</param>
/// <param name="FailedEntries">TDH.VP.ENTERs of one vCPU that fail in a row.</param>
/// <param name="BlockedEntries">Times that one vCPU turns back before TDH.VP.ENTER because a host thread keeps it out, until it enters.</param>
public sealed record Bounds(Bound SeamcallRepeats, Bound Kicks, Bound FailedEntries, Bound BlockedEntries)
{
    /// <summary>Nothing is known.</summary>
    public static Bounds Unknown { get; } = new(Bound.Unknown, Bound.Unknown, Bound.Unknown, Bound.Unknown);

    /// <summary>Nothing of it ever happens.</summary>
    public static Bounds Never { get; } = new(Bound.Never, Bound.Never, Bound.Never, Bound.Never);

    /// <summary>The bounds with their names, as the table and JSON have them.</summary>
    public IReadOnlyList<(string JsonName, string Title, Bound Bound)> All =>
    [
        ("seamcallRepeats", "repeats", SeamcallRepeats),
        ("kicks", "kicks", Kicks),
        ("failedEntries", "failed entries", FailedEntries),
        ("blockedEntries", "blocked entries", BlockedEntries),
    ];

    /// <summary>The most of two systems.</summary>
    public Bounds With(Bounds other) => new(
        SeamcallRepeats.With(other.SeamcallRepeats), Kicks.With(other.Kicks), FailedEntries.With(other.FailedEntries), BlockedEntries.With(other.BlockedEntries));
}
