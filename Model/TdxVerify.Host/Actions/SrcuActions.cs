using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>srcu_read_lock(kvm->srcu).</summary>
public sealed record SrcuLockAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "srcu_read_lock";

    internal override ActionEnd Run(ref HostStep at)
    {
        Cell cell = HostCells.Of(HostCell.Srcu);
        at.Cells.Write(cell, at.Cells.Read(cell) | Srcu.Reader(at.Agent));
        return ActionEnd.Complete;
    }
}

/// <summary>srcu_read_unlock(kvm->srcu).</summary>
public sealed record SrcuUnlockAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "srcu_read_unlock";

    internal override ActionEnd Run(ref HostStep at)
    {
        Cell cell = HostCells.Of(HostCell.Srcu);
        at.Cells.Write(cell, at.Cells.Read(cell) & ~(Srcu.Reader(at.Agent) | Srcu.Awaited(at.Agent)));
        return ActionEnd.Complete;
    }
}

/// <summary>synchronize_srcu(kvm->srcu): waits for every reader that began before. One thread at a time does it, under slots_lock.</summary>
public sealed record SrcuSynchronizeAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "synchronize_srcu";

    internal override ActionEnd Run(ref HostStep at)
    {
        Cell cell = HostCells.Of(HostCell.Srcu);
        ulong word = at.Cells.Read(cell);
        if (at.Thread.Part == 0)
        {
            if (Srcu.Readers(word) == 0)
                return ActionEnd.Complete;
            at.Cells.Write(cell, word | Srcu.AwaitAll(word));
            at.Thread.Part = 1;
            return ActionEnd.Again;
        }

        return Srcu.IsAwaited(word) ? ActionEnd.Wait : ActionEnd.Complete;
    }

    internal override string Describe(HostMachine machine, in Thread thread) => thread.Part == 0 ? Text : $"{Text}: the last reader has left";
}

/// <summary>kvm->srcu as one number: who reads in bits 31:0, and for whom a synchronize_srcu waits in bits 63:32.</summary>
internal static class Srcu
{
    private const int AwaitedShift = 32;

    public static ulong Reader(int agent) => 1UL << agent;

    public static ulong Awaited(int agent) => 1UL << (agent + AwaitedShift);

    public static ulong Readers(ulong word) => (uint)word;

    public static ulong AwaitAll(ulong word) => Readers(word) << AwaitedShift;

    public static ulong Rename(ulong word, Func<int, int> rename) => Renaming.Bits(word, bit => rename(bit % AwaitedShift) + (bit / AwaitedShift * AwaitedShift));

    public static bool IsAwaited(ulong word) => word >> AwaitedShift != 0;
}
