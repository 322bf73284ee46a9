namespace TdxVerify.Properties.Lanes;

/// <summary>Writes what happens several times in a row once, with how often it happens.</summary>
internal static class LaneFolding
{
    /// <summary>
    /// Folds neighbouring equal runs of items. At each place the run that leaves most out is taken, the shorter one of
    /// two that leave out as much; inside it the same again.
    /// </summary>
    public static IReadOnlyList<LaneItem> Fold(IReadOnlyList<LaneItem> items)
    {
        var folded = new List<LaneItem>();
        for (int at = 0; at < items.Count;)
        {
            (int length, int times) = BestRun(items, at);
            if (times == 1)
                folded.Add(Inside(items[at]));
            else
                folded.Add(new LaneRepeat(times, Fold([.. items.Skip(at).Take(length)])));
            at += length * times;
        }

        return folded;
    }

    private static LaneItem Inside(LaneItem item) => item is LaneRepeat repeat ? repeat with { Items = Fold(repeat.Items) } : item;

    private static (int Length, int Times) BestRun(IReadOnlyList<LaneItem> items, int at)
    {
        (int Length, int Times) best = (1, 1);
        for (int length = 1; at + (2 * length) <= items.Count; length++)
        {
            int times = 1;
            while (at + (length * (times + 1)) <= items.Count && AreEqual(items, at, at + (length * times), length))
                times++;
            if (length * (times - 1) > best.Length * (best.Times - 1))
                best = (length, times);
        }

        return best;
    }

    private static bool AreEqual(IReadOnlyList<LaneItem> items, int first, int second, int length)
    {
        for (int i = 0; i < length; i++)
        {
            if (!items[first + i].Equals(items[second + i]))
                return false;
        }

        return true;
    }
}
