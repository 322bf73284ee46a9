namespace TdxVerify.Model;

/// <summary>
/// Renamings under which a system of agents behaves alike: what one agent can do in a state, the renamed agent can do in
/// the renamed state, and what comes of it is the same, renamed. An explorer may keep one state of all that are renamings
/// of each other.
/// </summary>
/// <typeparam name="TLocal">The locals of an agent.</typeparam>
public interface ISymmetry<TLocal>
    where TLocal : unmanaged
{
    /// <summary>How many renamings there are; the identity is not counted. Together with it they are a group.</summary>
    int Count { get; }

    /// <summary>The new name of an agent.</summary>
    int Rename(int renaming, int agent);

    /// <summary>The new name of a cell.</summary>
    Cell Rename(int renaming, Cell cell);

    /// <summary>The value that the renamed cell has where <paramref name="cell"/> had <paramref name="value"/>.</summary>
    ulong Rename(int renaming, Cell cell, ulong value);

    /// <summary>An agent's locals, as those of the renamed agent.</summary>
    void Rename(int renaming, ref TLocal local);
}
