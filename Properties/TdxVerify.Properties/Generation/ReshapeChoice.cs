using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using static TdxVerify.Properties.Generation.Calls;
using static TdxVerify.Properties.Generation.TdSearch;

namespace TdxVerify.Properties.Generation;

/// <summary>Calls on what is mapped: block, unblock, remove, relocate, demote, promote.</summary>
internal sealed class ReshapeChoice(World world)
{
    /// <summary>TDH.MEM.RANGE.BLOCK.</summary>
    public static RegisterFile Block(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        List<Range> ranges = choices.Percent(10) ? td.Tables : td.Leaves;
        Range range = Find(ref choices, s, td, ranges, SeptStates.MAPPED | SeptStates.PENDING | SeptStates.NL_MAPPED) ?? SomeMapped(ref choices, td);
        return AtRange(HostLeaf.TDH_MEM_RANGE_BLOCK, td, range);
    }

    /// <summary>TDH.MEM.RANGE.UNBLOCK.</summary>
    public static RegisterFile Unblock(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        List<Range> ranges = choices.Percent(30) ? td.Tables : td.Leaves;
        Range range = Find(ref choices, s, td, ranges, SeptStates.AnyBlocked) ?? SomeMapped(ref choices, td);
        return AtRange(HostLeaf.TDH_MEM_RANGE_UNBLOCK, td, range);
    }

    /// <summary>A blocked S-EPT page hides all below it: unblock it, after TLB tracking.</summary>
    public static RegisterFile Reopen(in ObservedState s, TdView td, Range table)
    {
        (int level, SeptEntry entry) = WalkToEntry(s, td, table);
        return Is(s, td, OpState.RUNNABLE) && !IsTracked(s, td, level, entry)
            ? Registers(HostLeaf.TDH_MEM_TRACK, td.Tdr)
            : AtRange(HostLeaf.TDH_MEM_RANGE_UNBLOCK, td, table);
    }

    /// <summary>A page or an S-EPT page is removed.</summary>
    public static RegisterFile Remove(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        if (choices.Percent(20) && td.Tables.Count > 0)
        {
            Range table = Find(ref choices, s, td, td.Tables, SeptStates.NL_BLOCKED) ?? td.Tables[choices.Below(td.Tables.Count)];
            RegisterFile remove = AtRange(HostLeaf.TDH_MEM_SEPT_REMOVE, td, table);
            remove.Rax |= choices.Percent(40) ? 1UL << 16 : 0;
            return remove;
        }

        Range range = Find(ref choices, s, td, td.Leaves, SeptStates.BLOCKED | SeptStates.PENDING_BLOCKED) ?? SomeMapped(ref choices, td);
        return AtRange(HostLeaf.TDH_MEM_PAGE_REMOVE, td, range);
    }

    /// <summary>A page is relocated, demoted, or pages are promoted, each after what it needs.</summary>
    public RegisterFile Reshape(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        switch (choices.Below(3))
        {
            case 0:
                bool needsTracking = Is(s, td, OpState.RUNNABLE) && !choices.Percent(10);
                SeptStates ready = needsTracking ? SeptStates.BLOCKED | SeptStates.PENDING_BLOCKED : SeptStates.Leaf;
                Range small = Find(ref choices, s, td, td.Leaves, ready) ?? SomeMapped(ref choices, td);
                ulong target = td.Leaves.Count > 0 && choices.Percent(4) ? world.Address(WalkToEntry(s, td, small).Entry.Target) : world.FreePage(s, choices.Percent(30));
                return AtRange(HostLeaf.TDH_MEM_PAGE_RELOCATE, td, small, target);
            case 1:
                Range large = td.LargeLeaves.Count == 0 ? SomeMapped(ref choices, td) : td.LargeLeaves[choices.Below(td.LargeLeaves.Count)];
                return Prepare(ref choices, s, td, large)
                    ?? AtRange(HostLeaf.TDH_MEM_PAGE_DEMOTE, td, large, world.FreePage(s, choices.Percent(30)));
            default:
                Range table = td.MergeableTables.Count == 0 ? SomeMapped(ref choices, td) : SomeMergeable(ref choices, s, td);
                if (Prepare(ref choices, s, td, table) is { } first)
                    return first;
                RegisterFile promote = AtRange(HostLeaf.TDH_MEM_PAGE_PROMOTE, td, table);
                promote.Rax |= choices.Percent(35) ? 1UL << 16 : 0;
                return promote;
        }
    }

    // Often the latest, whose entries are still as alike as a demotion made them; mostly one with nothing missing, as
    // far as its first and last entries tell.
    private static Range SomeMergeable(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        int last = td.MergeableTables.Count - 1;
        int first = Math.Min(choices.Below(2 * td.MergeableTables.Count), last);
        if (choices.Percent(20))
            return td.MergeableTables[first];
        for (int i = 0; i <= Math.Min(first, 8); i++)
        {
            Range table = td.MergeableTables[first - i];
            (int level, SeptEntry entry) = WalkToEntry(s, td, table);
            if (level == table.Level && SeptStates.NonLeaf.Contains(entry.State) && IsLeaf(s, entry.Target, 0) && IsLeaf(s, entry.Target, 511))
                return table;
        }

        return td.MergeableTables[first];
    }

    private static bool IsLeaf(in ObservedState s, int table, int index) => s.Entry(new EntryRef(table, index)).IsLeaf;

    // What a running TD needs before a range may change its size: blocked, then tracked.
    private static RegisterFile? Prepare(ref ChoiceReader choices, in ObservedState s, TdView td, Range range)
    {
        if (!Is(s, td, OpState.RUNNABLE) || choices.Percent(15))
            return null;
        (int level, SeptEntry entry) = WalkToEntry(s, td, range);
        if (level != range.Level)
            return null;
        if (!SeptStates.AnyBlocked.Contains(entry.State))
            return AtRange(HostLeaf.TDH_MEM_RANGE_BLOCK, td, range);
        return IsTracked(s, td, level, entry) ? null : Registers(HostLeaf.TDH_MEM_TRACK, td.Tdr);
    }
}
