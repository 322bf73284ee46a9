using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration;

/// <summary>One state of a system with all its values.</summary>
internal sealed class UnpackedState<TLocal>(ISystem<TLocal> system, IReadOnlyList<Cell> cells) : ISystemState<TLocal>
    where TLocal : unmanaged
{
    private readonly Dictionary<Cell, ulong> _values = [];
    private readonly TLocal[] _locals = new TLocal[system.Agents.Count];

    /// <inheritdoc/>
    public IReadOnlyList<Cell> Cells => cells;

    /// <inheritdoc/>
    public ref TLocal Local(int agent) => ref _locals[agent];

    /// <inheritdoc/>
    public ulong Read(Cell cell) => _values.TryGetValue(cell, out ulong value) ? value : system.StartOf(cell);

    /// <inheritdoc/>
    public void Write(Cell cell, ulong value) => _values[cell] = value;
}
