namespace TdxVerify.Properties.Generation;

/// <summary>What the generator may do next. The first is the simplest: choices that are shrunk to 0 end here.</summary>
public enum OperationKind
{
    /// <summary>The next step in the life of a TD that is being built, or a new TD.</summary>
    Build,

    /// <summary>Maps a page, or adds the S-EPT page that is missing for it.</summary>
    Map,

    /// <summary>A vCPU enters, does its operation and leaves.</summary>
    Run,

    /// <summary>A vCPU accepts a pending page.</summary>
    Accept,

    /// <summary>TDH.MEM.RANGE.BLOCK.</summary>
    Block,

    /// <summary>TDH.MEM.TRACK.</summary>
    Track,

    /// <summary>TDH.MEM.RANGE.UNBLOCK.</summary>
    Unblock,

    /// <summary>TDH.MEM.PAGE.REMOVE or SEPT.REMOVE.</summary>
    Remove,

    /// <summary>TDH.MEM.PAGE.RELOCATE, PROMOTE or DEMOTE.</summary>
    Reshape,

    /// <summary>A leaf that only reads: SEPT.RD, PAGE.RDMD, MNG.RD, VP.RD.</summary>
    Inspect,

    /// <summary>The first half of a TDH.VP.ENTER: the vCPU stays in the guest.</summary>
    Enter,

    /// <summary>The second half.</summary>
    Exit,

    /// <summary>TDH.VP.FLUSH.</summary>
    Flush,

    /// <summary>The next step of tearing a TD down.</summary>
    Teardown,

    /// <summary>Another agent takes a lock.</summary>
    Lock,

    /// <summary>Another agent drops a lock.</summary>
    Unlock,

    /// <summary>An interrupt arrives or goes away.</summary>
    Interrupt,

    /// <summary>TDH.PHYMEM.PAGE.WBINVD or CACHE.WB.</summary>
    Writeback,

    /// <summary>Fills the range of a larger page with contiguous smaller ones, then merges them.</summary>
    Fill,

    /// <summary>A new TD although there are others.</summary>
    NewTd,

    /// <summary>A choice point fails in the next call that reaches it.</summary>
    Choice,

    /// <summary>Registers without sense.</summary>
    Garbage,

    /// <summary>A vCPU faults at one instruction again and again, or its host maps what it faults on.</summary>
    Fault,
}
