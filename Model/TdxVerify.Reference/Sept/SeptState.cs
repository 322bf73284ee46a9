namespace TdxVerify.Reference;

/// <summary>The states of an entry of the L1 S-EPT (facts/sept-states.csv).</summary>
internal enum SeptState : byte
{
    Free,
    Removed,
    NlMapped,
    NlBlocked,
    Mapped,
    Blocked,
    BlockedW,
    ExportedBlockedW,
    ExportedDirty,
    ExportedDirtyBlockedW,
    Pending,
    PendingBlocked,
    PendingBlockedW,
    PendingExportedBlockedW,
    PendingExportedDirty,
    PendingExportedDirtyBlockedW,
}

/// <summary>What the leaves ask of a state: its properties, and which leaves accept it.</summary>
[Flags]
internal enum SeptTraits : uint
{
    None = 0,

    AnyBlocked = 1 << 0,
    AnyPending = 1 << 1,
    PendingAcceptable = 1 << 2,
    GuestAccessibleLeaf = 1 << 3,
    TrackingRequired = 1 << 4,
    MappedOrPending = 1 << 5,

    PageAdd = 1 << 8,
    SeptAdd = 1 << 9,
    PageRelocate = 1 << 10,
    PageAug = 1 << 11,
    RangeBlock = 1 << 12,
    PageDemote = 1 << 13,
    MrExtend = 1 << 14,
    PagePromote = 1 << 15,
    PageRemove = 1 << 16,
    SeptRemove = 1 << 17,
    RangeUnblock = 1 << 18,
    Accept = 1 << 19,
    AttrRd = 1 << 20,
    AttrWr = 1 << 21,
}
