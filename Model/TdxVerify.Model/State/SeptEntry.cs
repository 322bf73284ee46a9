namespace TdxVerify.Model;

/// <summary>
/// One L1 S-EPT entry as the model keeps it: state, lock bit, host-priority bit, accept counter, and what it points
/// to (a page index where the state is a leaf, a table where it is not).
/// </summary>
/// <param name="Word">The entry in the model's own encoding; 0 is FREE, unlocked.</param>
public readonly record struct SeptEntry(ulong Word)
{
    private const int StateBits = 4;
    private const int CounterShift = 8;
    private const int TargetShift = 20;

    /// <summary>The entry lock.</summary>
    public const ulong LockBit = 1UL << 4;

    /// <summary>The host-priority bit.</summary>
    public const ulong HostPriorityBit = 1UL << 5;

    /// <summary>A new entry: unlocked, no host priority, accept counter 0.</summary>
    public static SeptEntry Of(SeptState state, long target = 0) => new((ulong)state | ((ulong)target << TargetShift));

    /// <summary>The state.</summary>
    public SeptState State => (SeptState)(Word & ((1 << StateBits) - 1));

    /// <summary>Page index, or table.</summary>
    public int Target => (int)(Word >> TargetShift);

    /// <summary>4 KiB chunks of a 2 MiB page that an interrupted TDG.MEM.PAGE.ACCEPT has done.</summary>
    public int AcceptCounter => (int)(Word >> CounterShift) & 0x3FF;

    /// <summary>The entry lock is taken.</summary>
    public bool IsLocked => (Word & LockBit) != 0;

    /// <summary>A host call found the entry locked; guests keep away.</summary>
    public bool HasHostPriority => (Word & HostPriorityBit) != 0;

    /// <summary>The entry maps a page.</summary>
    public bool IsLeaf => SeptStates.Leaf.Contains(State);

    /// <summary>The same entry in another state.</summary>
    public SeptEntry With(SeptState state) => new((Word & ~((1UL << StateBits) - 1)) | (ulong)state);

    /// <summary>The same entry with another accept counter.</summary>
    public SeptEntry WithAcceptCounter(int chunks) => new((Word & ~(0x3FFUL << CounterShift)) | ((ulong)chunks << CounterShift));

    /// <summary>The same entry, locked or not.</summary>
    public SeptEntry WithLock(bool locked) => new(locked ? Word | LockBit : Word & ~LockBit);

    /// <inheritdoc/>
    public override string ToString() =>
        $"{State} {Target}{(IsLocked ? ", locked" : "")}{(HasHostPriority ? ", host priority" : "")}{(AcceptCounter > 0 ? $", {AcceptCounter} chunks accepted" : "")}";

    /// <summary>The same entry, with host priority or not.</summary>
    public SeptEntry WithHostPriority(bool priority) => new(priority ? Word | HostPriorityBit : Word & ~HostPriorityBit);

    /// <summary>The same entry without lock and host-priority bits.</summary>
    public SeptEntry WithoutLockBits => new(Word & ~(LockBit | HostPriorityBit));
}

/// <summary>Where an S-EPT entry is.</summary>
/// <param name="Table">The table.</param>
/// <param name="Index">Its entry: 0 to 511.</param>
public readonly record struct EntryRef(int Table, int Index);
