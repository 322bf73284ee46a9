namespace TdxVerify.Model;

/// <summary>A cell of the state and its use, or all the uses that were seen.</summary>
/// <param name="Cell">Which cell.</param>
/// <param name="Use">How it is used.</param>
public readonly record struct CellAccess(Cell Cell, CellUse Use)
{
    /// <summary>Some order of the two may matter.</summary>
    public bool ConflictsWith(in CellAccess other) => Cell == other.Cell && Use.ConflictsWith(other.Use);
}
