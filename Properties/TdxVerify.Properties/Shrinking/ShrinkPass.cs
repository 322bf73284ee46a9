using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Shrinking;

/// <summary>One way to make a sequence smaller or simpler: a number of places, and what becomes of the sequence at each.</summary>
/// <param name="Count">The places of a sequence; the last is tried first.</param>
/// <param name="Candidate">The sequence changed at one place; null: there is nothing to change.</param>
internal sealed record ShrinkPass(
    Func<List<PlannedEvent>, int> Count, Func<List<PlannedEvent>, int, List<PlannedEvent>?> Candidate);
