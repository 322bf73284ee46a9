namespace TdxVerify.Model;

/// <summary>
/// The second atomic instruction of an attempt at a lock with host priority, decided by what the first one found. In
/// between, other processors can see, and change, the word.
/// </summary>
public enum LockFollowUp : byte
{
    /// <summary>There is none: the first instruction settled the attempt.</summary>
    None,

    /// <summary>Refused: the host-priority flag is set.</summary>
    SetHostPriority,

    /// <summary>Granted: the host-priority flag is cleared.</summary>
    ClearHostPriority,

    /// <summary>Only the host-priority flag was in the way: compare-exchange once more, from the word with the flag.</summary>
    TryWithHostPriority,

    /// <summary>A guest took the lock and found host priority: it gives the lock back.</summary>
    GiveBack,
}
