namespace TdxVerify.Model;

/// <summary>How a step uses a cell.</summary>
/// <remarks>
/// Two kinds of writes commute although they write the same cell: readers of a lock that come and go while nobody holds
/// it exclusively, and counts that are moved without being looked at. Without this every two calls of one TD would
/// conflict, on the reader count of its TDR.
/// </remarks>
[Flags]
public enum CellUse : byte
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>Reads it.</summary>
    Read = 1,

    /// <summary>Writes it.</summary>
    Write = 2,

    /// <summary>Comes or goes as a reader of a lock that nobody holds exclusively.</summary>
    Readers = 4,

    /// <summary>Adds to a count, or takes away, without deciding anything by it.</summary>
    Move = 8,
}

/// <summary>Which uses of one cell can change places.</summary>
public static class CellUses
{
    /// <summary>The order of the two uses may matter. Each may be a set of uses.</summary>
    public static bool ConflictsWith(this CellUse one, CellUse other) =>
        one != CellUse.None && other != CellUse.None && !(one == other && one is CellUse.Read or CellUse.Readers or CellUse.Move);

    /// <summary>
    /// The cell whose uses count as uses of this one. Where epochs are kept by age, the two reference counts change places
    /// when TD_EPOCH moves on: a step that uses one of them now would use the other one later.
    /// </summary>
    public static Cell SharedWith(Cell cell) =>
        cell.Kind == ChangeKind.Td && (TdField)cell.Position == TdField.RefCountOdd ? Cell.Td(cell.Object, TdField.RefCountEven) : cell;

    /// <summary>What a write is, by what it changes.</summary>
    public static CellUse OfWrite(Cell cell, ulong old, ulong value) =>
        OnlyReadersChange(cell, old, value) ? CellUse.Readers : IsCount(cell) ? CellUse.Move : CellUse.Write;

    private static bool OnlyReadersChange(Cell cell, ulong old, ulong value)
    {
        ulong others = cell.Kind switch
        {
            ChangeKind.Pamt when (PamtField)(cell.Position & 0xF) == PamtField.Lock => HostPriorityLock.AllButReaders,
            ChangeKind.Td when (TdField)cell.Position == TdField.OpStateLock => HostPriorityLock.AllButReaders,
            ChangeKind.Td when (TdField)cell.Position is TdField.SeptTreeLock or TdField.EpochLock => PlainLock.AllButReaders,
            ChangeKind.Global when (GlobalField)cell.Position == GlobalField.KotLock => PlainLock.AllButReaders,
            _ => 0,
        };
        return others != 0 && ((old ^ value) & others) == 0 && !HostPriorityLock.IsExclusive(value);
    }

    private static bool IsCount(Cell cell) =>
        cell.Kind == ChangeKind.Td && (TdField)cell.Position is TdField.ChildCount or TdField.RefCountEven or TdField.RefCountOdd or TdField.AssociatedVcpus;
}
