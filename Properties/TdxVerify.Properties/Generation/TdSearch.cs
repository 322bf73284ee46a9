using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;

namespace TdxVerify.Properties.Generation;

/// <summary>Looks at a TD: how far it is, and what its S-EPT maps where.</summary>
internal static class TdSearch
{
    private static readonly ulong[] s_regions = [0, 0x4000_0000, 0x80_0000_0000, 0x7FFF_C000_0000];

    /// <summary>It has its keys, and OP_STATE is this.</summary>
    public static bool Is(in ObservedState s, TdView td, OpState state) =>
        (OpState)s.Td(td.Handle, TdField.OpState) == state
        && (TdLifecycle)s.Td(td.Handle, TdField.Lifecycle) == TdLifecycle.TD_KEYS_CONFIGURED;

    /// <summary>It never ran: most TDs should have run before they are torn down.</summary>
    public static bool IsYoung(in ObservedState s, TdView td) =>
        (TdLifecycle)s.Td(td.Handle, TdField.Lifecycle) <= TdLifecycle.TD_KEYS_CONFIGURED && !Is(s, td, OpState.RUNNABLE);

    /// <summary>Some range of guest addresses, mapped or not.</summary>
    public static Range SomeRange(ref ChoiceReader choices)
    {
        ulong value = choices.Next();
        ulong gpa = s_regions[value % 100 < 70 ? 0 : (int)(value >> 8 & 3)];
        gpa += (value >> 16 & 3) << SeptLevel.Shift(SeptLevel.Page2M);
        int level = (value >> 24) % 100 >= 65 ? SeptLevel.Page2M : SeptLevel.Page4K;
        if (level == SeptLevel.Page4K)
            gpa += ((value >> 40 & 15) == 15 ? 511UL : value >> 32 & 7) << Hpa.PageShift;
        return new Range(gpa, level);
    }

    /// <summary>A range that was mapped, if any was.</summary>
    public static Range SomeMapped(ref ChoiceReader choices, TdView td) => td.Leaves.Count == 0
        ? SomeRange(ref choices)
        : td.Leaves[choices.Below(td.Leaves.Count)];

    /// <summary>
    /// A mapped range in one of these states, looked for from a chosen place on; rather one whose TLB tracking is done.
    /// </summary>
    public static Range? Find(ref ChoiceReader choices, in ObservedState s, TdView td, List<Range> ranges, SeptStates states)
    {
        if (ranges.Count == 0)
            return null;
        int first = choices.Below(ranges.Count);
        Range? found = null;
        for (int i = 0; i < Math.Min(ranges.Count, 16); i++)
        {
            Range range = ranges[(first + i) % ranges.Count];
            (int level, SeptEntry entry) = WalkToEntry(s, td, range);
            if (level != range.Level || !states.Contains(entry.State))
                continue;
            if (!SeptStates.AnyBlocked.Contains(entry.State) || IsTracked(s, td, range.Level, entry))
                return range;
            found ??= range;
        }

        return found;
    }

    /// <summary>The range was blocked in an epoch before the present one.</summary>
    public static bool IsTracked(in ObservedState s, TdView td, int level, SeptEntry entry)
    {
        PamtRef at = entry.IsLeaf ? PamtRef.Of(level, entry.Target) : new PamtRef(0, s.TablePage(entry.Target));
        return s.Pamt(at, PamtField.Bepoch) < s.Td(td.Handle, TdField.Epoch);
    }

    /// <summary>The level at which the walk to a range ends, and the state of that entry.</summary>
    public static (int Level, SeptState State) WalkTo(in ObservedState s, TdView td, Range range)
    {
        (int level, SeptEntry entry) = WalkToEntry(s, td, range);
        return (level, entry.State);
    }

    /// <summary>Where the walk to a range ends.</summary>
    public static (int Level, SeptEntry Entry) WalkToEntry(in ObservedState s, TdView td, Range range)
    {
        (int level, EntryRef at) = WalkToPlace(s, td, range);
        return (level, s.Entry(at));
    }

    /// <summary>The place where the walk to a range ends.</summary>
    public static (int Level, EntryRef At) WalkToPlace(in ObservedState s, TdView td, Range range)
    {
        int level = (int)s.Td(td.Handle, TdField.RootLevel);
        int table = (int)s.Td(td.Handle, TdField.RootTable);
        while (true)
        {
            var at = new EntryRef(table, SeptLevel.Index(range.Gpa, level));
            if (level <= range.Level)
                return (level, at);
            SeptEntry entry = s.Entry(at);
            if (entry.State != SeptState.NL_MAPPED)
                return (level, at);
            table = entry.Target;
            level--;
        }
    }
}
