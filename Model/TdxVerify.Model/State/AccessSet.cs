namespace TdxVerify.Model;

/// <summary>
/// The cells of the state that a visible step read and wrote. Two steps that do not conflict give the same state and
/// the same answers in either order.
/// </summary>
public sealed class AccessSet
{
    private (Cell Cell, CellUse Use)[] _accesses = new (Cell, CellUse)[16];
    private int _count;

    /// <summary>Forgets all.</summary>
    public void Clear() => _count = 0;

    /// <summary>Takes over what another set holds.</summary>
    public void CopyFrom(AccessSet other)
    {
        if (_accesses.Length < other._count)
            Array.Resize(ref _accesses, other._accesses.Length);
        other._accesses.AsSpan(0, other._count).CopyTo(_accesses);
        _count = other._count;
    }

    /// <summary>Some order of the two steps may matter.</summary>
    public bool ConflictsWith(AccessSet other)
    {
        for (int i = 0; i < _count; i++)
        {
            (Cell cell, CellUse use) = _accesses[i];
            for (int j = 0; j < other._count; j++)
            {
                if (other._accesses[j].Cell == cell && use.ConflictsWith(other._accesses[j].Use))
                    return true;
            }
        }

        return false;
    }

    internal void Read(ChangeKind kind, int target, int position) => Note(new Cell(kind, target, position), CellUse.Read);

    internal void Write(ChangeKind kind, int target, int position, ulong old, ulong value)
    {
        var cell = new Cell(kind, target, position);
        Note(cell, CellUses.OfWrite(cell, old, value));
    }

    // A word is read before it is changed: that read is part of the change.
    private void Note(Cell cell, CellUse use)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_accesses[i].Cell != cell)
                continue;
            CellUse known = _accesses[i].Use;
            _accesses[i].Use = known == CellUse.Read ? use : known == use || use == CellUse.Read ? known : CellUse.Write;
            return;
        }

        if (_count == _accesses.Length)
            Array.Resize(ref _accesses, 2 * _count);
        _accesses[_count++] = (cell, use);
    }
}
