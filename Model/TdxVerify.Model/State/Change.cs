namespace TdxVerify.Model;

/// <summary>What kind of object a change is about.</summary>
public enum ChangeKind : byte
{
    /// <summary>A field of a PAMT entry: object = index, position = size and field.</summary>
    Pamt,

    /// <summary>A field of a TD.</summary>
    Td,

    /// <summary>A field of a vCPU.</summary>
    Vcpu,

    /// <summary>A GPA of a vCPU's list of faulting GPAs; position = place in the list.</summary>
    FaultingGpa,

    /// <summary>A field of a logical processor.</summary>
    Lp,

    /// <summary>A field of a key ownership table entry; object = key id.</summary>
    Key,

    /// <summary>A field of the platform.</summary>
    Global,

    /// <summary>An x2APIC id slot of a TD; position = vCPU index.</summary>
    X2ApicId,

    /// <summary>An S-EPT entry: object = table, position = index; values are <see cref="SeptEntry.Word"/>.</summary>
    Entry,

    /// <summary>A TD came into being; new value = page.</summary>
    NewTd,

    /// <summary>A vCPU came into being; new value = page.</summary>
    NewVcpu,

    /// <summary>An S-EPT table came into being; new value = page.</summary>
    NewTable,

    /// <summary>A TD is gone.</summary>
    FreeTd,

    /// <summary>A vCPU is gone.</summary>
    FreeVcpu,

    /// <summary>An S-EPT table is gone.</summary>
    FreeTable,

    /// <summary>INVEPT: object = logical processor, position = TD.</summary>
    InvalidateEpt,

    /// <summary>Pages of which a logical processor may hold a stale translation (<see cref="StaleTranslations"/>).</summary>
    StaleTranslation,

    /// <summary>Where a guest's program is; object = vCPU.</summary>
    Guest,

    /// <summary>State of the host: its locks, mirror SPTEs, flags.</summary>
    Host,

    /// <summary>Who holds a lock of the module, as an observer knows it; no outcome depends on it.</summary>
    Holders,
}

/// <summary>One write to the state.</summary>
/// <param name="Kind">What kind of object.</param>
/// <param name="Object">Which object: its handle or index.</param>
/// <param name="Position">Which field or place of it.</param>
/// <param name="Old">The value before.</param>
/// <param name="New">The value after.</param>
public readonly record struct Change(ChangeKind Kind, int Object, int Position, ulong Old, ulong New)
{
    /// <summary>The PAMT entry of a <see cref="ChangeKind.Pamt"/> change.</summary>
    public PamtRef PamtAt => new(Position >> 4, Object);

    /// <summary>The field of a <see cref="ChangeKind.Pamt"/> change.</summary>
    public PamtField PamtField => (PamtField)(Position & 0xF);

    /// <summary>The S-EPT entry of a <see cref="ChangeKind.Entry"/> change.</summary>
    public EntryRef EntryAt => new(Object, Position);

    /// <summary>Both changes are about the same cell.</summary>
    public bool IsSameCell(in Change other) => Kind == other.Kind && Object == other.Object && Position == other.Position;

    /// <summary>The position of a PAMT field.</summary>
    public static int PamtPosition(int size, PamtField field) => (size << 4) | (int)field;
}
