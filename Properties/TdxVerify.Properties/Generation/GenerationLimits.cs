using TdxVerify.Abi;
using TdxVerify.Hardware.Ports;

namespace TdxVerify.Properties.Generation;

/// <summary>What a port cannot do, and so is never generated.</summary>
public sealed class GenerationLimits
{
    private readonly HashSet<ushort> _missingLeaves = [];
    private readonly HashSet<PortLock> _missingLocks = [];
    private readonly bool _canInterrupt = true;

    private GenerationLimits(bool canEnterInHalves, HashSet<PortLock> missingLocks)
    {
        CanEnterInHalves = canEnterInHalves;
        _missingLocks = missingLocks;
    }

    /// <summary>The port can do what its capabilities say.</summary>
    public GenerationLimits(PortCapabilities capabilities)
    {
        _missingLeaves = [.. capabilities.MissingHostLeaves.Select(leaf => (ushort)leaf)];
        _missingLocks = [.. capabilities.MissingLocks];
        _canInterrupt = capabilities.CanInterrupt;
        CanEnterInHalves = capabilities.CanEnterInHalves;
    }

    /// <summary>Everything can be done.</summary>
    public static GenerationLimits None { get; } = new(canEnterInHalves: true, []);

    /// <summary>No lock is held by others, and no vCPU stays in the guest: calls are made whole.</summary>
    public static GenerationLimits WholeCalls { get; } = new(canEnterInHalves: false, [.. Enum.GetValues<PortLock>()]);

    /// <summary>TDH.VP.ENTER can be done in two halves.</summary>
    public bool CanEnterInHalves { get; }

    /// <summary>The port has the leaf.</summary>
    public bool Supports(ulong rax) => _missingLeaves.Count == 0 || !_missingLeaves.Contains(LeafNames.Number(rax));

    /// <summary>The kind, or Build where the port cannot do it.</summary>
    public OperationKind Adjust(OperationKind kind) =>
        kind == OperationKind.Interrupt && !_canInterrupt ? OperationKind.Build : kind;

    /// <summary>The lock, or 0 where the port cannot hold it.</summary>
    public PortLock Adjust(PortLock which) => _missingLocks.Contains(which) ? 0 : which;
}
