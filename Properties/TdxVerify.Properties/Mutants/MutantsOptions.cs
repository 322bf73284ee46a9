using TdxVerify.Abi;

namespace TdxVerify.Properties.Mutants;

/// <summary>What a run of mutants does.</summary>
public sealed record MutantsOptions
{
    /// <summary>The platform, with the profile whose leaves are mutated.</summary>
    public PlatformInfo Platform { get; init; } = new();

    /// <summary>Sequences and the sample follow from it.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>When the run ends; null: when all mutants are judged.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>How many mutants at most.</summary>
    public int Maximum { get; init; } = int.MaxValue;

    /// <summary>Only mutants whose id contains this.</summary>
    public string Only { get; init; } = "";

    /// <summary>Sequences that every mutant is run on, as far as they reach its step.</summary>
    public int Sequences { get; init; } = 320;

    /// <summary>Further sequences for those that the first, and the recordings, did not tell.</summary>
    public int FurtherSequences { get; init; } = 1280;

    /// <summary>Events after which the laws judge a mutant by no further sequence; 0: they judge none.</summary>
    public long LawEvents { get; init; } = 20_000;

    /// <summary>Folder with recordings; null: none.</summary>
    public string? Recordings { get; init; }

    /// <summary>Threads.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;
}
