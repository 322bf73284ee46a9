namespace TdxVerify.Properties.Contention;

/// <summary>What all interleavings of two calls can end in.</summary>
/// <param name="Outcomes">As in contention.csv: outcome of A | outcome of B | flags, or <c>fatal</c>.</param>
/// <param name="States">States of the merged graph.</param>
/// <param name="Witnesses">A shortest schedule for each OPERAND_BUSY, each outcome that is not serializable, and a halt; empty if not asked for.</param>
public sealed record PairResult(IReadOnlySet<string> Outcomes, int States, IReadOnlyList<PairWitness> Witnesses)
{
    /// <summary>The outcome of a schedule that halts the module.</summary>
    public const string Fatal = "fatal";

    /// <summary>The flag of an outcome that neither order of the calls gives.</summary>
    public const string NotSerializable = "nonser";

    /// <summary>Outcomes that neither order of the calls gives.</summary>
    public IEnumerable<string> NotSerializableOutcomes => Outcomes.Where(IsNotSerializable);

    /// <summary>Neither order of the calls gives this outcome.</summary>
    public static bool IsNotSerializable(string outcome) => outcome.Contains("|" + NotSerializable, StringComparison.Ordinal);
}
