namespace TdxVerify.Model;

/// <summary>
/// The cells of the state that a visible step read and wrote. Two steps that do not conflict give the same state and
/// the same answers in either order.
/// </summary>
/// <remarks>
/// Two kinds of writes commute although they write the same cell: readers of a lock that come and go while nobody holds
/// it exclusively, and counts that are moved without being looked at. Without this every two calls of one TD would
/// conflict, on the reader count of its TDR.
/// </remarks>
public sealed class AccessSet
{
    private (ulong Cell, Use Use)[] _accesses = new (ulong, Use)[16];
    private int _count;

    [Flags]
    private enum Use : byte
    {
        Read = 1,
        Write = 2,
        Readers = 4,
        Move = 8,
    }

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
            (ulong cell, Use use) = _accesses[i];
            for (int j = 0; j < other._count; j++)
            {
                if (other._accesses[j].Cell == cell && !(use == other._accesses[j].Use && use is Use.Read or Use.Readers or Use.Move))
                    return true;
            }
        }

        return false;
    }

    internal void Read(ChangeKind kind, int target, int position) => Note(Cell(kind, target, position), Use.Read);

    internal void Write(ChangeKind kind, int target, int position, ulong old, ulong value)
    {
        Use use = OnlyReadersChange(kind, position, old, value) ? Use.Readers : IsCount(kind, position) ? Use.Move : Use.Write;
        Note(Cell(kind, target, position), use);
    }

    private static ulong Cell(ChangeKind kind, int target, int position) =>
        ((ulong)kind << 56) ^ ((ulong)(uint)target << 24) ^ (uint)position;

    private static bool OnlyReadersChange(ChangeKind kind, int position, ulong old, ulong value)
    {
        ulong others = kind switch
        {
            ChangeKind.Pamt when (PamtField)(position & 0xF) == PamtField.Lock => HostPriorityLock.AllButReaders,
            ChangeKind.Td when (TdField)position == TdField.OpStateLock => HostPriorityLock.AllButReaders,
            ChangeKind.Td when (TdField)position is TdField.SeptTreeLock or TdField.EpochLock => PlainLock.AllButReaders,
            ChangeKind.Global when (GlobalField)position == GlobalField.KotLock => PlainLock.AllButReaders,
            _ => 0,
        };
        return others != 0 && ((old ^ value) & others) == 0 && !HostPriorityLock.IsExclusive(value);
    }

    private static bool IsCount(ChangeKind kind, int position) =>
        kind == ChangeKind.Td && (TdField)position is TdField.ChildCount or TdField.RefCountEven or TdField.RefCountOdd or TdField.AssociatedVcpus;

    // A word is read before it is changed: that read is part of the change.
    private void Note(ulong cell, Use use)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_accesses[i].Cell != cell)
                continue;
            Use known = _accesses[i].Use;
            _accesses[i].Use = known == Use.Read ? use : known == use || use == Use.Read ? known : Use.Write;
            return;
        }

        if (_count == _accesses.Length)
            Array.Resize(ref _accesses, 2 * _count);
        _accesses[_count++] = (cell, use);
    }
}
