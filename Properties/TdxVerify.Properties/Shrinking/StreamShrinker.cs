using TdxVerify.Properties.Choices;

namespace TdxVerify.Properties.Shrinking;

/// <summary>
/// Smaller streams, for FsCheck to try: the larger cuts first. An operation is taken out with all its choices, so what
/// follows is decoded as before where it does not depend on it; a choice set to 0 is the simplest one.
/// </summary>
public static class StreamShrinker
{
    /// <summary>Candidates, each smaller than the stream.</summary>
    public static IEnumerable<ChoiceStream> Shrink(ChoiceStream stream)
    {
        ulong[] values = stream.ToArray();
        int operations = stream.Operations;
        for (int size = operations / 2; size >= 1; size /= 2)
        {
            for (int start = operations - size; start >= 0; start -= size)
                yield return ChoiceStream.FromValues(Without(values, start, size));
        }

        for (int operation = 0; operation < operations; operation++)
        {
            if (Zeroed(values, operation * ChoiceStream.Width, ChoiceStream.Width) is { } simpler)
                yield return simpler;
        }

        for (int i = 0; i < values.Length; i++)
        {
            if (Zeroed(values, i, 1) is { } simpler)
                yield return simpler;
        }
    }

    private static ulong[] Without(ulong[] values, int start, int size)
    {
        int from = start * ChoiceStream.Width;
        int to = (start + size) * ChoiceStream.Width;
        return [.. values.AsSpan(0, from), .. values.AsSpan(to)];
    }

    private static ChoiceStream? Zeroed(ulong[] values, int start, int count)
    {
        if (values.AsSpan(start, count).IndexOfAnyExcept(0UL) < 0)
            return null;
        var copy = (ulong[])values.Clone();
        Array.Clear(copy, start, count);
        return ChoiceStream.FromValues(copy);
    }
}
