using System.Runtime.CompilerServices;
using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// Steps about the S-EPT: GPA operands, the tree lock, the walk, the entry lock, entry states and TLB tracking
/// (facts/checks.md, facts/epoch.md, facts/sept-states.csv).
/// </summary>
internal static class SeptSteps<S>
    where S : struct, IState
{
    /// <summary>As a highest level: that of the root's entries.</summary>
    public const int RootLevel = 7;

    /// <summary>As the level of a walk: it is still to begin.</summary>
    public const int AboveRoot = -1;

    /// <summary>The argument of <see cref="PageInfoIsLegal"/>: levels that the operand may have.</summary>
    public static int Levels(int lowest, int highest) => lowest | (highest << 4);

    public static void ReadPageInfo(ref S s, ref Call c, int arg)
    {
        var info = new PageInfo(c.In.Rcx);
        c.Gpa = info.Gpa;
        c.WantedLevel = info.Level;
    }

    public static bool PageInfoIsLegal(ref S s, ref Call c, int levels)
    {
        int lowest = levels & 0xF;
        int highest = levels >> 4;
        if (highest == RootLevel)
            highest = (int)s.Td(c.Td, TdField.RootLevel);
        return new PageInfo(c.In.Rcx).ReservedAreZero
            && c.WantedLevel >= lowest
            && c.WantedLevel <= highest
            && (c.Gpa & (SeptLevel.Size(c.WantedLevel) - 1)) == 0;
    }

    public static bool GpaIsPrivate(ref S s, ref Call c, int arg) => c.Gpa >> Gpa.SharedBit(HasWideGpa(ref s, c.Td)) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool HasWideGpa(ref S s, int td) => (s.Td(td, TdField.ConfigFlags) & 1) != 0;

    public static bool LockTreeShared(ref S s, ref Call c, int arg) =>
        TdSteps<S>.LockPlainShared(ref s, ref c, TdField.SeptTreeLock, LockId.SeptTree);

    public static bool LockTreeExclusive(ref S s, ref Call c, int arg) =>
        TdSteps<S>.LockPlainExclusive(ref s, ref c, TdField.SeptTreeLock, LockId.SeptTree);

    public static void ReleaseTree(ref S s, ref Call c, int arg) =>
        TdSteps<S>.ReleasePlain(ref s, ref c, TdField.SeptTreeLock, LockId.SeptTree);

    /// <summary>One level of a walk from the root down to a level, or to where no S-EPT page is mapped.</summary>
    public static void WalkOneLevel(ref S s, ref Call c, int level)
    {
        if (c.Progress == 0 || c.Level == AboveRoot)
        {
            c.Level = (int)s.Td(c.Td, TdField.RootLevel);
            c.Entry = new EntryRef((int)s.Td(c.Td, TdField.RootTable), SeptLevel.Index(c.Gpa, c.Level));
        }
        else
        {
            c.Level--;
            c.Entry = new EntryRef(c.Value.Target, SeptLevel.Index(c.Gpa, c.Level));
        }

        c.Value = s.Entry(c.Entry);
        c.Again = c.Level > level && c.Value.State == SeptState.NL_MAPPED;
    }

    /// <summary>Walks from the root down to a level, or to where no S-EPT page is mapped.</summary>
    public static void Walk(ref S s, ref Call c, int level)
    {
        int at = (int)s.Td(c.Td, TdField.RootLevel);
        int table = (int)s.Td(c.Td, TdField.RootTable);
        ulong gpa = c.Gpa;
        while (true)
        {
            var entry = new EntryRef(table, SeptLevel.Index(gpa, at));
            SeptEntry value = s.Entry(entry);
            if (at <= level || value.State != SeptState.NL_MAPPED)
            {
                c.Entry = entry;
                c.Value = value;
                c.Level = at;
                return;
            }

            table = value.Target;
            at--;
        }
    }

    [Visible(Part = nameof(WalkOneLevelToReach), Touches = Touched.Way, Sets = [nameof(Call.Level), nameof(Call.Entry), nameof(Call.Value)])]
    public static bool WalkReachesLevel(ref S s, ref Call c, int arg)
    {
        Walk(ref s, ref c, c.WantedLevel);
        return c.Level == c.WantedLevel;
    }

    public static bool WalkOneLevelToReach(ref S s, ref Call c, int arg)
    {
        WalkOneLevel(ref s, ref c, c.WantedLevel);
        return c.Level == c.WantedLevel;
    }

    public static bool LockEntryHost(ref S s, ref Call c, int arg) => LockEntry(ref s, ref c, guest: false);

    public static bool LockEntryGuest(ref S s, ref Call c, int arg) => LockEntry(ref s, ref c, guest: true);

    [Visible(Touches = Touched.Entries, Sets = [nameof(Call.Value)])]
    public static void ReadEntry(ref S s, ref Call c, int arg) => c.Value = s.Entry(c.Entry);

    /// <summary>An interrupted accept is forgotten: the entry counts as if none of its chunks were done.</summary>
    public static void IgnoreAcceptCounter(ref S s, ref Call c, int arg) => c.Value = c.Value.WithAcceptCounter(0);

    public static bool EntryStateIn(ref S s, ref Call c, int states) => ((SeptStates)states).Contains(c.Value.State);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReleaseEntry(ref S s, ref Call c, int arg)
    {
        if (!c.Holds(LockId.SeptEntry))
            return;
        s.SetEntry(c.Entry, s.Entry(c.Entry).WithLock(false));
        c.Drop(LockId.SeptEntry);
    }

    /// <summary>Writes a whole new entry: this releases the entry lock and erases host priority.</summary>
    public static void WriteEntryAndRelease(ref S s, ref Call c, SeptEntry entry)
    {
        s.SetEntry(c.Entry, entry.WithoutLockBits);
        c.Drop(LockId.SeptEntry);
    }

    /// <summary>
    /// Writes the local copy of the entry, changed, lock bit included: host priority that was set since the copy was
    /// read is erased, host priority in the copy stays.
    /// </summary>
    public static void WriteCopy(ref S s, ref Call c, SeptEntry copy) => s.SetEntry(c.Entry, copy);

    /// <summary>Writes a whole new entry that stays locked: this erases host priority.</summary>
    public static void WriteEntryLocked(ref S s, ref Call c, SeptEntry entry) =>
        s.SetEntry(c.Entry, entry.WithoutLockBits.WithLock(true));

    public static bool NeedsTracking(ref S s, ref Call c) =>
        SeptStates.TlbTracked.Contains(c.Value.State) && (OpState)s.Td(c.Td, TdField.OpState) == OpState.RUNNABLE;

    public static bool IsBlockedIfTracked(ref S s, ref Call c, int arg) =>
        !NeedsTracking(ref s, ref c) || SeptStates.AnyBlocked.Contains(c.Value.State);

    [Visible]
    public static bool IsTracked(ref S s, ref Call c, int arg)
    {
        if (!NeedsTracking(ref s, ref c))
            return true;
        ulong blockEpoch = s.Pamt(
            PamtRef.Of(c.Size[(int)PageSlot.Mapped], c.Page[(int)PageSlot.Mapped]), PamtField.Bepoch);
        ulong epoch = s.Td(c.Td, TdField.Epoch);
        if (blockEpoch == epoch - 1 && s.Td(c.Td, TdSteps<S>.RefCount(blockEpoch)) == 0)
            return true;
        return blockEpoch < epoch - 1;
    }

    /// <summary>The architectural form of an entry, as leaves return it in RCX (facts/checks.md, "How to read").</summary>
    public static ulong ArchEntry(PlatformInfo platform, SeptEntry entry) => entry.State switch
    {
        SeptState.FREE => 1UL << 63,
        SeptState.NL_MAPPED => 0x7,
        SeptState.NL_BLOCKED => 0,
        _ => (1UL << 63) | platform.PageBase + ((ulong)entry.Target << Hpa.PageShift) + ((ulong)entry.AcceptCounter << Hpa.PageShift)
            | 0xF0 | (entry.State == SeptState.MAPPED ? 7UL : 0),
    };

    /// <summary>Level and architectural state, as leaves return them in RDX.</summary>
    public static ulong ArchLevelAndState(SeptEntry entry, int level) =>
        (uint)level | ((ulong)SeptStateFacts.ArchState[(int)entry.State] << 8);

    public static void ReturnEntry(ref S s, ref Call c, int arg)
    {
        c.Out.Rcx = ArchEntry(s.Platform, c.Value);
        c.Out.Rdx = ArchLevelAndState(c.Value, c.Level);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool LockEntry(ref S s, ref Call c, bool guest)
    {
        SeptEntry entry = s.Entry(c.Entry);
        bool granted = LockAttempt<S>.OfEntry(ref c, ref entry, guest);
        s.SetEntry(c.Entry, entry);
        return LockAttempt<S>.Settle(ref c, granted, LockId.SeptEntry, exclusive: true);
    }
}
