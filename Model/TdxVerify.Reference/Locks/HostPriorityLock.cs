namespace TdxVerify.Reference;

/// <summary>
/// The shared/exclusive lock with host priority of PAMT entries and of OP_STATE (facts/lock-types.csv): 16 bits, bit 0
/// exclusive, bit 1 host priority, bits 15:2 the readers. A refused host raises the flag; it keeps guests away until a
/// host gets the lock.
/// </summary>
internal static class HostPriorityLock
{
    private const ushort Free = 0;
    private const ushort ExclusiveBit = 1;
    private const ushort HostPriorityBit = 2;
    private const ushort OneReader = 4;

    public static bool TryAcquire(ref ushort word, LockMode mode, bool guest) =>
        mode == LockMode.Exclusive ? TryAcquireExclusive(ref word, guest) : TryAcquireShared(ref word, guest);

    /// <summary>
    /// The reader is counted first. Where the exclusive bit refuses it, it stays counted until the exclusive release;
    /// where only the flag refuses it (a guest), it takes itself back.
    /// </summary>
    public static bool TryAcquireShared(ref ushort word, bool guest)
    {
        ushort before = AtomicWord.Add(ref word, OneReader);
        if ((before & (ExclusiveBit | HostPriorityBit)) == 0)
            return true;
        if (guest)
        {
            if ((before & HostPriorityBit) != 0)
                AtomicWord.Add(ref word, unchecked((ushort)-OneReader));
            return false;
        }

        if ((before & ExclusiveBit) != 0)
        {
            AtomicWord.Or(ref word, HostPriorityBit);
            return false;
        }

        AtomicWord.And(ref word, unchecked((ushort)~HostPriorityBit));
        return true;
    }

    /// <summary>From the free word; for the host also from the flag alone, which it clears.</summary>
    public static bool TryAcquireExclusive(ref ushort word, bool guest)
    {
        ushort before = Interlocked.CompareExchange(ref word, ExclusiveBit, Free);
        if (before == Free)
            return true;
        if (guest)
            return false;
        if (before == HostPriorityBit)
            return Interlocked.CompareExchange(ref word, ExclusiveBit, HostPriorityBit) == HostPriorityBit;
        AtomicWord.Or(ref word, HostPriorityBit);
        return false;
    }

    /// <summary>The only reader becomes the exclusive holder, and clears the flag; refused, it stays a reader.</summary>
    public static bool TryPromote(ref ushort word)
    {
        ushort before = Interlocked.CompareExchange(ref word, ExclusiveBit, OneReader);
        if (before == OneReader)
            return true;
        const ushort OneReaderAndFlag = OneReader | HostPriorityBit;
        if (before == OneReaderAndFlag)
            return Interlocked.CompareExchange(ref word, ExclusiveBit, OneReaderAndFlag) == OneReaderAndFlag;
        AtomicWord.Or(ref word, HostPriorityBit);
        return false;
    }

    /// <summary>The exclusive release keeps the flag and drops stray readers; the shared one only counts down.</summary>
    public static void Release(ref ushort word, LockMode mode)
    {
        if (mode == LockMode.Exclusive)
            AtomicWord.And(ref word, HostPriorityBit);
        else
            AtomicWord.Add(ref word, unchecked((ushort)-OneReader));
    }
}
