namespace TdxVerify.Model;

/// <summary>
/// The cells of the state that a visible step read and wrote. Two steps that do not conflict give the same state and
/// the same answers in either order.
/// </summary>
public sealed class AccessSet
{
    private CellAccess[] _accesses = new CellAccess[16];
    private int _count;

    /// <summary>The cells, each once.</summary>
    public ReadOnlySpan<CellAccess> Accesses => _accesses.AsSpan(0, _count);

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
        foreach (CellAccess mine in Accesses)
        {
            foreach (CellAccess theirs in other.Accesses)
            {
                if (mine.ConflictsWith(theirs))
                    return true;
            }
        }

        return false;
    }

    /// <summary>What a vCPU is told to do, and what became of it: beside the state, but shared.</summary>
    public void UseProgram(int vcpu) => Note(new Cell(ChangeKind.InvalidateEpt, vcpu, 0), CellUse.Write);

    internal void Read(ChangeKind kind, int target, int position) => Note(new Cell(kind, target, position), CellUse.Read);

    internal void Write(ChangeKind kind, int target, int position, ulong old, ulong value)
    {
        var cell = new Cell(kind, target, position);
        // A write that changes nothing here, such as a refused attempt, can change something after another call's.
        Note(cell, old == value ? CellUse.Write : CellUses.OfWrite(cell, old, value));
    }

    // A word is read before it is changed: that read is part of the change.
    private void Note(Cell cell, CellUse use)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_accesses[i].Cell != cell)
                continue;
            CellUse known = _accesses[i].Use;
            _accesses[i] = new CellAccess(cell, known == CellUse.Read ? use : known == use || use == CellUse.Read ? known : CellUse.Write);
            return;
        }

        if (_count == _accesses.Length)
            Array.Resize(ref _accesses, 2 * _count);
        _accesses[_count++] = new CellAccess(cell, use);
    }
}
