namespace TdxVerify.Properties.Contention;

/// <summary>Which instances of a scenario are paired, and on which processors they run (contention.md, "How to start a pair").</summary>
public static class ContentionPairs
{
    private const int FreeLpOfA = 0;
    private const int FreeLpOfB = 2;

    /// <summary>All pairs, each in the order of the instances; an instance with itself too.</summary>
    public static IEnumerable<(Instance A, int LpA, Instance B, int LpB)> Of(IReadOnlyList<Instance> instances)
    {
        for (int i = 0; i < instances.Count; i++)
        {
            for (int j = i; j < instances.Count; j++)
            {
                Instance a = instances[i];
                Instance b = instances[j];
                int lpA = a.Lp >= 0 ? a.Lp : FreeLpOfA;
                int lpB = b.Lp >= 0 ? b.Lp : FreeLpOfB;
                bool sameGuest = a.Tdvpr != 0 && a.Tdvpr == b.Tdvpr && a.Operation is not null && b.Operation is not null;
                if (sameGuest || (lpA == lpB && a.InGuest && b.InGuest))
                    continue;
                if (lpA == lpB && b.InGuest)
                    lpA = FreeLpOfA;
                else if (lpA == lpB)
                    lpB = FreeLpOfB;
                yield return (a, lpA, b, lpB);
            }
        }
    }
}
