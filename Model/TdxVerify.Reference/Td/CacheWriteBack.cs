namespace TdxVerify.Reference;

/// <summary>What TDH.PHYMEM.CACHE.WB keeps for a package between its calls.</summary>
internal sealed class CacheWriteBack
{
    public CacheWriteBack(int hkidLimit) => HkidFlushedAtStart = new bool[hkidLimit];

    /// <summary>1: taken.</summary>
    public byte Mutex;

    /// <summary>The sub-block at which an interrupted walk goes on; 0: none.</summary>
    public int InterruptionPoint;

    /// <summary>The key ids that the walk is for: those flushed when it started.</summary>
    public bool[] HkidFlushedAtStart { get; }

    public void Reset()
    {
        Mutex = 0;
        InterruptionPoint = 0;
        Array.Clear(HkidFlushedAtStart);
    }
}
