using TdxVerify.Abi;

namespace TdxVerify.Properties.Contention;

/// <summary>What one module version changes for calls that overlap, pair by pair.</summary>
/// <param name="Before">The earlier version.</param>
/// <param name="After">The later one.</param>
/// <param name="Pairs">The pairs that it changes.</param>
/// <param name="Compared">How many pairs were compared.</param>
public sealed record ContentionDiff(ModuleProfile Before, ModuleProfile After, IReadOnlyList<PairChange> Pairs, int Compared)
{
    /// <summary>Causes of OPERAND_BUSY that no pair of the earlier version has.</summary>
    public required IReadOnlyList<BusyCause> NewCauses { get; init; }

    /// <summary>Causes of OPERAND_BUSY that no pair of the later version has.</summary>
    public required IReadOnlyList<BusyCause> GoneCauses { get; init; }

    /// <summary>Compares two matrices of the same pairs.</summary>
    public static ContentionDiff Between(ContentionMatrix before, ContentionMatrix after)
    {
        var causesBefore = before.Pairs.SelectMany(pair => pair.Busy).ToHashSet();
        var causesAfter = after.Pairs.SelectMany(pair => pair.Busy).ToHashSet();
        return new ContentionDiff(
            before.Profile, after.Profile,
            [.. before.Pairs.Zip(after.Pairs, (old, now) => new PairChange(old, now)).Where(change => change.ChangesAnything)],
            before.Pairs.Count)
        {
            NewCauses = [.. causesAfter.Except(causesBefore)],
            GoneCauses = [.. causesBefore.Except(causesAfter)],
        };
    }
}

/// <summary>A pair whose outcomes another module version changes.</summary>
/// <param name="Before">The pair in the earlier version.</param>
/// <param name="After">The pair in the later one.</param>
public sealed record PairChange(ContentionPair Before, ContentionPair After)
{
    /// <summary>OPERAND_BUSY that the later version has and the earlier one has not.</summary>
    public IEnumerable<BusyCause> NewBusy => After.Busy.Except(Before.Busy);

    /// <summary>OPERAND_BUSY that the later version no longer has.</summary>
    public IEnumerable<BusyCause> GoneBusy => Before.Busy.Except(After.Busy);

    /// <summary>Outcomes that only now are among those that neither order of the calls gives.</summary>
    public IEnumerable<string> NewNotSerializable => After.Result.NotSerializableOutcomes.Except(Before.Result.NotSerializableOutcomes);

    /// <summary>Outcomes that neither order of the calls gave, and that are gone.</summary>
    public IEnumerable<string> GoneNotSerializable => Before.Result.NotSerializableOutcomes.Except(After.Result.NotSerializableOutcomes);

    /// <summary>Only the later version can halt.</summary>
    public bool NewlyHalts => After.HaltsModule && !Before.HaltsModule;

    /// <summary>Only the earlier version can halt.</summary>
    public bool NoLongerHalts => Before.HaltsModule && !After.HaltsModule;

    /// <summary>Answers of the first call that are new, and that are gone; of the second.</summary>
    public (AnswerChange A, AnswerChange B) Answers => (AnswersOf(0), AnswersOf(1));

    /// <summary>The sets of outcomes differ.</summary>
    public bool ChangesAnything => !After.Result.Outcomes.SetEquals(Before.Result.Outcomes);

    private AnswerChange AnswersOf(int which)
    {
        string[] old = AnswersOf(Before, which);
        string[] now = AnswersOf(After, which);
        return new AnswerChange([.. now.Except(old)], [.. old.Except(now)]);
    }

    private static string[] AnswersOf(ContentionPair pair, int which) =>
        [.. pair.Result.Outcomes.Where(outcome => outcome != PairResult.Fatal).Select(outcome => outcome.Split('|')[which]).Distinct()];
}

/// <summary>Answers of a call that come and go with a module version.</summary>
/// <param name="New">Only the later version gives them.</param>
/// <param name="Gone">Only the earlier version gives them.</param>
public sealed record AnswerChange(IReadOnlyList<string> New, IReadOnlyList<string> Gone);
