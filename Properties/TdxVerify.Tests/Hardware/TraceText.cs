using System.Text;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Tests.Hardware;

/// <summary>Traces written by hand, for tests.</summary>
internal static class TraceText
{
    public const string File = "trace.jsonl";

    public const string Header =
        """{"format":"tdxverify-trace","version":1,"implementation":"by hand","info":{"lps":4,"pageBase":"0x100000000","pageCount":4096,"hkidFirst":33,"hkidCount":8,"tdcsPages":6,"tdvpxPages":5}}""";

    public const string Reset = """{"e":"reset","seq":7}""";

    /// <summary>Reads all events of a trace that consists of these lines.</summary>
    public static List<TraceEvent> Read(params string[] lines) => Read(Encoding.UTF8.GetBytes(string.Join('\n', lines)));

    /// <summary>Reads all events of a trace.</summary>
    public static List<TraceEvent> Read(byte[] bytes)
    {
        using TraceReader reader = Open(bytes);
        var events = new List<TraceEvent>();
        while (reader.Read())
            events.Add(reader.Current);
        return events;
    }

    /// <summary>Opens a trace in memory.</summary>
    public static TraceReader Open(byte[] bytes) => TraceReader.Open(File, new MemoryStream(bytes));

    /// <summary>The header and a reset, then these lines: the first of them is line 3.</summary>
    public static List<TraceEvent> ReadSequence(params string[] lines) => Read([Header, Reset, .. lines]);

    /// <summary>Writes events after a header and returns the file's bytes.</summary>
    public static byte[] Write(TraceHeader header, IEnumerable<TraceEvent> events)
    {
        var bytes = new MemoryStream();
        using (TraceWriter writer = TraceWriter.Create(File, bytes, header))
        {
            foreach (TraceEvent e in events)
                writer.Write(e);
        }

        return bytes.ToArray();
    }
}
