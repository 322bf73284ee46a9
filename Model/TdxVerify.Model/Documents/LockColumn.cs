namespace TdxVerify.Model;

/// <summary>The locks that documents tell apart: PAMT entries by whose page they are about, whatever their size.</summary>
public enum LockColumn
{
    /// <summary>PAMT entries of the TDR page.</summary>
    TdrPamt,

    /// <summary>PAMT entries of the TDVPR page.</summary>
    TdvprPamt,

    /// <summary>PAMT entries of the page that an operand names.</summary>
    TargetPamt,

    /// <summary>PAMT entry of the page that an S-EPT entry maps or points to.</summary>
    MappedPamt,

    /// <summary>OP_STATE.</summary>
    OpState,

    /// <summary>S-EPT tree.</summary>
    SeptTree,

    /// <summary>The S-EPT entry.</summary>
    SeptEntry,

    /// <summary>The 512 child entries.</summary>
    SeptChildren,

    /// <summary>TD epoch.</summary>
    Epoch,

    /// <summary>KOT.</summary>
    Kot,

    /// <summary>The package's cache write-back mutex.</summary>
    WritebackMutex,
}

/// <summary>Names of locks and modes in documents.</summary>
public static class LockNames
{
    private const int PamtSizes = 3;

    /// <summary>The column of a lock.</summary>
    public static LockColumn Column(this LockId id) => id switch
    {
        LockId.OpState => LockColumn.OpState,
        LockId.SeptTree => LockColumn.SeptTree,
        LockId.SeptEntry => LockColumn.SeptEntry,
        LockId.SeptChildren => LockColumn.SeptChildren,
        LockId.Epoch => LockColumn.Epoch,
        LockId.Kot => LockColumn.Kot,
        LockId.WritebackMutex => LockColumn.WritebackMutex,
        _ => (LockColumn)((int)id / PamtSizes),
    };

    /// <summary>The PAMT size of a lock on a PAMT entry: 0, 1 or 2; -1 for other locks.</summary>
    public static int PamtSize(this LockId id) => id < LockId.OpState ? (int)id % PamtSizes : -1;

    /// <summary>The name of a lock.</summary>
    public static string Name(this LockColumn column) => column switch
    {
        LockColumn.TdrPamt => "TDR PAMT",
        LockColumn.TdvprPamt => "TDVPR PAMT",
        LockColumn.TargetPamt => "target page PAMT",
        LockColumn.MappedPamt => "mapped page PAMT",
        LockColumn.OpState => "OP_STATE",
        LockColumn.SeptTree => "S-EPT tree",
        LockColumn.SeptEntry => "S-EPT entry",
        LockColumn.SeptChildren => "child S-EPT entries",
        LockColumn.Epoch => "TD epoch",
        LockColumn.Kot => "KOT",
        _ => "write-back mutex",
    };

    /// <summary>A mode in words.</summary>
    public static string Name(this LockMode mode) => mode switch
    {
        LockMode.Shared => "shared",
        LockMode.Exclusive => "exclusive",
        LockMode.Promoted => "promoted to exclusive",
        LockMode.Host => "host",
        LockMode.Guest => "guest",
        _ => "exclusive for a moment",
    };

    /// <summary>The lock of a step, with the size of a PAMT entry.</summary>
    public static string Name(this LockUse use)
    {
        string name = use.Id.Column().Name();
        return use.Id.PamtSize() switch
        {
            1 when use.Mode == LockMode.Momentary => $"{name} entry of the large page",
            2 => $"{name} 1 GiB entry",
            1 => $"{name} 2 MiB entry",
            0 when use.Id.Column() == LockColumn.MappedPamt => $"{name} entry",
            0 => $"{name} 4 KiB entry",
            _ => name,
        };
    }
}
