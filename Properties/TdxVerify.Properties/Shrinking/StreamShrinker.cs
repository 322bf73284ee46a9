using TdxVerify.Properties.Choices;

namespace TdxVerify.Properties.Shrinking;

/// <summary>
/// Smaller streams, for FsCheck to try: the larger cuts first. An operation is taken out with all its choices, so what
/// follows is decoded as before where it does not depend on it; a choice set to 0 is the simplest one.
/// </summary>
/// <remarks>
/// FsCheck asks anew after each candidate that still fails. The shrinker then goes on where it was instead of from the
/// start: large cuts that failed once are not tried again on each of hundreds of smaller streams. One for each shrink.
/// </remarks>
public sealed class StreamShrinker
{
    private int _size = int.MaxValue;
    private int _end = int.MaxValue;
    private int _operation;
    private int _value;

    /// <summary>Candidates, each smaller than the stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="needed">Its operations up to the one that fails.</param>
    public IEnumerable<ChoiceStream> Shrink(ChoiceStream stream, int needed)
    {
        ulong[] values = stream.ToArray();
        int operations = stream.Operations;
        if (needed < operations)
            yield return ChoiceStream.FromValues(Without(values, needed, operations - needed));
        for (_size = Math.Min(_size, operations / 2); _size >= 1; _size /= 2, _end = int.MaxValue)
        {
            for (_end = Math.Min(_end, operations); _end >= _size;)
            {
                _end -= _size;
                yield return ChoiceStream.FromValues(Without(values, _end, _size));
            }
        }

        for (; _operation < operations; _operation++)
        {
            if (Zeroed(values, _operation * ChoiceStream.Width, ChoiceStream.Width) is { } simpler)
                yield return simpler;
        }

        for (; _value < values.Length; _value++)
        {
            if (Zeroed(values, _value, 1) is { } simpler)
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
