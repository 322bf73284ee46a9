using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>What the host keeps besides the module: the object number of a <see cref="ChangeKind.Host"/> cell.</summary>
public enum HostCell
{
    /// <summary>A kernel lock, by its number in the machine.</summary>
    Lock,

    /// <summary>kvm->srcu.</summary>
    Srcu,

    /// <summary>What a processor does with interrupts, by processor.</summary>
    Irq,

    /// <summary>Agents whose IPI a processor has not served, by processor.</summary>
    PendingIpis,

    /// <summary>A mirror SPTE: region or GPA, and level.</summary>
    Spte,

    /// <summary>mmu_invalidate_in_progress and the window.</summary>
    Invalidate,

    /// <summary>Agents whose snapshot of mmu_invalidate_seq is still current.</summary>
    InvalidateSnapshots,

    /// <summary>A variable of the VM, by its number in the machine.</summary>
    Variable,

    /// <summary>vcpu->mode, by vCPU.</summary>
    Mode,

    /// <summary>vcpu->requests, by vCPU.</summary>
    Requests,

    /// <summary>vcpu->cpu plus 1, by vCPU.</summary>
    VcpuCpu,
}

/// <summary>The cells of the host.</summary>
public static class HostCells
{
    private const int Levels = 4;

    /// <summary>A cell, by its number among those of its kind.</summary>
    public static Cell Of(HostCell kind, int number = 0) => new(ChangeKind.Host, (int)kind, number);

    /// <summary>The mirror SPTE of a GPA, or of the table above it.</summary>
    public static Cell Spte(int gpaOrRegion, int level) => Of(HostCell.Spte, (gpaOrRegion * Levels) + level);

    /// <summary>A guest's next instruction, while the guest does not run.</summary>
    public static Cell Guest(int vcpu) => new(ChangeKind.Guest, vcpu, 0);

    internal static bool IsLeafSpte(int number) => number % Levels == 0;

    internal static int MoveSpte(int number, Func<int, int> move) => (move(number / Levels) * Levels) + (number % Levels);

    internal static string Name(SpteKind kind) => kind.ToString().ToLowerInvariant();

    internal static string LevelText(int level) => level == 0 ? "" : $" level {level}";
}
