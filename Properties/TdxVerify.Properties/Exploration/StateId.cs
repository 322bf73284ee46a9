namespace TdxVerify.Properties.Exploration;

/// <summary>A stored state: which worker found it, and its place among that worker's.</summary>
internal readonly record struct StateId(uint Value)
{
    /// <summary>More workers than this are not used.</summary>
    public const int MostWorkers = 16;

    /// <summary>States that one worker can store.</summary>
    public const int MostStates = 1 << IndexBits;

    private const int IndexBits = 28;

    public StateId(int worker, int index)
        : this(((uint)worker << IndexBits) | (uint)index)
    {
    }

    public int Worker => (int)(Value >> IndexBits);

    public int Index => (int)(Value & (MostStates - 1));
}
