namespace TdxVerify.Model;

/// <summary>The name of one number of shared state: what kind of object, which object, which field of it.</summary>
/// <param name="Key">Kind in bits 63:56, object in bits 55:24, position in bits 23:0.</param>
public readonly record struct Cell(ulong Key)
{
    /// <summary>The cell of an object's field.</summary>
    public Cell(ChangeKind kind, int target, int position)
        : this(((ulong)kind << 56) | ((ulong)(uint)target << 24) | (uint)position)
    {
    }

    /// <summary>What kind of object.</summary>
    public ChangeKind Kind => (ChangeKind)(Key >> 56);

    /// <summary>Which object: its handle or index.</summary>
    public int Object => (int)(Key >> 24);

    /// <summary>Which field or place of it.</summary>
    public int Position => (int)Key & 0xFF_FFFF;

    /// <summary>A field of a TD.</summary>
    public static Cell Td(int td, TdField field) => new(ChangeKind.Td, td, (int)field);

    /// <summary>A field of a vCPU.</summary>
    public static Cell Vcpu(int vcpu, VcpuField field) => new(ChangeKind.Vcpu, vcpu, (int)field);

    /// <summary>A field of a logical processor.</summary>
    public static Cell Lp(int lp, LpField field) => new(ChangeKind.Lp, lp, (int)field);

    /// <summary>A field of a PAMT entry.</summary>
    public static Cell Pamt(PamtRef at, PamtField field) => new(ChangeKind.Pamt, at.Index, Change.PamtPosition(at.Size, field));

    /// <summary>An S-EPT entry.</summary>
    public static Cell Entry(EntryRef at) => new(ChangeKind.Entry, at.Table, at.Index);

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        ChangeKind.Pamt => $"PAMT {Position >> 4}:{Object:X} {(PamtField)(Position & 0xF)}",
        ChangeKind.Td => $"TD {Object:X} {(TdField)Position}",
        ChangeKind.Vcpu => $"vCPU {Object:X} {(VcpuField)Position}",
        ChangeKind.Lp => $"LP {Object} {(LpField)Position}",
        ChangeKind.Key => $"HKID {Object} {(KeyField)Position}",
        ChangeKind.Global => $"platform {(GlobalField)Position}",
        _ => $"{Kind} {Object:X}[{Position}]",
    };
}
