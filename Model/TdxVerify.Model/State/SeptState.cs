namespace TdxVerify.Model;

/// <summary>
/// States of an L1 S-EPT entry that can be reached without migration (facts/sept-states.csv). The first is 0, so a
/// new table is all FREE.
/// </summary>
public enum SeptState : byte
{
    /// <summary>Nothing there.</summary>
    FREE,

    /// <summary>Points to an S-EPT page.</summary>
    NL_MAPPED,

    /// <summary>Points to an S-EPT page; the range below is blocked.</summary>
    NL_BLOCKED,

    /// <summary>A page that the guest may use.</summary>
    MAPPED,

    /// <summary>A page; blocked.</summary>
    BLOCKED,

    /// <summary>A page that the guest has not accepted.</summary>
    PENDING,

    /// <summary>A page that the guest has not accepted; blocked.</summary>
    PENDING_BLOCKED,
}

/// <summary>Sets of S-EPT entry states.</summary>
[Flags]
public enum SeptStates
{
    /// <summary>The empty set.</summary>
    None = 0,

    /// <summary>{FREE}.</summary>
    FREE = 1 << SeptState.FREE,

    /// <summary>{NL_MAPPED}.</summary>
    NL_MAPPED = 1 << SeptState.NL_MAPPED,

    /// <summary>{NL_BLOCKED}.</summary>
    NL_BLOCKED = 1 << SeptState.NL_BLOCKED,

    /// <summary>{MAPPED}.</summary>
    MAPPED = 1 << SeptState.MAPPED,

    /// <summary>{BLOCKED}.</summary>
    BLOCKED = 1 << SeptState.BLOCKED,

    /// <summary>{PENDING}.</summary>
    PENDING = 1 << SeptState.PENDING,

    /// <summary>{PENDING_BLOCKED}.</summary>
    PENDING_BLOCKED = 1 << SeptState.PENDING_BLOCKED,

    /// <summary>Leaf states: the entry maps a page.</summary>
    Leaf = MAPPED | BLOCKED | PENDING | PENDING_BLOCKED,

    /// <summary>States that point to an S-EPT page.</summary>
    NonLeaf = NL_MAPPED | NL_BLOCKED,

    /// <summary>Blocked states.</summary>
    AnyBlocked = NL_BLOCKED | BLOCKED | PENDING_BLOCKED,

    /// <summary>States that need TLB tracking before a change that takes something away.</summary>
    TlbTracked = Leaf | NonLeaf,
}

/// <summary>Facts about S-EPT entry states (facts/sept-states.csv).</summary>
public static class SeptStateFacts
{
    /// <summary>The architectural state number that the leaves return in RDX bits 15:8.</summary>
    public static ReadOnlySpan<byte> ArchState => [0x00, 0x84, 0x81, 0x04, 0x01, 0x02, 0x03];

    /// <summary>The set contains the state.</summary>
    public static bool Contains(this SeptStates set, SeptState state) => ((int)set >> (int)state & 1) != 0;

    /// <summary>The state after TDH.MEM.RANGE.BLOCK.</summary>
    public static SeptState Blocked(this SeptState state) => SeptMachine.Next(state, Trigger.TDH_MEM_RANGE_BLOCK);

    /// <summary>The state after TDH.MEM.RANGE.UNBLOCK.</summary>
    public static SeptState Unblocked(this SeptState state) => SeptMachine.Next(state, Trigger.TDH_MEM_RANGE_UNBLOCK);
}
