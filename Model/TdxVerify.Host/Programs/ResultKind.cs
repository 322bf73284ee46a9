namespace TdxVerify.Host;

/// <summary>What an action answers, and so by which tests its transitions can be chosen.</summary>
public enum ResultKind
{
    /// <summary>Nothing: it goes on.</summary>
    Nothing,

    /// <summary>Yes or no.</summary>
    YesNo,

    /// <summary>Registers of a SEAMCALL or TDCALL, the status in RAX.</summary>
    Status,

    /// <summary>What a called program returned: a status, or a code such as <c>RET_PF_RETRY</c>.</summary>
    Returned,

    /// <summary>What a mirror SPTE holds.</summary>
    Spte,

    /// <summary>A guest access to memory: done, or an exception.</summary>
    Access,

    /// <summary>The program goes nowhere from here: it is done, or returns.</summary>
    Terminal,
}
