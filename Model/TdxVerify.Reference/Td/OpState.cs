namespace TdxVerify.Reference;

/// <summary>OP_STATE of a TD (facts/op-states.csv). Without migration leaves a TD reaches the first three.</summary>
internal enum OpState : byte
{
    Uninitialized = 0,
    Initialized = 1,
    Runnable = 2,
    LiveExport = 3,
    PausedExport = 4,
    PostExport = 5,
    MemoryImport = 6,
    StateImport = 7,
    PostImport = 8,
    LiveImport = 9,
    FailedImport = 10,
}

/// <summary>Sets of OP_STATEs, a bit for each: those in which a leaf is allowed.</summary>
internal static class OpStates
{
    public const uint Uninitialized = 1u << (int)OpState.Uninitialized;
    public const uint Initialized = 1u << (int)OpState.Initialized;

    /// <summary>Those in which removing a translation needs TLB tracking.</summary>
    public const uint TrackingRequired = Runnable | LiveExport | LiveImport;

    public const uint VpEnter = TrackingRequired;
    public const uint VpCreate = Initialized | StateImport;
    public const uint VpAddcx = VpCreate;
    public const uint MetadataRd = Any & ~Uninitialized;
    public const uint SeptAdd = Initialized | Runnable | LiveExport | MemoryImport | StateImport | PostImport | LiveImport;
    public const uint SeptRd = MetadataRd;
    public const uint SeptRemove = MetadataRd;
    public const uint PageAug = Initialized | Runnable | LiveExport | LiveImport;
    public const uint PageRemove = RangeBlock | FailedImport;
    public const uint PageRelocate = RangeBlock;
    public const uint PagePromote = RangeBlock;
    public const uint PageDemote = RangeBlock;
    public const uint RangeBlock = Initialized | Runnable | LiveExport | PausedExport | PostExport | PostImport | LiveImport;
    public const uint RangeUnblock = RangeBlock;
    public const uint Track = MetadataRd & ~FailedImport;

    private const uint Runnable = 1u << (int)OpState.Runnable;
    private const uint LiveExport = 1u << (int)OpState.LiveExport;
    private const uint PausedExport = 1u << (int)OpState.PausedExport;
    private const uint PostExport = 1u << (int)OpState.PostExport;
    private const uint MemoryImport = 1u << (int)OpState.MemoryImport;
    private const uint StateImport = 1u << (int)OpState.StateImport;
    private const uint PostImport = 1u << (int)OpState.PostImport;
    private const uint LiveImport = 1u << (int)OpState.LiveImport;
    private const uint FailedImport = 1u << (int)OpState.FailedImport;
    private const uint Any = (1u << ((int)OpState.FailedImport + 1)) - 1;

    public static bool Contains(uint states, OpState state) => (states & (1u << (int)state)) != 0;
}
