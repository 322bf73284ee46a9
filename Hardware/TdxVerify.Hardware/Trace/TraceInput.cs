namespace TdxVerify.Hardware.Trace;

/// <summary>
/// A trace that can be read more than once: to judge it, and again to explain what was found. A file is opened each
/// time; what can be read only once (a pipe, standard input) is kept in memory as it came.
/// </summary>
public sealed class TraceInput
{
    private readonly Stream? _stream;
    private byte[]? _bytes;

    private TraceInput(string name, Stream? stream)
    {
        Name = name;
        _stream = stream;
    }

    /// <summary>The trace as the user named it, for errors.</summary>
    public string Name { get; }

    /// <summary>A file, or a pipe that has a name.</summary>
    public static TraceInput Of(string path) => new(path, null);

    /// <summary>A stream that can be read once.</summary>
    public static TraceInput Of(string name, Stream stream) => new(name, stream);

    /// <summary>Starts to read, from the first line.</summary>
    /// <exception cref="TraceException">The trace cannot be read or is none.</exception>
    public TraceReader Open()
    {
        if (_bytes is not null)
            return Read(new MemoryStream(_bytes));
        Stream stream = _stream ?? TraceStream.Open(Name);
        if (_stream is null && stream.CanSeek)
            return Read(stream);

        using (stream)
        {
            var copy = new MemoryStream();
            try
            {
                stream.CopyTo(copy);
            }
            catch (Exception e) when (TraceStream.IsSystemFault(e))
            {
                throw new TraceException(Name, 0, $"cannot be read: {e.Message}", e);
            }

            _bytes = copy.ToArray();
        }

        return Read(new MemoryStream(_bytes));
    }

    private TraceReader Read(Stream stream) => TraceReader.Open(Name, stream);
}
