namespace TdxVerify.Abi;

/// <summary>
/// A port whose calls can be made to overlap, whatever the number of processors: it pauses in the middle of a call, where
/// the call holds locks.
/// </summary>
public interface IPausingPort
{
    /// <summary>Called in the middle of calls, on the thread that makes the call; null: nothing is. Set while no call is in flight.</summary>
    Action? Pause { get; set; }
}
