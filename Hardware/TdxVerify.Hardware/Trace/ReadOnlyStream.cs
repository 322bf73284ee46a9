namespace TdxVerify.Hardware.Trace;

/// <summary>A stream that can only be read, forward, synchronously.</summary>
internal abstract class ReadOnlyStream : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public abstract override int Read(Span<byte> buffer);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>Some bytes, then a stream, then some bytes.</summary>
internal sealed class JoinedStream(ReadOnlyMemory<byte> first, Stream middle, ReadOnlyMemory<byte> last) : ReadOnlyStream
{
    private ReadOnlyMemory<byte> _first = first;
    private ReadOnlyMemory<byte> _last = last;
    private bool _middleEnded;

    public override int Read(Span<byte> buffer)
    {
        if (_first.Length > 0)
            return Take(ref _first, buffer);
        if (!_middleEnded && buffer.Length > 0)
        {
            int read = middle.Read(buffer);
            if (read > 0)
                return read;
            _middleEnded = true;
        }

        return Take(ref _last, buffer);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            middle.Dispose();
        base.Dispose(disposing);
    }

    private static int Take(ref ReadOnlyMemory<byte> bytes, Span<byte> buffer)
    {
        int length = Math.Min(bytes.Length, buffer.Length);
        bytes.Span[..length].CopyTo(buffer);
        bytes = bytes[length..];
        return length;
    }
}
