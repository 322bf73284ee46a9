namespace TdxVerify.Reference;

/// <summary>
/// A lock that a reference does without, so that tests can show that threaded runs notice. No port that a user can name
/// has one. OP_STATE is not among them: what changes OP_STATE holds the TDR exclusively, so no call is ever refused it.
/// </summary>
internal enum RemovedLock : byte
{
    None,

    /// <summary>S-EPT tree.</summary>
    SeptTree,

    /// <summary>TD epoch.</summary>
    Epoch,

    /// <summary>S-EPT entries, of hosts and of guests.</summary>
    SeptEntry,

    /// <summary>PAMT entries of 4 KiB pages, where the walk ends.</summary>
    PamtEntry,
}
