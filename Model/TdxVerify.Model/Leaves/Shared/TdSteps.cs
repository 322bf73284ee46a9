using System.Runtime.CompilerServices;

namespace TdxVerify.Model;

/// <summary>Steps about the TD as a whole: FATAL, lifecycle, OP_STATE, child count, TD epoch (facts/checks.md, facts/op-states.csv).</summary>
internal static class TdSteps<S>
    where S : struct, IState
{
    public const int MinimumTdcsPages = 6;

    public static bool IsNotFatal(ref S s, ref Call c, int arg) => s.Td(c.Td, TdField.Fatal) == 0;

    public static bool LifecycleIn(ref S s, ref Call c, int states) => (states >> (int)s.Td(c.Td, TdField.Lifecycle) & 1) != 0;

    public static bool HasTdcsPages(ref S s, ref Call c, int minimum) => s.Td(c.Td, TdField.TdcsPages) >= (ulong)minimum;

    public static bool OpStateIn(ref S s, ref Call c, int states) => (states >> (int)s.Td(c.Td, TdField.OpState) & 1) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LockOpStateShared(ref S s, ref Call c, int arg)
    {
        ulong word = s.Td(c.Td, TdField.OpStateLock);
        bool granted = LockAttempt<S>.OfHost(ref c, ref word, LockRequest.Shared);
        s.SetTd(c.Td, TdField.OpStateLock, word);
        return LockAttempt<S>.Settle(ref c, granted, LockId.OpState, exclusive: false);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReleaseOpState(ref S s, ref Call c, int arg)
    {
        if (!c.Holds(LockId.OpState))
            return;
        ulong word = s.Td(c.Td, TdField.OpStateLock);
        HostPriorityLock.ReleaseShared(ref word);
        s.SetTd(c.Td, TdField.OpStateLock, word);
        c.Drop(LockId.OpState);
    }

    public static bool LockEpochShared(ref S s, ref Call c, int arg) => LockPlainShared(ref s, ref c, TdField.EpochLock, LockId.Epoch);

    public static bool LockEpochExclusive(ref S s, ref Call c, int arg) => LockPlainExclusive(ref s, ref c, TdField.EpochLock, LockId.Epoch);

    public static void ReleaseEpoch(ref S s, ref Call c, int arg) => ReleasePlain(ref s, ref c, TdField.EpochLock, LockId.Epoch);

    [Visible]
    public static void IncrementChildCount(ref S s, ref Call c, int pages) =>
        s.SetTd(c.Td, TdField.ChildCount, s.Td(c.Td, TdField.ChildCount) + (ulong)pages);

    [Visible]
    public static void DecrementChildCount(ref S s, ref Call c, int pages) =>
        s.SetTd(c.Td, TdField.ChildCount, s.Td(c.Td, TdField.ChildCount) - (ulong)pages);

    public static bool LockPlainShared(ref S s, ref Call c, TdField field, LockId id)
    {
        ulong word = s.Td(c.Td, field);
        bool granted = PlainLock.TryShared(ref word);
        s.SetTd(c.Td, field, word);
        if (granted)
            c.Take(id, exclusive: false);
        return granted;
    }

    public static bool LockPlainExclusive(ref S s, ref Call c, TdField field, LockId id)
    {
        ulong word = s.Td(c.Td, field);
        bool granted = PlainLock.TryExclusive(ref word);
        s.SetTd(c.Td, field, word);
        if (granted)
            c.Take(id, exclusive: true);
        return granted;
    }

    public static void ReleasePlain(ref S s, ref Call c, TdField field, LockId id)
    {
        if (!c.Holds(id))
            return;
        ulong word = s.Td(c.Td, field);
        if (c.HoldsExclusive(id))
            PlainLock.ReleaseExclusive(ref word);
        else
            PlainLock.ReleaseShared(ref word);
        s.SetTd(c.Td, field, word);
        c.Drop(id);
    }

    public static TdField RefCount(ulong epoch) => (epoch & 1) == 0 ? TdField.RefCountEven : TdField.RefCountOdd;
}
