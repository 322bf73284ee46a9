namespace TdxVerify.Properties.Lanes;

/// <summary>Text broken into lines of a lane.</summary>
internal static class LaneWrap
{
    /// <summary>Lines of at most <paramref name="width"/> characters; a longer word is cut.</summary>
    public static IEnumerable<string> Lines(string text, int width)
    {
        string line = "";
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string rest = word;
            if (line.Length > 0 && line.Length + 1 + rest.Length > width)
            {
                yield return line;
                line = "";
            }

            while (rest.Length > width)
            {
                yield return rest[..width];
                rest = rest[width..];
            }

            line = line.Length == 0 ? rest : $"{line} {rest}";
        }

        if (line.Length > 0)
            yield return line;
    }
}
