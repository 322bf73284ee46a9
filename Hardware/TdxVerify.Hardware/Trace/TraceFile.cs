namespace TdxVerify.Hardware.Trace;

/// <summary>A whole trace, parsed into memory.</summary>
/// <param name="Path">The file as the user named it.</param>
/// <param name="Header">The first line.</param>
/// <param name="Sequences">The sequences, in the order of the file.</param>
public sealed record TraceFile(string Path, TraceHeader Header, IReadOnlyList<TraceSequence> Sequences)
{
    // About 1.4 GB. Longer traces can be read event by event.
    private const int MaximumEvents = 1 << 22;

    /// <summary>Events of all sequences.</summary>
    public long EventCount => Sequences.Sum(sequence => (long)sequence.Events.Length);

    /// <summary>Parses a file. Files of more than some million events are refused: use <see cref="TraceReader"/>.</summary>
    /// <exception cref="TraceException">The file cannot be read, is no trace, or is damaged.</exception>
    public static TraceFile Load(string path)
    {
        using TraceReader reader = TraceReader.Open(path);
        return Load(reader);
    }

    /// <summary>Parses what a reader has not yet read.</summary>
    /// <exception cref="TraceException">The file is damaged, or too large.</exception>
    public static TraceFile Load(TraceReader reader)
    {
        var sequences = new List<TraceSequence>();
        var events = new List<TraceEvent>();
        long count = 0;
        while (reader.Read())
        {
            ref readonly TraceEvent current = ref reader.Current;
            if (current.Kind == TraceEventKind.Reset)
                Finish();
            events.Add(current);
            if (++count > MaximumEvents)
                throw new TraceException(reader.File, current.Line, $"more than {MaximumEvents} events, too many to hold in memory");
        }

        Finish();
        return new TraceFile(reader.File, reader.Header, sequences);

        void Finish()
        {
            if (events.Count > 0)
                sequences.Add(new TraceSequence([.. events]));
            events.Clear();
        }
    }
}

/// <summary>A sequence: from a reset up to the next.</summary>
/// <param name="Events">The events, the reset first.</param>
public sealed record TraceSequence(TraceEvent[] Events)
{
    /// <summary>What its reset says, else one more than the sequence before.</summary>
    public int Number => Events[0].Sequence;

    /// <summary>The line of its reset.</summary>
    public int Line => Events[0].Line;
}
