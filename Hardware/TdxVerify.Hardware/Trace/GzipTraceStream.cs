using System.IO.Compression;

namespace TdxVerify.Hardware.Trace;

/// <summary>Decompresses gzip, of one member or several, and refuses data that is cut off.</summary>
/// <remarks>
/// The runtime's gzip stream takes the end of a truncated file for the end of the data, and nothing about it tells one
/// from the other. So a mark, compressed as a gzip member of its own, is appended to the compressed data. If the data
/// is complete, the mark comes out last, and is held back here. If the data is cut off, the appended member is taken
/// for the missing compressed bytes: decompression fails, or the mark does not come out.
/// </remarks>
internal sealed class GzipTraceStream(Stream compressed) : ReadOnlyStream
{
    private static readonly byte[] s_compressedMark = Compress(Mark);

    private readonly GZipStream _gzip = new(new JoinedStream(default, compressed, s_compressedMark), CompressionMode.Decompress);
    private readonly byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;
    private bool _ended;

    private static ReadOnlySpan<byte> Mark => "\0TdxVerify: the gzip data is complete\0"u8;

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">The data is damaged or cut off.</exception>
    public override int Read(Span<byte> buffer)
    {
        // The last bytes read so far could be the mark.
        while (!_ended && _end - _start <= Mark.Length)
            Fill();
        int length = Math.Min(buffer.Length, _end - _start - (_ended ? 0 : Mark.Length));
        _buffer.AsSpan(_start, length).CopyTo(buffer);
        _start += length;
        return length;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _gzip.Dispose();
        base.Dispose(disposing);
    }

    private static byte[] Compress(ReadOnlySpan<byte> bytes)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
            gzip.Write(bytes);
        return compressed.ToArray();
    }

    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        int read = _gzip.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        if (read > 0)
            return;

        _ended = true;
        if (!_buffer.AsSpan(0, _end).EndsWith(Mark))
            throw new InvalidDataException("The gzip data is cut off.");
        _end -= Mark.Length;
    }
}
