using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>Shared state during one step, with what laws ask about what the step wrote.</summary>
internal sealed class WatchedCells : ICells
{
    private readonly List<int> _handedBack = [];
    private ICells _cells = new StoredCells();

    /// <summary>TD_EPOCH was written.</summary>
    public bool EpochWritten { get; private set; }

    /// <summary>A mirror SPTE, an S-EPT entry or mmu_lock was written.</summary>
    public bool MirrorWritten { get; private set; }

    /// <summary>An S-EPT entry lost its host priority.</summary>
    public bool PriorityCleared { get; private set; }

    /// <summary>Pages that went back to the host.</summary>
    public IReadOnlyList<int> HandedBack => _handedBack;

    /// <summary>A step begins.</summary>
    public void Begin(ICells cells)
    {
        _cells = cells;
        _handedBack.Clear();
        EpochWritten = false;
        MirrorWritten = false;
        PriorityCleared = false;
    }

    /// <inheritdoc/>
    public ulong Read(Cell cell) => _cells.Read(cell);

    /// <inheritdoc/>
    public void Write(Cell cell, ulong value)
    {
        switch (cell.Kind)
        {
            case ChangeKind.Td when cell.Position == (int)TdField.Epoch:
                EpochWritten = true;
                break;
            case ChangeKind.Pamt when (cell.Position & 0xF) == (int)PamtField.Type && value == (ulong)PageType.PT_NDA:
                _handedBack.Add(new PamtRef(cell.Position >> 4, cell.Object).FirstPage);
                break;
            case ChangeKind.Entry:
                MirrorWritten = true;
                PriorityCleared |= new SeptEntry(_cells.Read(cell)).HasHostPriority && !new SeptEntry(value).HasHostPriority;
                break;
            case ChangeKind.Host when cell.Object is (int)HostCell.Spte or (int)HostCell.Lock:
                MirrorWritten = true;
                break;
            default:
                break;
        }

        _cells.Write(cell, value);
    }
}
