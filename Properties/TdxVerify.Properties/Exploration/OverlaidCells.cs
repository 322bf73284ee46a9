using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration;

/// <summary>Cells that can be written without changing those below.</summary>
internal sealed class OverlaidCells(ICells below) : ICells
{
    private readonly Dictionary<Cell, ulong> _written = [];

    /// <inheritdoc/>
    public ulong Read(Cell cell) => _written.TryGetValue(cell, out ulong value) ? value : below.Read(cell);

    /// <inheritdoc/>
    public void Write(Cell cell, ulong value) => _written[cell] = value;
}
