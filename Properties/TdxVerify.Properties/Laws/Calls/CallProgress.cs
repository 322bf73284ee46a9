namespace TdxVerify.Properties.Laws.Calls;

/// <summary>
/// What a call has passed or done when its rules were evaluated so far: it decides what a call that fails later
/// leaves behind. One value, because a call that ended at an earlier rule than foreseen got only as far as that.
/// </summary>
[Flags]
internal enum CallProgress
{
    None = 0,
    NewlyAssociated = 1 << 0,
    SampledEpoch = 1 << 1,
    ReachedCount = 1 << 2,
    CountedVcpu = 1 << 3,
    WroteX2ApicId = 1 << 4,
    WroteFirstEpoch = 1 << 5,
    AcceptedTopology = 1 << 6,
    PassedEntryState = 1 << 7,
    StartedWriteback = 1 << 8,
}
