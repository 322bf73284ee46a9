namespace TdxVerify.Properties.Contention;

/// <summary>What one pair of calls can do to each other.</summary>
/// <param name="Scenario">The prepared platform.</param>
/// <param name="A">The first call.</param>
/// <param name="LpA">Its processor.</param>
/// <param name="B">The second.</param>
/// <param name="LpB">Its processor.</param>
/// <param name="Relation">What they have in common.</param>
/// <param name="Result">All that they can end in.</param>
public sealed record ContentionPair(string Scenario, Instance A, int LpA, Instance B, int LpB, string Relation, PairResult Result)
{
    /// <summary>Operands with which A, or its TDCALL, returns OPERAND_BUSY.</summary>
    public IReadOnlyList<string> BusyA => BusyOf(0);

    /// <summary>Operands with which B, or its TDCALL, returns OPERAND_BUSY.</summary>
    public IReadOnlyList<string> BusyB => BusyOf(1);

    /// <summary>No outcome is one that neither order of the two calls gives.</summary>
    public bool IsSerializable => !Result.NotSerializableOutcomes.Any();

    /// <summary>Some interleaving halts the module.</summary>
    public bool HaltsModule => Result.Outcomes.Contains(PairResult.Fatal);

    /// <summary>Who returns OPERAND_BUSY with which operand, and who makes it.</summary>
    public IEnumerable<BusyCause> Busy =>
        BusyA.Select(operand => new BusyCause(A.Leaf, operand, B.Leaf)).Concat(BusyB.Select(operand => new BusyCause(B.Leaf, operand, A.Leaf)));

    private List<string> BusyOf(int which) =>
    [
        .. Result.Outcomes.Where(outcome => outcome != PairResult.Fatal).SelectMany(outcome => OutcomeNames.BusyOperands(outcome.Split('|')[which]))
            .Distinct().Order(StringComparer.Ordinal),
    ];
}

/// <summary>A leaf that returns OPERAND_BUSY with an operand, and one that makes it do so.</summary>
/// <param name="Leaf">Who returns it.</param>
/// <param name="Operand">The operand.</param>
/// <param name="Maker">Who makes it.</param>
public readonly record struct BusyCause(string Leaf, string Operand, string Maker);
