using System.Text.Json;

namespace TdxVerify.Hardware.Trace;

/// <summary>
/// Reads a trace event by event: JSON Lines, plain or gzip. Events are checked for what the format demands, not for
/// what a TDX module would do. Every fault of the file is a <see cref="TraceException"/>.
/// </summary>
public sealed class TraceReader : IDisposable
{
    private readonly TracePosition _position;
    private readonly TraceLines _lines;
    private readonly TraceEventParser _parser;
    private readonly TraceContext _context;
    private TraceEvent _current;

    private TraceReader(string file, Stream stream)
    {
        _position = new TracePosition(file);
        _lines = new TraceLines(stream, _position);
        Header = ReadHeader();
        _parser = new TraceEventParser(_position, Header.Platform.LpCount);
        _context = new TraceContext(_position, Header.Platform.LpCount);
    }

    /// <summary>The file as the user named it.</summary>
    public string File => _position.File;

    /// <summary>The first line.</summary>
    public TraceHeader Header { get; }

    /// <summary>The event that <see cref="Read"/> went to; overwritten by the next one.</summary>
    public ref readonly TraceEvent Current => ref _current;

    /// <summary>Opens a file and reads its header.</summary>
    /// <exception cref="TraceException">The file cannot be read or is no trace.</exception>
    public static TraceReader Open(string path) => Open(path, TraceStream.Open(path));

    /// <summary>Reads a stream, plain or gzip, which the reader owns from now on.</summary>
    /// <param name="file">A name for errors.</param>
    /// <param name="stream">The stream.</param>
    /// <exception cref="TraceException">The stream is no trace.</exception>
    public static TraceReader Open(string file, Stream stream)
    {
        Stream lines = TraceStream.Decompress(file, stream);
        try
        {
            return new TraceReader(file, lines);
        }
        catch
        {
            lines.Dispose();
            throw;
        }
    }

    /// <summary>Goes to the next event; false at the end of the file.</summary>
    /// <exception cref="TraceException">The file is damaged.</exception>
    public bool Read()
    {
        if (!_lines.Next(out ReadOnlySpan<byte> line))
            return false;
        try
        {
            _parser.Parse(line, out _current);
            _context.Complete(ref _current);
            return true;
        }
        catch (Exception e) when (e is JsonException or TraceException && _lines.IsDamagedFurtherOn())
        {
            throw _lines.Damaged(_position.Line, e);
        }
        catch (JsonException e)
        {
            throw Malformed(e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lines.Dispose();

    private TraceHeader ReadHeader()
    {
        if (!_lines.Next(out ReadOnlySpan<byte> line))
            throw new TraceException(File, 0, "is empty, expected the header line of a TdxVerify trace");
        ReadOnlySpan<byte> byteOrderMark = [0xEF, 0xBB, 0xBF];
        if (line.StartsWith(byteOrderMark))
            line = line[byteOrderMark.Length..];
        try
        {
            return TraceHeaderParser.Parse(line, _position);
        }
        catch (Exception e) when (e is JsonException or TraceException && _lines.IsDamagedFurtherOn())
        {
            throw _lines.Damaged(_position.Line, e);
        }
        catch (JsonException e)
        {
            throw new TraceException(File, _position.Line, "no TdxVerify trace: expected a header in JSON, plain or gzip", e);
        }
    }

    private TraceException Malformed(JsonException e) =>
        new(File, _position.Line, $"malformed JSON at byte {e.BytePositionInLine + 1} of the line, expected one complete event", e);
}
