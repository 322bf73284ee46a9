using System.IO.Compression;

namespace TdxVerify.Hardware.Trace;

/// <summary>Opens trace files, plain or gzip, and says in one line why one cannot be opened.</summary>
internal static class TraceStream
{
    private const int MagicLength = 2;

    /// <summary>Opens a file for reading, as it is.</summary>
    public static Stream Open(string path) =>
        Open(path, "read", p => new FileStream(p, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0));

    /// <summary>Decompresses what is compressed, which is told from the first bytes, so that pipes work too.</summary>
    public static Stream Decompress(string name, Stream file)
    {
        try
        {
            byte[] magic = new byte[MagicLength];
            int length = file.ReadAtLeast(magic, MagicLength, throwOnEndOfStream: false);
            var whole = new JoinedStream(magic.AsMemory(0, length), file, default);
            return length == MagicLength && magic[0] == 0x1F && magic[1] == 0x8B ? new GzipTraceStream(whole) : whole;
        }
        catch (Exception e) when (IsSystemFault(e))
        {
            file.Dispose();
            throw new TraceException(name, 0, $"cannot be read: {e.Message}", e);
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
        if (path.Length == 0)
            throw new TraceException("''", 0, "is no file name");
        if (Directory.Exists(path))
            throw new TraceException(path, 0, $"is a directory, expected a trace file, such as one of {Path.Combine(path, "*.jsonl.gz")}");
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
}
