namespace TdxVerify.Host;

/// <summary>Circles among the states of a program.</summary>
public static class ProgramLoops
{
    /// <summary>From a state, a way leads back to it.</summary>
    /// <param name="start">The state.</param>
    /// <param name="next">The states that follow a state, as far as they are of interest.</param>
    public static bool ComesBack(ProgramState start, Func<ProgramState, IEnumerable<ProgramState>> next)
    {
        ArgumentNullException.ThrowIfNull(next);
        HashSet<ProgramState> seen = new(ReferenceEqualityComparer.Instance);
        var left = new Stack<ProgramState>([start]);
        while (left.TryPop(out ProgramState? state))
        {
            foreach (ProgramState following in next(state))
            {
                if (ReferenceEquals(following, start))
                    return true;
                if (seen.Add(following))
                    left.Push(following);
            }
        }

        return false;
    }
}
