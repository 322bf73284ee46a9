using TdxVerify.Abi;

namespace TdxVerify.Properties.Contention;

/// <summary>What two calls have in common (contention.md, "Columns"): GPA or TD, then page, then vCPU.</summary>
public static class PairRelation
{
    /// <summary>The relation, in the words of contention.csv.</summary>
    public static string Of(Instance a, Instance b)
    {
        var relation = new List<string> { a.Gpa is { } gpaA && b.Gpa is { } gpaB ? OfGpas(gpaA, a.Level, gpaB, b.Level) : OfTds(a, b) };
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

    // A call without a TD counts as one on the first TD.
    private static string OfTds(Instance a, Instance b) => TdrOf(a) == TdrOf(b) ? "same-TD" : "other-TD";

    private static ulong TdrOf(Instance instance) => instance.Tdr == 0 ? new PlatformInfo().PageBase : instance.Tdr;
}
