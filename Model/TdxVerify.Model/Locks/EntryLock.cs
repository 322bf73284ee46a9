using System.Runtime.CompilerServices;

namespace TdxVerify.Model;

/// <summary>
/// The lock of an S-EPT entry: one bit, with a host-priority bit beside it (facts/lock-types.csv, facts/guest.md).
/// Released by clearing the lock bit, or by writing a whole new entry, which also erases host priority.
/// </summary>
public static class EntryLock
{
    /// <summary>Host: takes the lock and clears host priority; refused: sets host priority.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryHost(ref SeptEntry entry)
    {
        bool granted = !entry.IsLocked;
        entry = granted
            ? entry.WithoutLockBits.WithLock(true)
            : new SeptEntry(entry.Word | SeptEntry.HostPriorityBit);
        return granted;
    }

    /// <summary>The first instruction of <see cref="TryHost"/>: takes the lock bit, if it is free.</summary>
    public static bool BeginHost(ref SeptEntry entry, out LockFollowUp next)
    {
        bool granted = !entry.IsLocked;
        next = granted ? LockFollowUp.ClearHostPriority : LockFollowUp.SetHostPriority;
        entry = entry.WithLock(true);
        return granted;
    }

    /// <summary>The first instruction of <see cref="TryGuest"/>: takes the lock bit, if it is free.</summary>
    public static bool BeginGuest(ref SeptEntry entry, out LockFollowUp next)
    {
        bool granted = !entry.IsLocked;
        next = granted && entry.HasHostPriority ? LockFollowUp.GiveBack : LockFollowUp.None;
        entry = entry.WithLock(true);
        return granted;
    }

    /// <summary>The second instruction of an attempt. True: granted.</summary>
    public static bool Finish(ref SeptEntry entry, LockFollowUp next)
    {
        entry = next switch
        {
            LockFollowUp.SetHostPriority => new SeptEntry(entry.Word | SeptEntry.HostPriorityBit),
            LockFollowUp.ClearHostPriority => new SeptEntry(entry.Word & ~SeptEntry.HostPriorityBit),
            _ => entry.WithLock(false),
        };
        return next == LockFollowUp.ClearHostPriority;
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
