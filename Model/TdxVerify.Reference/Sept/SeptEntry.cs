using System.Runtime.CompilerServices;
using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// The bits of a 64-bit S-EPT entry in the module's own encoding (facts/sept-states.csv): permissions 2:0, memory
/// type 5:3, IPAT 6, PS 7, D 9, lock 11, HPA 51:12 (accept counter 20:12 in a 2 MiB pending entry), host priority 52,
/// the state bits TDEX 53, TDBW 54, TDB 55, TDP 56, suppress-VE 63.
/// </summary>
internal static class SeptEntry
{
    public const ulong PermissionsMask = 7;
    public const ulong HpaMask = 0x000F_FFFF_FFFF_F000;

    /// <summary>An entry that maps nothing and was never blocked.</summary>
    public const ulong Free = SuppressVe | Blocked | BlockedWrite | Exported;

    private const ulong WriteBack = 6UL << 3;
    private const ulong MemoryTypeMask = 7UL << 3;
    private const ulong IgnorePat = 1UL << 6;
    private const ulong PageSize = 1UL << 7;
    private const ulong Dirty = 1UL << 9;
    private const ulong Exported = 1UL << 53;
    private const ulong BlockedWrite = 1UL << 54;
    private const ulong Blocked = 1UL << 55;
    private const ulong Pending = 1UL << 56;
    private const ulong SuppressVe = 1UL << 63;
    private const ulong StateMask = Dirty | IgnorePat | PageSize | Exported | BlockedWrite | Blocked | Pending;

    private const int AcceptCounterShift = 12;
    private const ulong AcceptCounterMask = 0x1FFUL << AcceptCounterShift;

    private const ulong ArchLeafMask =
        PermissionsMask | MemoryTypeMask | IgnorePat | PageSize | HpaMask | SuppressVe;

    private const ulong ArchNonLeafMask = PermissionsMask | PageSize;

    /// <summary>The state bits gathered into 7 bits: D, TDEX, TDBW, TDB, TDP, IPAT, PS from bit 0 up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Encoding(ulong entry) =>
        (int)(((entry >> 9) & 1) | ((entry >> 52) & 0x1E) | ((entry >> 1) & 0x60));

    /// <summary>The PS bit: the entry maps a page. Right for every state but FREE and REMOVED.</summary>
    public static bool IsLeaf(ulong entry) => (entry & PageSize) != 0;

    public static bool IsFree(ulong entry) => (entry & StateMask) == (Free & StateMask);

    /// <summary>A mapped page: RWX, write-back, unlocked.</summary>
    public static ulong MappedLeaf(ulong hpa) =>
        SuppressVe | hpa | PageSize | IgnorePat | WriteBack | PermissionsMask;

    /// <summary>A pending page: no permission, unlocked.</summary>
    public static ulong PendingLeaf(ulong hpa) => SuppressVe | hpa | Pending | PageSize | IgnorePat | WriteBack;

    /// <summary>An S-EPT page, the entry locked.</summary>
    public static ulong LockedTable(ulong hpa) => SuppressVe | hpa | SeptEntryLock.LockBit | PermissionsMask;

    /// <summary>The HPA of the S-EPT page that a non-leaf entry points to.</summary>
    public static ulong TableHpa(ulong entry) => entry & HpaMask;

    /// <summary>The HPA of the page that a leaf entry maps: the bits below its size are not address.</summary>
    public static ulong LeafHpa(ulong entry, int level) => entry & HpaMask & ~(SeptLevel.Size(level) - 1);

    /// <summary>The 4 KiB chunks of a 2 MiB page accepted so far.</summary>
    public static int AcceptCounter(ulong entry) => (int)((entry & AcceptCounterMask) >> AcceptCounterShift);

    public static ulong WithAcceptCounter(ulong entry, int chunks) =>
        (entry & ~AcceptCounterMask) | ((ulong)chunks << AcceptCounterShift);

    /// <summary>Drops the accept counter of a 2 MiB pending entry.</summary>
    public static ulong WithoutAcceptCounter(ulong entry, int level) =>
        level == SeptLevel.Page2M && SeptStates.Of(entry).Has(SeptTraits.PendingAcceptable)
            ? WithAcceptCounter(entry, 0)
            : entry;

    /// <summary>The blocked counterpart; what a write-block was is forgotten.</summary>
    public static ulong Block(ulong entry) => SeptStates.Of(entry).State switch
    {
        SeptState.NlMapped => (entry & ~StateMask & ~PermissionsMask) | Blocked,
        SeptState.Mapped or SeptState.BlockedW =>
            (entry & ~StateMask & ~PermissionsMask) | Blocked | IgnorePat | PageSize,
        SeptState.Pending or SeptState.PendingBlockedW =>
            (entry & ~StateMask) | Blocked | Pending | IgnorePat | PageSize,
        _ => throw new ModuleHaltException(),
    };

    /// <summary>The state before the block, with its permissions; an entry that is not blocked stays as it is.</summary>
    public static ulong Unblock(ulong entry) => SeptStates.Of(entry).State switch
    {
        SeptState.NlBlocked => (entry & ~StateMask & ~MemoryTypeMask) | PermissionsMask,
        SeptState.Blocked =>
            (entry & ~StateMask & ~MemoryTypeMask) | IgnorePat | PageSize | WriteBack | PermissionsMask,
        SeptState.PendingBlocked => (entry & ~StateMask) | Pending | IgnorePat | PageSize,
        _ => entry,
    };

    /// <summary>An accepted page: MAPPED, or EXPORTED_DIRTY where it was pending and exported.</summary>
    public static ulong Accept(ulong entry) =>
        SeptStates.Of(entry).State == SeptState.Pending
            ? (entry & ~StateMask) | IgnorePat | PageSize | PermissionsMask
            : (entry & ~Pending) | PermissionsMask;

    /// <summary>The architectural form that leaves return in RCX (facts/checks.md, "arch S-EPT entry").</summary>
    public static ulong Architectural(ulong entry) =>
        IsFree(entry) ? SuppressVe : entry & (IsLeaf(entry) ? ArchLeafMask : ArchNonLeafMask);

    /// <summary>The level and state that leaves return in RDX.</summary>
    public static ulong ArchitecturalInfo(ulong entry, int level) =>
        (uint)level | ((ulong)SeptStates.Of(entry).ArchitecturalState << 8);
}
