namespace TdxVerify.Reference;

/// <summary>
/// TD_EPOCH and its two reference counts in one word, so that the tracking test sees all three at one instant
/// (facts/epoch.md). The module reads a 128-bit record; .NET has no such read, so the epoch has 40 bits here and each
/// count 12: more than any sequence reaches.
/// </summary>
internal struct EpochTracking
{
    private const int CountBits = 12;
    private const int EpochShift = 2 * CountBits;
    private const ulong CountMask = (1UL << CountBits) - 1;
    private const ulong MigrationFlag = 1UL << 63;

    private ulong _word;

    public ulong Epoch => Volatile.Read(ref _word) >> EpochShift;

    /// <summary>The vCPUs running since the previous epoch, of which TDH.MEM.TRACK asks.</summary>
    public ulong PreviousCount
    {
        get
        {
            ulong word = Volatile.Read(ref _word);
            return Count(word, (word >> EpochShift) - 1);
        }
    }

    /// <summary>The vCPUs running in epochs of this parity.</summary>
    public ulong CountOf(ulong parity) => Count(Volatile.Read(ref _word), parity);

    /// <summary>Epoch 1, nobody counted (TDH.MNG.INIT).</summary>
    public void Start() => Volatile.Write(ref _word, 1UL << EpochShift);

    /// <summary>The next epoch (TDH.MEM.TRACK, holding the epoch lock exclusively).</summary>
    public void Advance() => Interlocked.Add(ref _word, 1UL << EpochShift);

    /// <summary>A vCPU enters in this epoch.</summary>
    public void Enter(ulong epoch) => Interlocked.Add(ref _word, 1UL << CountShift(epoch));

    /// <summary>A vCPU that entered in this epoch leaves.</summary>
    public void Leave(ulong epoch) => Interlocked.Add(ref _word, unchecked(0UL - (1UL << CountShift(epoch))));

    /// <summary>No translation that a block in <paramref name="blockEpoch"/> removed can be cached any more.</summary>
    public bool IsTracked(ulong blockEpoch)
    {
        if ((blockEpoch & MigrationFlag) != 0)
            return false;
        ulong word = Volatile.Read(ref _word);
        ulong previous = (word >> EpochShift) - 1;
        return blockEpoch == previous ? Count(word, blockEpoch) == 0 : blockEpoch < previous;
    }

    private static int CountShift(ulong epoch) => (int)(epoch & 1) * CountBits;

    private static ulong Count(ulong word, ulong epoch) => (word >> CountShift(epoch)) & CountMask;
}
