using System.Collections.Immutable;
using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host.Modules;

/// <summary>Modules that do not exist: profile 1.5.05 with what proposals ask for.</summary>
public static class ModuleVariants
{
    private const int RaisedThreshold = 10;

    /// <summary>
    /// Guest calls on an S-EPT entry that is FREE leave to the host without locking it, so they cannot make
    /// TDH.MEM.PAGE.AUG busy (facts/retry-proposals.md, module-no-free-entry-lock).
    /// </summary>
    public static ModuleVariant NoFreeEntryLock { get; } = new("no-free-entry-lock", "guest calls do not lock a free S-EPT entry", leaves =>
        new[] { GuestLeaf.TDG_MEM_PAGE_ACCEPT, GuestLeaf.TDG_MEM_PAGE_ATTR_RD, GuestLeaf.TDG_MEM_PAGE_ATTR_WR }
            .Select(leaf => leaves.Guest((ulong)leaf)).OfType<Leaf<CellState>>()
            .Aggregate(leaves, (all, leaf) => all.With(WithoutFreeEntryLock(leaf))));

    /// <summary>The zero-step mitigation begins after ten faults at one instruction, not six.</summary>
    public static ModuleVariant Threshold10 { get; } = new("threshold-10", "zero-step begins after ten faults", leaves =>
        leaves.With(leaves.GuestMemory.With(leaves.GuestMemory.Steps.Select(step => step.IsThreshold ? step with { Argument = RaisedThreshold } : step))));

    /// <summary>
    /// No zero-step mitigation: faults are not counted, no GPA is ever listed, and so TDH.VP.ENTER neither locks the S-EPT
    /// tree nor emulates a violation.
    /// </summary>
    public static ModuleVariant NoZeroStep { get; } = new("no-zero-step", "there is no zero-step mitigation", leaves =>
        leaves.With(leaves.GuestMemory.With(leaves.GuestMemory.Steps.Where(step => !step.IsThreshold))));

    /// <summary>All, in the order in which they are tried to find a cause.</summary>
    public static ImmutableArray<ModuleVariant> All { get; } = [NoFreeEntryLock, Threshold10, NoZeroStep];

    // The exit is the one that the leaf takes once it has the lock: its last check of the entry's state.
    private static Leaf<CellState> WithoutFreeEntryLock(Leaf<CellState> leaf)
    {
        int locks = leaf.Steps.Select(step => step.Lock?.Id).ToList().IndexOf(LockId.SeptEntry);
        Step<CellState> exit = leaf.Steps.Last(step => step.Failure.End == CallEnd.EptViolation);
        var early = exit with
        {
            Text = "entry is not FREE (else TD exit, and its lock is not taken)",
            Test = (ref CellState s, ref Call c, int argument) => c.Value.State != SeptState.FREE || exit.Test!(ref s, ref c, argument),
        };
        return leaf.With([.. leaf.Steps.Take(locks), early, .. leaf.Steps.Skip(locks)]);
    }
}
