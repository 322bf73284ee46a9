namespace TdxVerify.Properties.Exploration;

/// <summary>
/// Brings the steps of a run into an order in which agents take turns less often, and which ends in the same way: a search
/// finds some shortest run, in which agents that have nothing to do with each other alternate at random.
/// </summary>
/// <remarks>
/// A piece of one agent is moved next to its piece before or after, and the run is made again: it counts where every step
/// could be made in its new place and the end is what was asked for. No claim is made that no run has fewer switches.
/// </remarks>
internal static class FewestSwitches
{
    /// <summary>The steps in another order.</summary>
    /// <param name="steps">The steps.</param>
    /// <param name="agentOf">Who makes a step.</param>
    /// <param name="endsAlike">Whether the steps can be made in an order, and then end in the same way.</param>
    public static IReadOnlyList<TStep> Of<TStep>(IReadOnlyList<TStep> steps, Func<TStep, int> agentOf, Func<IReadOnlyList<TStep>, bool> endsAlike)
    {
        List<List<TStep>> pieces = Pieces(steps, agentOf);
        while (Better(pieces, agentOf, endsAlike) is { } better)
            pieces = better;
        return [.. pieces.SelectMany(piece => piece)];
    }

    private static List<List<TStep>> Pieces<TStep>(IEnumerable<TStep> steps, Func<TStep, int> agentOf)
    {
        var pieces = new List<List<TStep>>();
        foreach (TStep step in steps)
        {
            if (pieces.Count > 0 && agentOf(pieces[^1][0]) == agentOf(step))
                pieces[^1].Add(step);
            else
                pieces.Add([step]);
        }

        return pieces;
    }

    private static List<List<TStep>>? Better<TStep>(List<List<TStep>> pieces, Func<TStep, int> agentOf, Func<IReadOnlyList<TStep>, bool> endsAlike)
    {
        for (int second = 2; second < pieces.Count; second++)
        {
            int agent = agentOf(pieces[second][0]);
            int first = pieces.FindLastIndex(second - 1, piece => agentOf(piece[0]) == agent);
            if (first < 0)
                continue;
            foreach (bool forward in (bool[])[false, true])
            {
                var moved = new List<List<TStep>>(pieces);
                moved.RemoveAt(forward ? first : second);
                moved.Insert(forward ? second - 1 : first + 1, forward ? pieces[first] : pieces[second]);
                List<TStep> steps = [.. moved.SelectMany(piece => piece)];
                if (endsAlike(steps))
                    return Pieces(steps, agentOf);
            }
        }

        return null;
    }
}
