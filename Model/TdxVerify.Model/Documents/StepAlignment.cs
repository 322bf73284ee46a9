namespace TdxVerify.Model;

/// <summary>
/// The steps that two lists have in common, in order: how a later module's leaf differs from an earlier one's.
/// </summary>
public static class StepAlignment
{
    /// <summary>
    /// All steps of both lists in order: the step's place in the first and in the second list, -1 where it is not in
    /// that list. Steps are the same if kind, text, failure and lock are.
    /// </summary>
    public static IReadOnlyList<(int First, int Second)> Of<S>(Leaf<S> first, Leaf<S> second)
        where S : struct, IState
    {
        int[,] common = CommonLengths(first, second);
        var pairs = new List<(int, int)>();
        int i = 0;
        int j = 0;
        while (i < first.Steps.Length || j < second.Steps.Length)
        {
            if (i < first.Steps.Length && j < second.Steps.Length && AreSame(first.Steps[i], second.Steps[j]))
                pairs.Add((i++, j++));
            else if (j == second.Steps.Length || (i < first.Steps.Length && common[i + 1, j] >= common[i, j + 1]))
                pairs.Add((i++, -1));
            else
                pairs.Add((-1, j++));
        }

        return pairs;
    }

    /// <summary>Both say the same.</summary>
    public static bool AreSame<S>(Step<S> one, Step<S> other)
        where S : struct, IState =>
        one.Kind == other.Kind && one.Text == other.Text && one.Failure == other.Failure && one.Lock == other.Lock;

    // Length of the longest common subsequence of what is left from each pair of places on.
    private static int[,] CommonLengths<S>(Leaf<S> first, Leaf<S> second)
        where S : struct, IState
    {
        var common = new int[first.Steps.Length + 1, second.Steps.Length + 1];
        for (int i = first.Steps.Length - 1; i >= 0; i--)
        {
            for (int j = second.Steps.Length - 1; j >= 0; j--)
            {
                common[i, j] = AreSame(first.Steps[i], second.Steps[j])
                    ? common[i + 1, j + 1] + 1
                    : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }

        return common;
    }
}
