using System.Text;

namespace TdxVerify.Hardware.Trace;

/// <summary>Where in a trace file the reader stands: what every error names.</summary>
internal sealed class TracePosition(string file)
{
    private const int QuotedLength = 40;

    /// <summary>The file as the user named it.</summary>
    public string File { get; } = file;

    /// <summary>The line being read, from 1; 0 before the first.</summary>
    public int Line { get; set; }

    /// <summary>An error on the current line.</summary>
    public TraceException Error(string fault) => new(File, Line, fault);

    /// <summary>Text of the file for use in an error: short, and without characters that disturb a terminal.</summary>
    public static string Quote(ReadOnlySpan<byte> utf8)
    {
        string text = Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, QuotedLength)]);
        var quoted = new StringBuilder("\"");
        foreach (char c in text)
            quoted.Append(char.IsControl(c) || c == '\uFFFD' ? '?' : c);
        return quoted.Append(utf8.Length > QuotedLength ? "...\"" : "\"").ToString();
    }
}
