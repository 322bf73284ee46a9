namespace TdxVerify.Abi;

/// <summary>
/// What a port says of an operation itself: 0 or a negative errno value of Hardware/native/tdxverify_port.h.
/// A TDX status, success or not, is never one of these: it is in RAX.
/// </summary>
public enum PortResult
{
    /// <summary>The operation was carried out.</summary>
    Ok = 0,

    /// <summary>-ENOSYS: this port cannot do that.</summary>
    NotSupported = -38,

    /// <summary>-EBUSY, from <see cref="IPort.Lock"/> only: the lock refused.</summary>
    Busy = -16,

    /// <summary>-EIO: the implementation died. Every call fails until <see cref="IPort.Reset"/>.</summary>
    Died = -5,

    /// <summary>-EINVAL: no such logical processor, page or object.</summary>
    Invalid = -22,
}
