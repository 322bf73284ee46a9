using System.Runtime.CompilerServices;

namespace TdxVerify.Model;

/// <summary>What a host call attempts.</summary>
public enum LockRequest
{
    /// <summary>To become a reader.</summary>
    Shared,

    /// <summary>To become the exclusive holder.</summary>
    Exclusive,

    /// <summary>To turn its one reader into the exclusive holder.</summary>
    Promotion,
}

/// <summary>
/// An attempt at a lock, as a whole or one atomic instruction after the other (<see cref="Call.SplitsLocks"/>). After
/// the first of two instructions nothing is settled: <see cref="Call.Again"/> is set, and the answer says nothing.
/// </summary>
/// <typeparam name="S">The layout of the state; it says whether attempts are split at all.</typeparam>
internal static class LockAttempt<S>
    where S : struct, IState
{
    /// <summary>A lock with host priority, by a host call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool OfHost(ref Call c, ref ulong word, LockRequest request) => S.MaySplitLocks && c.SplitsLocks
        ? Split(ref c, ref word, request)
        : request switch
        {
            LockRequest.Shared => HostPriorityLock.TryShared(ref word, guest: false),
            LockRequest.Exclusive => HostPriorityLock.TryExclusive(ref word, guest: false),
            _ => HostPriorityLock.TryPromote(ref word, guest: false),
        };

    /// <summary>The lock of an S-EPT entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool OfEntry(ref Call c, ref SeptEntry entry, bool guest)
    {
        if (S.MaySplitLocks && c.SplitsLocks)
            return SplitEntry(ref c, ref entry, guest);
        return guest ? EntryLock.TryGuest(ref entry) : EntryLock.TryHost(ref entry);
    }

    /// <summary>Notes a granted lock in the call, once it is settled. False: the call ends here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Settle(ref Call c, bool granted, LockId id, bool exclusive)
    {
        if (S.MaySplitLocks && c.Again)
            return true;
        if (granted)
            c.Take(id, exclusive);
        return granted;
    }

    private static bool SplitEntry(ref Call c, ref SeptEntry entry, bool guest)
    {
        if (c.FollowUp == LockFollowUp.None)
            return Begun(ref c, guest ? EntryLock.BeginGuest(ref entry, out LockFollowUp next) : EntryLock.BeginHost(ref entry, out next), next);
        LockFollowUp last = c.FollowUp;
        c.FollowUp = LockFollowUp.None;
        return EntryLock.Finish(ref entry, last);
    }

    private static bool Split(ref Call c, ref ulong word, LockRequest request)
    {
        if (c.FollowUp != LockFollowUp.None)
        {
            LockFollowUp last = c.FollowUp;
            c.FollowUp = LockFollowUp.None;
            return HostPriorityLock.Finish(ref word, last, request == LockRequest.Promotion);
        }

        LockFollowUp next;
        bool granted = request switch
        {
            LockRequest.Shared => HostPriorityLock.BeginShared(ref word, out next),
            LockRequest.Exclusive => HostPriorityLock.BeginExclusive(ref word, out next),
            _ => HostPriorityLock.BeginPromote(ref word, out next),
        };
        return Begun(ref c, granted, next);
    }

    private static bool Begun(ref Call c, bool granted, LockFollowUp next)
    {
        c.FollowUp = next;
        c.Again = next != LockFollowUp.None;
        return granted;
    }
}
