namespace TdxVerify.Reference;

/// <summary>
/// The plain shared/exclusive lock of the S-EPT tree, the TD epoch and the KOT (facts/lock-types.csv): 16 bits, bit 0
/// exclusive, bits 15:1 the readers. There is no waiting: what cannot be had at once is refused.
/// </summary>
internal static class SharexLock
{
    private const ushort Free = 0;
    private const ushort ExclusiveBit = 1;
    private const ushort OneReader = 2;

    public static bool TryAcquire(ref ushort word, LockMode mode) =>
        mode == LockMode.Exclusive ? TryAcquireExclusive(ref word) : TryAcquireShared(ref word);

    /// <summary>
    /// The reader is counted first and the exclusive bit judged after: a refused reader stays counted until the
    /// exclusive release zeroes the word.
    /// </summary>
    public static bool TryAcquireShared(ref ushort word) => (AtomicWord.Add(ref word, OneReader) & ExclusiveBit) == 0;

    public static bool TryAcquireExclusive(ref ushort word) =>
        Interlocked.CompareExchange(ref word, ExclusiveBit, Free) == Free;

    public static void Release(ref ushort word, LockMode mode)
    {
        if (mode == LockMode.Exclusive)
            Interlocked.Exchange(ref word, Free);
        else
            AtomicWord.Add(ref word, unchecked((ushort)-OneReader));
    }
}
