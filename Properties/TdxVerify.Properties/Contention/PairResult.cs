namespace TdxVerify.Properties.Contention;

/// <summary>What all interleavings of two calls can end in.</summary>
/// <param name="Outcomes">As in contention.csv: outcome of A | outcome of B | flags, or <c>fatal</c>.</param>
/// <param name="States">States of the merged graph.</param>
public sealed record PairResult(IReadOnlySet<string> Outcomes, int States);
