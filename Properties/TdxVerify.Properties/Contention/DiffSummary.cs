namespace TdxVerify.Properties.Contention;

/// <summary>A difference of two module versions, put together by leaf for a reader.</summary>
public static class DiffSummary
{
    /// <summary>OPERAND_BUSY that is new, by who returns it and with which operand.</summary>
    public static IReadOnlyList<BusyRow> NewBusy(ContentionDiff diff) => Rows(diff, change => change.NewBusy);

    /// <summary>OPERAND_BUSY that is gone.</summary>
    public static IReadOnlyList<BusyRow> GoneBusy(ContentionDiff diff) => Rows(diff, change => change.GoneBusy);

    /// <summary>Other answers that come or go, by leaf.</summary>
    public static IReadOnlyList<AnswerRow> OtherAnswers(ContentionDiff diff) =>
    [
        .. from change in diff.Pairs
           from side in ((string Leaf, AnswerChange Answers)[])[(change.After.A.Leaf, change.Answers.A), (change.After.B.Leaf, change.Answers.B)]
           let answers = new AnswerChange([.. side.Answers.New.Where(IsNotBusy)], [.. side.Answers.Gone.Where(IsNotBusy)])
           where answers.New.Count + answers.Gone.Count > 0
           group answers by side.Leaf into leaf
           orderby leaf.Key
           select new AnswerRow(
               leaf.Key, [.. leaf.SelectMany(answers => answers.New).Distinct().Order(StringComparer.Ordinal)],
               [.. leaf.SelectMany(answers => answers.Gone).Distinct().Order(StringComparer.Ordinal)], leaf.Count()),
    ];

    private static BusyRow[] Rows(ContentionDiff diff, Func<PairChange, IEnumerable<BusyCause>> causes) =>
    [
        .. from change in diff.Pairs
           from cause in causes(change)
           group (cause.Maker, change) by (cause.Leaf, cause.Operand) into row
           orderby row.Key.Leaf, row.Key.Operand
           select new BusyRow(
               row.Key.Leaf, row.Key.Operand,
               [
                   .. from maker in row
                      group maker.change by maker.Maker into pairs
                      orderby pairs.Key
                      let cause = new BusyCause(row.Key.Leaf, row.Key.Operand, pairs.Key)
                      select new BusyMaker(pairs.Key, pairs.Count(), diff.NewCauses.Contains(cause) || diff.GoneCauses.Contains(cause), pairs.First().After),
               ]),
    ];

    private static bool IsNotBusy(string answer) => !OutcomeNames.BusyOperands(answer).Any();
}

/// <summary>A leaf that returns OPERAND_BUSY with an operand.</summary>
/// <param name="Leaf">The leaf.</param>
/// <param name="Operand">The operand.</param>
/// <param name="Makers">Who makes it.</param>
public sealed record BusyRow(string Leaf, string Operand, IReadOnlyList<BusyMaker> Makers);

/// <summary>A leaf that makes another one BUSY, in some pairs.</summary>
/// <param name="Leaf">The leaf.</param>
/// <param name="Pairs">In how many pairs that is new, or gone.</param>
/// <param name="Everywhere">In the other version it is in no pair at all.</param>
/// <param name="Example">One of the pairs.</param>
public sealed record BusyMaker(string Leaf, int Pairs, bool Everywhere, ContentionPair Example);

/// <summary>A leaf whose answers change in ways other than OPERAND_BUSY.</summary>
/// <param name="Leaf">The leaf.</param>
/// <param name="New">Answers that only the later version gives, in some pair.</param>
/// <param name="Gone">Answers that only the earlier version gives, in some pair.</param>
/// <param name="Pairs">In how many pairs.</param>
public sealed record AnswerRow(string Leaf, IReadOnlyList<string> New, IReadOnlyList<string> Gone, int Pairs);
