namespace TdxVerify.Reference;

/// <summary>
/// The lock inside an S-EPT entry (facts/lock-types.csv): bit 11 the lock, bit 52 host priority. It is released by
/// clearing bit 11, or by storing a whole new entry value, which erases host priority as well.
/// </summary>
internal static unsafe class SeptEntryLock
{
    public const ulong LockBit = 1UL << 11;
    public const ulong HostPriorityBit = 1UL << 52;

    /// <summary>
    /// Refused, the host raises the priority bit. Successful, it clears that bit with a second instruction: what
    /// another host raises in between is lost.
    /// </summary>
    public static bool TryAcquireHost(ulong* entry)
    {
        if ((Interlocked.Or(ref *entry, LockBit) & LockBit) != 0)
        {
            Interlocked.Or(ref *entry, HostPriorityBit);
            return false;
        }

        Interlocked.And(ref *entry, ~HostPriorityBit);
        return true;
    }

    /// <summary>
    /// A guest that finds host priority gives the lock back and leaves the priority where it is. What it finds is
    /// what the lock instruction itself saw: priority raised after that comes too late to refuse it.
    /// </summary>
    public static bool TryAcquireGuest(ulong* entry)
    {
        ulong before = Interlocked.Or(ref *entry, LockBit);
        if ((before & LockBit) != 0)
            return false;
        if ((before & HostPriorityBit) == 0)
            return true;
        Release(entry);
        return false;
    }

    public static void Release(ulong* entry) => Interlocked.And(ref *entry, ~LockBit);
}
