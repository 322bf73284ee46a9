namespace TdxVerify.Properties.Mutants;

/// <summary>What told a mutant from the model.</summary>
public enum KilledBy
{
    /// <summary>Nothing did.</summary>
    Nothing,

    /// <summary>A random sequence was answered differently.</summary>
    RandomSequence,

    /// <summary>A sweep was answered differently, and no random sequence was.</summary>
    Sweep,

    /// <summary>A recording was answered differently, and nothing else was.</summary>
    Recording,

    /// <summary>A law other than conformance was broken.</summary>
    Law,

    /// <summary>The mutant threw: it reached a state that cannot be.</summary>
    Crash,
}

/// <summary>How a mutant was told from the model, or that it was not.</summary>
/// <param name="By">What told it.</param>
/// <param name="Reason">In which sequence, and how; empty where nothing did.</param>
/// <param name="Law">The law that was broken; empty where none was.</param>
public sealed record Kill(KilledBy By, string Reason, string Law = "")
{
    /// <summary>The sequence that told it; null: none did.</summary>
    public ReachedSequence? Sequence { get; init; }

    /// <summary>Nothing told it.</summary>
    public static Kill None { get; } = new(KilledBy.Nothing, "");

    /// <summary>Something told it.</summary>
    public bool IsKilled => By != KilledBy.Nothing;
}
