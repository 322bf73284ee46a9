namespace TdxVerify.Properties.Exploration;

/// <summary>
/// Random walks before a search: most values turn up in them, so the layout fits from the start. What they miss makes
/// the layout wider during the search, which copies all states found so far.
/// </summary>
internal static unsafe class WarmUp
{
    private const int MostWalks = 64;
    private const int WalksWithoutNews = 3;
    private const int StepsOfWalk = 2000;

    /// <summary>Walks, always the same ones, and makes the layout as wide as they need.</summary>
    public static void Run<TLocal>(CompiledSystem<TLocal> system)
        where TLocal : unmanaged
    {
        for (int walk = 0, quiet = 0; walk < MostWalks && quiet < WalksWithoutNews; walk++)
        {
            long known = system.StepsLearnt;
            while (!TryWalk(system, new Random(walk)))
                system.Widen();
            quiet = system.StepsLearnt == known ? quiet + 1 : 0;
        }

        system.Widen();
    }

    private static bool TryWalk<TLocal>(CompiledSystem<TLocal> system, Random random)
        where TLocal : unmanaged
    {
        int words = system.Layout.Words;
        ulong* state = stackalloc ulong[words];
        new Span<ulong>(state, words).Clear();
        using var successors = new Successors(words);
        bool independent = true;
        try
        {
            for (int step = 0; step < StepsOfWalk; step++)
            {
                successors.Clear();
                for (int agent = 0; agent < system.Layout.Agents; agent++)
                    system.Expand(state, agent, 0, successors, ref independent);
                if (successors.Count == 0)
                    return true;
                ulong* next = successors[random.Next(successors.Count)];
                for (int i = 0; i < words; i++)
                    state[i] = next[i];
                system.Canonicalizer?.Apply(state);
            }

            return true;
        }
        catch (LayoutTooSmallException)
        {
            return false;
        }
    }
}
