using TdxVerify.Abi;

namespace TdxVerify.Properties.Contention;

/// <summary>What two calls have in common (contention.md, "Columns"): GPA or TD, then page, then vCPU.</summary>
public static class PairRelation
{
    /// <summary>The relation, in the words of contention.csv.</summary>
    /// <param name="a">The first call.</param>
    /// <param name="b">The second.</param>
    /// <param name="firstTdr">The first TD of the platform: a call without a TD counts as one on it.</param>
    public static string Of(Instance a, Instance b, ulong firstTdr)
    {
        var relation = new List<string> { a.Gpa is { } gpaA && b.Gpa is { } gpaB ? OfGpas(gpaA, a.Level, gpaB, b.Level) : OfTds(a, b, firstTdr) };
        if (a.Pages.Intersect(b.Pages).Any())
            relation.Add("same-page");
        if (a.Tdvpr != 0 && b.Tdvpr != 0)
            relation.Add(a.Tdvpr == b.Tdvpr ? "same-vCPU" : "other-vCPU");
        return string.Join(';', relation);
    }

    private static string OfGpas(ulong a, int levelA, ulong b, int levelB)
    {
        if (a == b && levelA == levelB)
            return "same-GPA";
        ulong size = SeptLevel.Size(Math.Max(levelA, levelB));
        if (levelA != levelB && a / size == b / size)
            return "parent-child";
        return a / SeptLevel.Size(SeptLevel.Page2M) == b / SeptLevel.Size(SeptLevel.Page2M) ? "sibling-GPA" : "other-GPA";
    }

    private static string OfTds(Instance a, Instance b, ulong firstTdr) =>
        (a.Tdr == 0 ? firstTdr : a.Tdr) == (b.Tdr == 0 ? firstTdr : b.Tdr) ? "same-TD" : "other-TD";
}
