namespace TdxVerify.Abi;

/// <summary>
/// One TDX implementation under test, driven through the TDX module's own register interface: the C# face of
/// Hardware/native/tdxverify_port.h, operation for operation. What a vCPU does between operations is the same for
/// all ports (Hardware/README.md, "The vCPU's conventions").
/// </summary>
/// <remarks>
/// Threads: where <see cref="SupportsThreads"/> is true, <see cref="Seamcall"/> on different logical processors
/// may come from different threads; every other operation comes from one thread while no call is in flight.
/// </remarks>
public interface IPort : IDisposable
{
    /// <summary>What this is, for reports.</summary>
    string Name { get; }

    /// <summary>The platform that the port offers.</summary>
    PlatformInfo Platform { get; }

    /// <summary>Calls on different logical processors may run concurrently.</summary>
    bool SupportsThreads { get; }

    /// <summary>Back to a fresh platform: no TD, every test page unassigned, no lock held.</summary>
    PortResult Reset();

    /// <summary>One SEAMCALL on logical processor <paramref name="lp"/>. <paramref name="registers"/>: in and out.</summary>
    PortResult Seamcall(int lp, ref RegisterFile registers);

    /// <summary>Sets what the vCPU does when it next runs.</summary>
    /// <param name="tdvprHpa">HPA of its TDVPR page.</param>
    /// <param name="operation">What it does.</param>
    PortResult GuestSubmit(ulong tdvprHpa, in GuestOperation operation);

    /// <summary>What became of the latest operation of a vCPU.</summary>
    PortResult GuestResult(ulong tdvprHpa, out GuestResult result);

    /// <summary>The host writes memory, for example TD_PARAMS.</summary>
    PortResult MemoryWrite(ulong hpa, ReadOnlySpan<byte> data);

    /// <summary>The host reads memory.</summary>
    PortResult MemoryRead(ulong hpa, Span<byte> data);

    /// <summary>
    /// The first half of TDH.VP.ENTER. <paramref name="running"/> true: the vCPU now runs in the guest on
    /// <paramref name="lp"/> and other processors may be used meanwhile; false: the call ended before the entry and
    /// <paramref name="registers"/> holds its outputs. <see cref="PortResult.NotSupported"/> where an
    /// implementation cannot.
    /// </summary>
    PortResult EnterBegin(int lp, ref RegisterFile registers, out bool running);

    /// <summary>
    /// The second half: the vCPU on <paramref name="lp"/> executes its operation and leaves.
    /// <paramref name="registers"/>: outputs of TDH.VP.ENTER.
    /// </summary>
    PortResult EnterEnd(int lp, ref RegisterFile registers);

    /// <summary>An external interrupt is, or is not, pending on all processors: interruptible calls stop early.</summary>
    PortResult Interrupt(bool pending);

    /// <summary>Takes a lock as another agent would and keeps it; <see cref="PortResult.Busy"/>: it refused.</summary>
    PortResult Lock(in LockOperation operation);

    /// <summary>Drops a lock taken by <see cref="Lock"/>.</summary>
    PortResult Unlock(in LockOperation operation);
}
