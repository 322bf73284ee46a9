namespace TdxVerify.Hardware.Trace;

/// <summary>Cuts a stream into lines without allocating for each.</summary>
internal sealed class TraceLines(Stream stream, TracePosition position) : IDisposable
{
    // The longest event writes a page: about 8 KiB. The limit keeps a file without line ends out of memory.
    private const int MaximumLine = 1 << 20;

    private byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;
    private bool _ended;

    /// <summary>
    /// Goes to the next line that is not blank; false at the end of the file. The line, without its end, is valid
    /// until the next call.
    /// </summary>
    public bool Next(out ReadOnlySpan<byte> line)
    {
        while (NextLine(out line))
        {
            if (line.ContainsAnyExcept(" \t\r"u8))
                return true;
        }

        return false;
    }

    /// <summary>
    /// Whether gzip data turn out to be damaged in what has not been read: then what came out of them last may be garbage,
    /// though it looks like lines. Nothing can be read after this.
    /// </summary>
    public bool IsDamagedFurtherOn()
    {
        if (stream is not GzipTraceStream)
            return false;
        try
        {
            while (stream.Read(_buffer) > 0)
            {
            }

            return false;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }

    /// <summary>The error for damaged gzip data.</summary>
    public TraceException Damaged(int line, Exception? inner = null) =>
        new(position.File, line, "the gzip data is damaged or cut off here, expected a complete gzip file", inner);

    public void Dispose() => stream.Dispose();

    private bool NextLine(out ReadOnlySpan<byte> line)
    {
        int searched = 0;
        while (true)
        {
            ReadOnlySpan<byte> unread = _buffer.AsSpan(_start, _end - _start);
            int length = unread[searched..].IndexOf((byte)'\n');
            if (length >= 0)
            {
                line = unread[..(searched + length)];
                _start += line.Length + 1;
                Count();
                return true;
            }

            searched = unread.Length;
            if (_ended || !Fill())
            {
                line = unread;
                _start = _end;
                if (line.Length > 0)
                    Count();
                return line.Length > 0;
            }
        }
    }

    private void Count()
    {
        if (position.Line == int.MaxValue)
            throw position.Error("the file has too many lines");
        position.Line++;
    }

    // Appends to the unread bytes, which move to the front of the buffer; false at the end of the stream.
    private bool Fill()
    {
        int unread = _end - _start;
        if (unread > MaximumLine)
        {
            Count();
            throw position.Error($"a line of more than {MaximumLine} bytes, expected JSON Lines: one event a line");
        }

        byte[] target = unread < _buffer.Length ? _buffer : new byte[_buffer.Length * 2];
        Array.Copy(_buffer, _start, target, 0, unread);
        _buffer = target;
        _start = 0;
        _end = unread;

        int read;
        try
        {
            read = stream.Read(_buffer, _end, _buffer.Length - _end);
        }
        catch (InvalidDataException e)
        {
            throw Damaged(position.Line + 1, e);
        }
        catch (Exception e) when (TraceStream.IsSystemFault(e))
        {
            throw new TraceException(position.File, position.Line + 1, $"cannot be read on: {e.Message}", e);
        }

        _end += read;
        _ended = read == 0;
        return !_ended;
    }
}
