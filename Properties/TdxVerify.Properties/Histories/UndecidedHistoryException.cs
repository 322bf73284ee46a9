using TdxVerify.Abi;

namespace TdxVerify.Properties.Histories;

/// <summary>Neither an explanation of a history nor a contradiction was found in as many steps as were allowed.</summary>
public sealed class UndecidedHistoryException : InputException
{
    /// <summary>Nothing was found in so many steps.</summary>
    public UndecidedHistoryException(long steps)
        : base($"the history is undecided: neither an explanation nor a contradiction was found in {steps:N0} steps; what comes before a point where no call is in flight may be decided on its own")
    {
    }
}
