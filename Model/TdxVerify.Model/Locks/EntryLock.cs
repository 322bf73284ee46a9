namespace TdxVerify.Model;

/// <summary>
/// The lock of an S-EPT entry: one bit, with a host-priority bit beside it (facts/lock-types.csv, facts/guest.md).
/// Released by clearing the lock bit, or by writing a whole new entry, which also erases host priority.
/// </summary>
public static class EntryLock
{
    /// <summary>Host: takes the lock and clears host priority; refused: sets host priority.</summary>
    public static bool TryHost(ref SeptEntry entry)
    {
        bool granted = !entry.IsLocked;
        entry = granted
            ? entry.WithoutLockBits.WithLock(true)
            : new SeptEntry(entry.Word | SeptEntry.HostPriorityBit);
        return granted;
    }

    /// <summary>Guest: takes the lock; refused while it is taken or host priority is set, with no trace left.</summary>
    public static bool TryGuest(ref SeptEntry entry)
    {
        if (entry.IsLocked || entry.HasHostPriority)
            return false;
        entry = entry.WithLock(true);
        return true;
    }
}
