namespace TdxVerify.Model;

/// <summary>What a failed step still has to do before the release steps, where that is a visible access of its own.</summary>
public enum Aftermath : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It takes back what an earlier step did (<see cref="Step{S}.Undo"/>).</summary>
    Undo,

    /// <summary>It drops the lock that is dropped before the others (<see cref="Failure.Drop"/>).</summary>
    Drop,
}
