using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>kvm_mmu_invalidate_begin: mmu_invalidate_in_progress +1, the agent's GPAs join the window. Under mmu_lock for write.</summary>
public sealed record InvalidateBeginAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "mmu_invalidate_begin";

    internal override ActionEnd Run(ref HostStep at)
    {
        Cell cell = HostCells.Of(HostCell.Invalidate);
        ulong word = at.Cells.Read(cell);
        at.Cells.Write(cell, Invalidation.Begun(word, at.Bound.Gpas));
        return ActionEnd.Complete;
    }
}

/// <summary>
/// kvm_mmu_invalidate_end: mmu_invalidate_seq +1, in_progress -1; at 0 the window is empty again. Under mmu_lock for write.
/// </summary>
public sealed record InvalidateEndAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "mmu_invalidate_end";

    internal override ActionEnd Run(ref HostStep at)
    {
        Cell cell = HostCells.Of(HostCell.Invalidate);
        at.Cells.Write(cell, Invalidation.Ended(at.Cells.Read(cell)));
        at.Cells.Write(HostCells.Of(HostCell.InvalidateSnapshots), 0);
        return ActionEnd.Complete;
    }
}

/// <summary>mmu_seq = mmu_invalidate_seq: the fault handler's snapshot (facts/kvm.md, F3).</summary>
/// <remarks>Only whether the count moved on since is kept: one bit for each agent whose snapshot is still current.</remarks>
public sealed record SnapshotAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "mmu_seq = mmu_invalidate_seq";

    internal override Remembered Writes => Remembered.Snapshot;

    internal override ActionEnd Run(ref HostStep at)
    {
        Cell cell = HostCells.Of(HostCell.InvalidateSnapshots);
        at.Cells.Write(cell, at.Cells.Read(cell) | (1UL << at.Agent));
        at.Thread.HasSnapshot = 1;
        return ActionEnd.Complete;
    }
}

/// <summary>mmu_invalidate_retry: an invalidation of the GPA is in progress, or one ended since the snapshot (facts/kvm.md, F7, F11).</summary>
public sealed record InvalidateRetryAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "mmu_invalidate_retry?";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.YesNo;

    internal override Remembered Reads => Remembered.Snapshot | Remembered.Gpa;

    internal override ActionEnd Run(ref HostStep at)
    {
        bool current = (at.Cells.Read(HostCells.Of(HostCell.InvalidateSnapshots)) >> at.Agent & 1) != 0;
        bool inWindow = Invalidation.Covers(at.Cells.Read(HostCells.Of(HostCell.Invalidate)), at.Thread.Gpa);
        at.Answer = Answer.Of(inWindow || !current);
        return ActionEnd.Complete;
    }
}

/// <summary>mmu_invalidate_in_progress in bits 7:0, and above it the window, a bit for each GPA.</summary>
internal static class Invalidation
{
    private const int WindowShift = 8;
    private const ulong CountMask = 0xFF;

    public static ulong Begun(ulong word, IEnumerable<int> gpas) => gpas.Aggregate(word + 1, (all, gpa) => all | Bit(gpa));

    public static ulong Ended(ulong word) => (word & CountMask) <= 1 ? 0 : word - 1;

    public static bool Covers(ulong word, int gpa) => (word & CountMask) != 0 && (word & Bit(gpa)) != 0;

    public static ulong Rename(ulong word, Func<int, int> rename) => (word & CountMask) | (Renaming.Bits(word >> WindowShift, rename) << WindowShift);

    private static ulong Bit(int gpa) => 1UL << (gpa + WindowShift);
}
