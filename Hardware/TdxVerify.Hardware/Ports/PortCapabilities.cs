using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Hardware.Ports;

/// <summary>What a port cannot do (-ENOSYS): to be left out of generation, and reported.</summary>
public sealed record PortCapabilities
{
    /// <summary>SEAMCALL leaves that the port lacks, of those that are modelled.</summary>
    public required IReadOnlyList<HostLeaf> MissingHostLeaves { get; init; }

    /// <summary>TDCALL leaves that the port's guest cannot execute, of those that are modelled.</summary>
    public required IReadOnlyList<GuestLeaf> MissingGuestLeaves { get; init; }

    /// <summary>Locks that the port cannot hold as another agent.</summary>
    public required IReadOnlyList<PortLock> MissingLocks { get; init; }

    /// <summary>The port's guest can access memory.</summary>
    public required bool CanAccess { get; init; }

    /// <summary>The port can do TDH.VP.ENTER in two halves.</summary>
    public required bool CanEnterInHalves { get; init; }

    /// <summary>The port can let an external interrupt be pending.</summary>
    public required bool CanInterrupt { get; init; }

    /// <summary>What is missing, in words; empty where nothing is.</summary>
    public IReadOnlyList<string> Missing =>
    [
        .. MissingHostLeaves.Select(leaf => leaf.Name()!),
        .. MissingGuestLeaves.Select(leaf => leaf.Name()!),
        .. CanAccess ? (string[])[] : ["guest memory accesses"],
        .. CanEnterInHalves ? (string[])[] : ["TDH.VP.ENTER in two halves"],
        .. CanInterrupt ? (string[])[] : ["pending interrupts"],
        .. MissingLocks.Select(which => $"{TraceWords.TextOf(TraceWords.Locks, which)} lock held by others"),
    ];

    /// <summary>
    /// Tries every operation and every modelled leaf once, with operands that name no object: an implementation
    /// refuses them and nothing changes. The platform is reset before and after.
    /// </summary>
    public static PortCapabilities Probe(IPort port)
    {
        port.Reset();
        var capabilities = new PortCapabilities
        {
            MissingHostLeaves = [.. LeafNames.ModelledHost.Where(leaf => Lacks(port, Seamcall(port, leaf)))],
            MissingGuestLeaves = [.. LeafNames.ModelledGuest.Where(leaf => Lacks(port, Tdcall(port, leaf)))],
            MissingLocks = [.. Enum.GetValues<PortLock>().Where(which => Lacks(port, port.Lock(NoObject(which))))],
            CanAccess = !Lacks(port, Access(port)),
            CanEnterInHalves = !Lacks(port, Enter(port)),
            CanInterrupt = !Lacks(port, port.Interrupt(false)),
        };
        port.Reset();
        return capabilities;
    }

    // An address that has bits above the physical ones: no page, no TD, no vCPU.
    private const ulong Nowhere = 0xFFFF_FFFF_FFFF_F000;

    private static RegisterFile NoOperands(HostLeaf leaf) => new()
    {
        Rax = (ulong)leaf,
        Rcx = Nowhere,
        Rdx = Nowhere,
        R8 = Nowhere,
        R9 = Nowhere,
    };

    private static LockOperation NoObject(PortLock which) => new(which, true, false, Nowhere, 0);

    private static bool Lacks(IPort port, PortResult result)
    {
        // An implementation that dies of such a call has the operation, and needs a reset.
        if (result == PortResult.Died)
            port.Reset();
        return result == PortResult.NotSupported;
    }

    private static PortResult Seamcall(IPort port, HostLeaf leaf)
    {
        RegisterFile registers = NoOperands(leaf);
        return port.Seamcall(0, ref registers);
    }

    private static PortResult Enter(IPort port)
    {
        RegisterFile registers = NoOperands(HostLeaf.TDH_VP_ENTER);
        return port.EnterBegin(0, ref registers, out _);
    }

    private static PortResult Tdcall(IPort port, GuestLeaf leaf) => port.GuestSubmit(
        port.Platform.PageBase,
        new GuestOperation { Kind = GuestOperationKind.Tdcall, Registers = new RegisterFile { Rax = (ulong)leaf } });

    private static PortResult Access(IPort port) => port.GuestSubmit(
        port.Platform.PageBase, new GuestOperation { Kind = GuestOperationKind.Access, Access = GuestAccess.Read });
}
