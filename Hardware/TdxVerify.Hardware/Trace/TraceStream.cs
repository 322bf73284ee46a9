using System.IO.Compression;

namespace TdxVerify.Hardware.Trace;

/// <summary>Opens trace files, plain or gzip, and says in one line why one cannot be opened.</summary>
internal static class TraceStream
{
    private const int MagicLength = 2;

    /// <summary>Opens a file for reading; compression is told from its first bytes, so that pipes work too.</summary>
    public static Stream OpenRead(string path)
    {
        Stream file = Open(path, "read", p => new FileStream(p, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0));
        try
        {
            byte[] magic = new byte[MagicLength];
            int length = file.ReadAtLeast(magic, MagicLength, throwOnEndOfStream: false);
            var whole = new PrefixedStream(magic.AsMemory(0, length), file);
            return length == MagicLength && magic[0] == 0x1F && magic[1] == 0x8B
                ? new GZipStream(whole, CompressionMode.Decompress)
                : whole;
        }
        catch (Exception e) when (IsSystemFault(e))
        {
            file.Dispose();
            throw new TraceException(path, 0, $"cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Creates a file for writing; a name that ends in .gz is compressed.</summary>
    public static Stream Create(string path)
    {
        Stream file = Open(path, "written", p => new FileStream(p, FileMode.Create, FileAccess.Write, FileShare.Read));
        return path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)
            ? new GZipStream(file, CompressionLevel.Optimal)
            : file;
    }

    /// <summary>Is this what the file system throws when it refuses?</summary>
    public static bool IsSystemFault(Exception e) =>
        e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException
            or System.Security.SecurityException;

    private static FileStream Open(string path, string verb, Func<string, FileStream> open)
    {
        if (Directory.Exists(path))
            throw new TraceException(path, 0, "is a directory, expected a trace file");
        try
        {
            return open(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new TraceException(path, 0, "no such file", e);
        }
        catch (Exception e) when (e is UnauthorizedAccessException)
        {
            throw new TraceException(path, 0, $"cannot be {verb}: permission denied", e);
        }
        catch (Exception e) when (IsSystemFault(e))
        {
            throw new TraceException(path, 0, $"cannot be {verb}: {e.Message}", e);
        }
    }

    // The bytes already read, then the rest: a pipe cannot seek back.
    private sealed class PrefixedStream(ReadOnlyMemory<byte> prefix, Stream rest) : Stream
    {
        private ReadOnlyMemory<byte> _prefix = prefix;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            if (_prefix.Length == 0)
                return rest.Read(buffer);
            int length = Math.Min(_prefix.Length, buffer.Length);
            _prefix.Span[..length].CopyTo(buffer);
            _prefix = _prefix[length..];
            return length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                rest.Dispose();
            base.Dispose(disposing);
        }
    }
}
