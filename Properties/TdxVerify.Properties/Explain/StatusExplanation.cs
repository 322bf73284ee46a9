using TdxVerify.Abi;

namespace TdxVerify.Properties.Explain;

/// <summary>What a status means.</summary>
/// <param name="Query">The status.</param>
/// <param name="Kind">What sort of answer it is, such as <c>recoverable error</c>.</param>
/// <param name="Class">Its class (bits 47:40) in words.</param>
/// <param name="Detail">What bits 31:0 say; empty where they say nothing.</param>
/// <param name="Retry">Whether to call again; null for a status that no modelled module returns.</param>
/// <param name="RetryAdvice">The same, in words.</param>
/// <param name="Note">What else there is to know; may be empty.</param>
/// <param name="Leaf">The leaf that returned it; null where that is not known.</param>
/// <param name="LeafIsModelled">The steps of that leaf are known; without a leaf, those of any leaf.</param>
/// <param name="Origins">The steps that return it.</param>
public sealed record StatusExplanation(
    StatusQuery Query,
    string Kind,
    string Class,
    string Detail,
    Retry? Retry,
    string RetryAdvice,
    string Note,
    string? Leaf,
    bool LeafIsModelled,
    IReadOnlyList<StatusOrigin> Origins)
{
    /// <summary>The flags that are set, bit 63 first.</summary>
    public IReadOnlyList<string> Flags
    {
        get
        {
            StatusCode status = Query.Status;
            List<string> flags = [];
            if (status.IsError)
                flags.Add("error (bit 63)");
            if (status.IsNonRecoverable)
                flags.Add("non-recoverable (bit 62)");
            if (status.IsFatal)
                flags.Add("fatal (bit 61)");
            if (status.HasHostRecoverabilityHint)
                flags.Add("host recoverability hint (bit 60)");
            return flags;
        }
    }
}
