namespace TdxVerify.Model;

/// <summary>Cells that are simply kept; 0 where nothing was written.</summary>
public sealed class StoredCells : ICells
{
    private readonly Dictionary<Cell, ulong> _values = [];

    /// <summary>The cells that are not 0.</summary>
    public IReadOnlyDictionary<Cell, ulong> Values => _values;

    /// <inheritdoc/>
    public ulong Read(Cell cell) => _values.GetValueOrDefault(cell);

    /// <inheritdoc/>
    public void Write(Cell cell, ulong value)
    {
        if (value == 0)
            _values.Remove(cell);
        else
            _values[cell] = value;
    }

    /// <summary>Every cell is 0.</summary>
    public void Clear() => _values.Clear();
}
