using TdxVerify.Abi;

namespace TdxVerify.Properties.Generation;

/// <summary>Who takes which locks, and how somebody else's lock shows.</summary>
internal static class LockAgents
{
    /// <summary>No TDCALL takes the S-EPT tree or the TD epoch, and none walks the PAMT for an exclusive lock.</summary>
    public static bool CanBeGuests(PortLock which, bool exclusive) => which switch
    {
        PortLock.SeptTree or PortLock.Epoch => false,
        PortLock.OpState or PortLock.SeptEntry => true,
        _ => !exclusive,
    };

    /// <summary>
    /// The strongest attempt that changes nothing where it is refused: a guest's, which host priority keeps out and which
    /// clears no flag; of a lock that guests do not take, which has no flag, the host's.
    /// </summary>
    public static LockOperation Attempt(PortLock which, ulong argument, ulong argument2 = 0)
    {
        bool guest = CanBeGuests(which, exclusive: false);
        return new LockOperation(which, !guest || CanBeGuests(which, exclusive: true), guest, argument, argument2);
    }
}
