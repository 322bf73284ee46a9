namespace TdxVerify.Properties.Explain;

/// <summary>Finds what was probably meant by a mistyped name.</summary>
public static class ClosestName
{
    /// <summary>
    /// The known name with the fewest edits (insert, delete, replace a character) from <paramref name="given"/>,
    /// letter case ignored; null where even that one is not alike: more than a third of its length away.
    /// </summary>
    public static string? Find(string given, IEnumerable<string> known)
    {
        string? best = null;
        int bestDistance = int.MaxValue;
        foreach (string name in known)
        {
            int distance = Distance(given, name);
            if (distance < bestDistance && distance <= Math.Max(1, name.Length / 3))
                (best, bestDistance) = (name, distance);
        }

        return best;
    }

    private static int Distance(string left, string right)
    {
        Span<int> row = stackalloc int[right.Length + 1];
        for (int column = 0; column < row.Length; column++)
            row[column] = column;

        foreach (char character in left)
        {
            int diagonal = row[0]++;
            for (int column = 1; column < row.Length; column++)
            {
                int replaced = diagonal + (char.ToUpperInvariant(character) == char.ToUpperInvariant(right[column - 1]) ? 0 : 1);
                diagonal = row[column];
                row[column] = Math.Min(replaced, Math.Min(row[column], row[column - 1]) + 1);
            }
        }

        return row[^1];
    }
}
