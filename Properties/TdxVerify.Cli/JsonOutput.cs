using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace TdxVerify.Cli;

/// <summary>Writes the one document of <c>--json</c>.</summary>
internal static class JsonOutput
{
    // Relaxed: what is printed is no part of a web page, and `<` is easier to read than its escape.
    private static readonly JsonWriterOptions s_options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a document; <paramref name="write"/> fills it, braces of the outermost object included.</summary>
    public static void Write(Terminal terminal, Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, s_options))
            write(json);
        terminal.Out.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
    }
}
