namespace TdxVerify.Abi;

/// <summary>A lock of the module that a test may hold, as another logical processor in mid-call would (<c>enum tdxv_lock</c>).</summary>
public enum PortLock : uint
{
    /// <summary>PAMT entry of the TDR page; argument: TDR HPA.</summary>
    Tdr = 1,

    /// <summary>OP_STATE; argument: TDR HPA.</summary>
    OpState = 2,

    /// <summary>S-EPT tree; argument: TDR HPA.</summary>
    SeptTree = 3,

    /// <summary>TD epoch; argument: TDR HPA.</summary>
    Epoch = 4,

    /// <summary>S-EPT entry; arguments: TDR HPA, GPA | level.</summary>
    SeptEntry = 5,

    /// <summary>PAMT entry of a page; argument: page HPA.</summary>
    Pamt = 6,

    /// <summary>PAMT entry of a TDVPR page; argument: TDVPR HPA.</summary>
    Tdvps = 7,
}

/// <summary>A lock to take or to drop, as another agent would.</summary>
/// <param name="Which">The lock.</param>
/// <param name="Exclusive">Its mode; ignored for <see cref="PortLock.SeptEntry"/>.</param>
/// <param name="Guest">The agent is a guest: matters only for locks with host priority.</param>
/// <param name="Argument">First argument, see <see cref="PortLock"/>.</param>
/// <param name="Argument2">Second argument, see <see cref="PortLock"/>.</param>
public readonly record struct LockOperation(
    PortLock Which, bool Exclusive, bool Guest, ulong Argument, ulong Argument2 = 0);
