namespace TdxVerify.Properties.Exploration;

/// <summary>How far and with what a search goes.</summary>
public sealed record SearchOptions
{
    /// <summary>Threads.</summary>
    public int Workers { get; init; } = Math.Min(Environment.ProcessorCount, StateId.MostWorkers);

    /// <summary>Bytes for states and table; a search that would need more ends incomplete.</summary>
    public long MemoryLimit { get; init; } = DefaultMemoryLimit();

    /// <summary>About how many states there are; 0: nobody knows. The table is made that large at once.</summary>
    public long ExpectedStates { get; init; }

    /// <summary>Levels, at most; a search that is not through then ends incomplete.</summary>
    public int DepthLimit { get; init; } = int.MaxValue;

    /// <summary>States, at most; a search that has more at the end of a level ends incomplete.</summary>
    public long StateLimit { get; init; } = long.MaxValue;

    /// <summary>States that are renamings of each other are one. Where the system has renamings.</summary>
    public bool Symmetry { get; init; }

    /// <summary>
    /// Where an agent's steps do not touch what others use, only these are made first. Counterexamples are not the
    /// shortest then.
    /// </summary>
    public bool PartialOrder { get; init; }

    /// <summary>
    /// Nothing follows a step that reports <see cref="Model.SystemEvent.EndsRun"/>: what a VM does that is dead, or a module that
    /// halted, is not looked at. Else it is.
    /// </summary>
    public bool EndsRuns { get; init; }

    /// <summary>Go on to the end when a law is broken; else the level in which it was is the last.</summary>
    public bool GoesOn { get; init; }

    // Three quarters of what the system says is there.
    private static long DefaultMemoryLimit() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4 * 3;
}
