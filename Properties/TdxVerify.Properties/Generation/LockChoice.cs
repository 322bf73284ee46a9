using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using static TdxVerify.Properties.Generation.TdSearch;

namespace TdxVerify.Properties.Generation;

/// <summary>Locks that another agent takes and drops.</summary>
internal sealed class LockChoice(World world, GenerationLimits limits)
{
    /// <summary>Another agent takes a lock.</summary>
    public bool Lock(ref ChoiceReader choices, in ObservedState s, ref Operation operation)
    {
        if (world.Tds.Count == 0 || world.Locks.Count >= 4)
            return false;
        TdView td = world.Tds[choices.Below(world.Tds.Count)];
        if ((TdLifecycle)s.Td(td.Handle, TdField.Lifecycle) == TdLifecycle.TD_TEARDOWN)
            return false;
        Range range = choices.Percent(20) && td.Tables.Count > 0 ? td.Tables[choices.Below(td.Tables.Count)] : SomeMapped(ref choices, td);
        PortLock which = limits.Adjust((PortLock)(1 + choices.Weighted([2, 3, 5, 3, 6, 6, 2])));
        if (which == 0)
            return false;
        ulong argument = which switch
        {
            PortLock.Pamt => PageToLock(ref choices, s, td, range),
            PortLock.Tdvps when td.Vcpus.Count > 0 => td.Vcpus[choices.Below(td.Vcpus.Count)].Tdvpr,
            _ => td.Tdr,
        };
        bool exclusive = choices.Percent(50);
        bool guest = LockAgents.CanBeGuests(which, exclusive) && choices.Percent(40);
        operation.Event = TraceEvent.OfLock(
            new LockOperation(
                which, exclusive, guest, argument,
                which == PortLock.SeptEntry ? PageInfo.Of(range.Gpa, range.Level).Value : 0),
            ok: true);
        return true;
    }

    /// <summary>Another agent drops a lock.</summary>
    public bool Unlock(ref ChoiceReader choices, ref Operation operation)
    {
        if (world.Locks.Count == 0)
            return false;
        operation.Event = TraceEvent.OfUnlock(choices.OneOf<LockOperation>(CollectionsMarshal.AsSpan(world.Locks)), ok: true);
        return true;
    }

    /// <summary>
    /// Drops a lock that the call cannot meet: whoever holds a lock inside a TD also holds its TDR, so its pages cannot be
    /// reclaimed meanwhile, nor can a page be added; whoever holds an S-EPT entry also holds the tree, so the table that it
    /// is in stays. The module relies on this: it halts where it finds an entry locked that it writes, or free that it is
    /// to unlock. False: no lock is in the way.
    /// </summary>
    public bool DropInsideTd(in RegisterFile registers, ref Operation operation)
    {
        var leaf = (HostLeaf)LeafNames.Number(registers.Rax);
        foreach (LockOperation held in world.Locks)
        {
            bool isInTheWay = leaf switch
            {
                HostLeaf.TDH_PHYMEM_PAGE_RECLAIM => held.Which is PortLock.OpState or PortLock.SeptTree or PortLock.Epoch or PortLock.SeptEntry,
                HostLeaf.TDH_MEM_PAGE_ADD => held.Which == PortLock.SeptEntry,
                HostLeaf.TDH_MEM_SEPT_REMOVE => held.Which == PortLock.SeptEntry
                    && new PageInfo(held.Argument2).Level < new PageInfo(registers.Rcx).Level,
                _ => false,
            };
            if (!isInTheWay)
                continue;
            operation.Event = TraceEvent.OfUnlock(held, ok: true);
            return true;
        }

        return false;
    }

    // Large pages, and pages that a later call takes because an S-EPT entry points to them: no operand names those.
    private ulong PageToLock(ref ChoiceReader choices, in ObservedState s, TdView td, Range range)
    {
        int kind = choices.Below(5);
        if (kind < 2 && td.LargePages.Count > 0)
            return td.LargePages[choices.Below(td.LargePages.Count)].Hpa;
        if (kind > 3 || (td.Leaves.Count == 0 && td.Tables.Count == 0))
            return NearMiss.SomePage(ref choices, world, s);
        (int level, SeptEntry entry) = WalkToEntry(s, td, range);
        if (level != range.Level)
            return NearMiss.SomePage(ref choices, world, s);
        return entry.IsLeaf ? world.Address(entry.Target)
            : SeptStates.NonLeaf.Contains(entry.State) ? world.Address(s.TablePage(entry.Target))
            : NearMiss.SomePage(ref choices, world, s);
    }
}
