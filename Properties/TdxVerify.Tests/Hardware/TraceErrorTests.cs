using System.Text;
using TdxVerify.Hardware.Trace;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Hardware;

/// <summary>A damaged or malformed trace gives one error that names file, line and what was expected.</summary>
public class TraceErrorTests
{
    private const string Call = """{"e":"seamcall","lp":0,"in":{"rax":"0x9"},"out":{"rax":"0x0"}}""";

    // The third line of a file, and what its error says.
    public static TheoryData<string, string> MalformedLines => new()
    {
        // JSON
        { """{"e":"seamcall","lp":0,"in":{"rax":"0x9"},"out":{"rax":""", "malformed JSON at byte 56" },
        { """{"e":"reset"} {"e":"reset"}""", "malformed JSON at byte 15" },
        { "nonsense", "malformed JSON at byte 2" },
        { "[]", "event: expected a JSON object, found an array" },
        { "17", "event: expected a JSON object, found 17" },
        { new string('[', 200), "expected a JSON object" },
        { """{"e":"reset","x":""" + new string('[', 200) + new string(']', 200) + "}", "malformed JSON" },
        // the kind
        { "{}", "the key \"e\" is missing" },
        { """{"e":"restart"}""", "e: expected one of seamcall, guest, guest-result, lock, unlock, enter, exit, write, begin, end, interrupt, reset, found \"restart\"" },
        { """{"e":1}""", "e: expected one of" },
        { """{"e":"\ud800"}""", "e: expected one of" },
        { """{"e":"re\u001b[31mset"}""", "found \"re\\u001b[31mset\"" },
        { """{"e":"reset","e":"reset"}""", "the key \"e\" occurs twice" },
        // missing keys
        { """{"e":"seamcall","in":{},"out":{"rax":"0x0"}}""", "this seamcall event lacks \"lp\"" },
        { """{"e":"seamcall","lp":0}""", "this seamcall event lacks \"in\", \"out\"" },
        { """{"e":"guest","vp":"0x9000"}""", "this guest event lacks \"op\"" },
        { """{"e":"guest","vp":"0x9000","op":{}}""", "lacks \"op.kind\"" },
        { """{"e":"guest","vp":"0x9000","op":{"kind":"access","rip":"0x1","gpa":"0x1"}}""", "lacks \"op.access\"" },
        { """{"e":"guest","vp":"0x9000","op":{"kind":"access","access":"r","gpa":"0x1"}}""", "lacks \"op.rip\"" },
        { """{"e":"guest","vp":"0x9000","op":{"kind":"access","access":"r","rip":"0x1"}}""", "lacks \"op.gpa\"" },
        { """{"e":"guest","vp":"0x9000","op":{"kind":"tdcall","rip":"0x1"}}""", "lacks \"op.in\"" },
        { """{"e":"guest-result","vp":"0x9000"}""", "lacks \"completed\", \"ve\"" },
        { """{"e":"write","hpa":"0x1000"}""", "lacks \"data\"" },
        { """{"e":"write","hpa":"0x1000","fill":0}""", "lacks \"length\"" },
        { """{"e":"enter","lp":0,"in":{},"running":false}""", "this enter event lacks \"out\"" },
        { """{"e":"exit","lp":0}""", "this exit event lacks \"out\"" },
        { """{"e":"interrupt"}""", "lacks \"pending\"" },
        { """{"e":"lock","which":"tdr"}""", "lacks \"mode\", \"by\", \"arg\", \"ok\"" },
        { """{"e":"lock","which":"sept-entry","mode":"shared","by":"host","arg":"0x1","ok":true}""", "lacks \"arg2\"" },
        { """{"e":"begin","id":1,"lp":0,"in":{}}""", "lacks \"t\"" },
        // types and values
        { """{"e":"seamcall","lp":"0","in":{},"out":{"rax":"0x0"}}""", "lp: expected an integer from 0 to 3, found \"0\"" },
        { """{"e":"seamcall","lp":4,"in":{},"out":{"rax":"0x0"}}""", "lp: expected an integer from 0 to 3, found 4" },
        { """{"e":"seamcall","lp":-1,"in":{},"out":{"rax":"0x0"}}""", "found -1" },
        { """{"e":"seamcall","lp":0.5,"in":{},"out":{"rax":"0x0"}}""", "found 0.5" },
        { """{"e":"seamcall","lp":99999999999999999999,"in":{},"out":{"rax":"0x0"}}""", "lp: expected an integer" },
        { """{"e":"seamcall","lp":0,"in":[],"out":{"rax":"0x0"}}""", "in: expected a JSON object, found an array" },
        { """{"e":"seamcall","lp":0,"in":{"rax":9},"out":{"rax":"0x0"}}""", "in: expected a hexadecimal string of at most 64 bits, such as \"0x1f\", found 9" },
        { """{"e":"seamcall","lp":0,"in":{"rax":"9"},"out":{"rax":"0x0"}}""", "in: expected a hexadecimal string" },
        { """{"e":"seamcall","lp":0,"in":{"rax":"0x"},"out":{"rax":"0x0"}}""", "in: expected a hexadecimal string" },
        { """{"e":"seamcall","lp":0,"in":{"rax":"0x1g"},"out":{"rax":"0x0"}}""", "found \"0x1g\"" },
        { """{"e":"seamcall","lp":0,"in":{"rax":"0x10000000000000000"},"out":{"rax":"0x0"}}""", "in: expected a hexadecimal string" },
        { """{"e":"seamcall","lp":0,"in":{"rsp":"0x1"},"out":{"rax":"0x0"}}""", "in: \"rsp\" is no register of the interface" },
        { """{"e":"seamcall","lp":0,"in":{"rax":"0x1","rax":"0x1"},"out":{"rax":"0x0"}}""", "in: rax occurs twice" },
        { """{"e":"seamcall","lp":0,"in":{},"out":{"rcx":"0x0"}}""", "out: rax, the status, is missing" },
        { """{"e":"reset","seq":-1}""", "seq: expected an integer" },
        { """{"e":"guest","vp":"0x9000","op":{"kind":"sleep"}}""", "op.kind: expected one of idle, access, tdcall, found \"sleep\"" },
        { """{"e":"guest","vp":"0x9000","op":{"kind":"access","access":"rr","rip":"0x1","gpa":"0x1"}}""", "op.access: expected r, w, x" },
        { """{"e":"guest","vp":"0x9000","op":{"kind":"access","access":"","rip":"0x1","gpa":"0x1"}}""", "op.access: expected r, w, x" },
        { """{"e":"guest-result","vp":"0x9000","completed":1,"ve":false}""", "completed: expected true or false, found 1" },
        { """{"e":"interrupt","pending":null}""", "pending: expected true or false, found null" },
        { """{"e":"lock","which":"ept","mode":"shared","by":"host","arg":"0x1","ok":true}""", "which: expected one of tdr, op-state, sept-tree" },
        { """{"e":"lock","which":"tdr","mode":"none","by":"host","arg":"0x1","ok":true}""", "mode: expected one of shared, exclusive" },
        { """{"e":"lock","which":"tdr","mode":"shared","by":"vmm","arg":"0x1","ok":true}""", "by: expected one of host, guest" },
        // writes
        { """{"e":"write","hpa":"0x1000","data":"abc"}""", "data: 3 hexadecimal digits, expected an even number" },
        { """{"e":"write","hpa":"0x1000","data":"ag"}""", "is not hexadecimal" },
        { """{"e":"write","hpa":"0x1000","data":""}""", "data: 0 bytes, expected 1 to 4096" },
        { """{"e":"write","hpa":"0x1000","data":""" + "\"" + new string('0', 8194) + "\"}", "data: 4097 bytes" },
        { """{"e":"write","hpa":"0x1fff","data":"0000"}""", "crosses a page" },
        { """{"e":"write","hpa":"0xffffffffffffffff","data":"0000"}""", "crosses a page" },
        { """{"e":"write","hpa":"0x1800","fill":0,"length":2049}""", "crosses a page" },
        { """{"e":"write","hpa":"0x1000","fill":256,"length":1}""", "fill: expected an integer from 0 to 255" },
        { """{"e":"write","hpa":"0x1000","fill":0,"length":0}""", "length: expected an integer from 1 to 4096" },
        { """{"e":"write","hpa":"0x1000","data":"00","fill":0,"length":1}""", "expected either data, or fill with length" },
        // what cannot be
        { """{"e":"exit","lp":1,"out":{"rax":"0x0"}}""", "an exit on LP 1, on which no vCPU runs" },
        { """{"e":"end","id":1,"lp":0,"t":1,"out":{"rax":"0x0"}}""", "the end of call 1 on LP 0, on which it is not open" },
        { """{"e":"guest-result","vp":"0x9000","completed":true,"ve":false,"out":{"rax":"0x0"}}""", "vCPU 0x9000 is no tdcall" },
    };

    // A whole file, the line of its error, and what it says.
    public static TheoryData<string, int, string> MalformedFiles => new()
    {
        { "", 0, "is empty, expected the header line" },
        { "\n\n", 0, "is empty" },
        { "MZ\0\u0001binary", 1, "no TdxVerify trace: expected a header in JSON" },
        { "null", 1, "header: expected a JSON object" },
        { "{}", 1, "the header's format is missing, expected \"tdxverify-trace\"" },
        { Call, 1, "the header's format is missing" },
        { TraceText.Header.Replace("tdxverify-trace", "qemu-trace", StringComparison.Ordinal), 1, "the header's format is \"qemu-trace\"" },
        { TraceText.Header.Replace("\"version\":1", "\"version\":2", StringComparison.Ordinal), 1, "trace format version 2; this program reads version 1" },
        { TraceText.Header.Replace("\"version\":1,", "", StringComparison.Ordinal), 1, "trace format version missing" },
        { TraceText.Header.Replace("\"implementation\":\"by hand\",", "", StringComparison.Ordinal), 1, "lacks \"implementation\"" },
        { """{"format":"tdxverify-trace","version":1,"implementation":"x"}""", 1, "lacks \"info\"" },
        { TraceText.Header.Replace("\"lps\":4", "\"lps\":0", StringComparison.Ordinal), 1, "info.lps: expected an integer from 1 to 1024, found 0" },
        { TraceText.Header.Replace("\"lps\":4", "\"lps\":4294967300", StringComparison.Ordinal), 1, "info.lps" },
        { TraceText.Header.Replace("\"pageCount\":4096", "\"pageCount\":1099511627776", StringComparison.Ordinal), 1, "info.pageCount" },
        { TraceText.Header.Replace("\"0x100000000\"", "4294967296", StringComparison.Ordinal), 1, "info.pageBase: expected a hexadecimal string" },
        { TraceText.Header.Replace("0x100000000", "0x100001000", StringComparison.Ordinal), 1, "is not 2 MiB aligned" },
        { TraceText.Header.Replace("0x100000000", "0x3fffffe00000", StringComparison.Ordinal), 1, "the pages end at" },
        { TraceText.Header.Replace("\"hkidCount\":8", "\"hkidCount\":64", StringComparison.Ordinal), 1, "exceed the 64 key ids" },
        { TraceText.Header.Replace("\"lps\":4", "\"module\":\"9.9.99\"", StringComparison.Ordinal), 1, "info.module: \"9.9.99\" is no known module version; known are 1.5.01, 1.5.05" },
        { TraceText.Header.Replace("by hand", "\\ud800", StringComparison.Ordinal), 1, "implementation: the string is not valid Unicode" },
        { $"{TraceText.Header}\n{Call}\n", 2, "an event before the first reset" },
        { $"{TraceText.Header}\n{TraceText.Reset}\n{Call}\n\n{Call[..20]}", 5, "malformed JSON" },
        {
            Sequence("""{"e":"enter","lp":0,"in":{},"running":true}""", Call),
            4, "a call on LP 0, which runs a vCPU since the enter on line 3: expected its exit first"
        },
        {
            Sequence("""{"e":"enter","lp":0,"in":{},"running":true}""", """{"e":"reset"}""", """{"e":"exit","lp":0,"out":{"rax":"0x0"}}"""),
            5, "an exit on LP 0, on which no vCPU runs"
        },
        {
            Sequence(
                """{"e":"begin","id":1,"lp":0,"t":1,"in":{}}""",
                """{"e":"end","id":1,"lp":0,"t":2,"out":{"rax":"0x0"}}""",
                """{"e":"begin","id":1,"lp":1,"t":3,"in":{}}"""),
            5, "call 1 began before in this sequence, on line 3"
        },
        {
            Sequence("""{"e":"begin","id":1,"lp":0,"t":1,"in":{}}""", """{"e":"begin","id":2,"lp":0,"t":2,"in":{}}"""),
            4, "a call on LP 0, on which call 1 of line 3 is open"
        },
        { $"{TraceText.Header}\n{new string(' ', 3 << 20)}x", 2, "a line of more than 1048576 bytes" },
    };

    [Theory]
    [MemberData(nameof(MalformedLines))]
    public void A_malformed_line_is_named_with_what_was_expected(string line, string fault)
    {
        TraceException error = Assert.Throws<TraceException>(() => TraceText.ReadSequence(line, Call));
        Assert.Equal(3, error.Line);
        Assert.Contains(fault, error.Fault, StringComparison.Ordinal);
        AssertOneLine(error);
    }

    [Theory]
    [MemberData(nameof(MalformedFiles))]
    public void A_malformed_file_is_named_with_what_was_expected(string text, int line, string fault)
    {
        TraceException error = Assert.Throws<TraceException>(() => TraceText.Read(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(line, error.Line);
        Assert.Contains(fault, error.Fault, StringComparison.Ordinal);
        AssertOneLine(error);
    }

    [Theory]
    [InlineData("no such file.jsonl", "no such file")]
    [InlineData("no such folder/trace.jsonl", "no such file")]
    [InlineData(".", "is a directory")]
    [InlineData("", "is no file name")]
    [InlineData("zero\0byte", "cannot be read")]
    public void A_file_that_cannot_be_opened_is_named_with_the_reason(string path, string fault)
    {
        TraceException error = Assert.Throws<TraceException>(() => TraceReader.Open(path).Dispose());
        Assert.Equal(path.Length == 0 ? "''" : path, error.File);
        Assert.Equal(0, error.Line);
        Assert.Contains(fault, error.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_named_with_the_reason()
    {
        var header = new TraceHeader { Implementation = "x", Platform = new() };
        TraceException error = Assert.Throws<TraceException>(() => TraceWriter.Create("/proc/tdxverify.jsonl", header).Dispose());
        Assert.Equal("/proc/tdxverify.jsonl", error.File);
    }

    [Fact]
    public void A_full_disk_is_one_error()
    {
        var header = new TraceHeader { Implementation = new string('x', 100_000), Platform = new() };
        TraceException error = Assert.Throws<TraceException>(() => TraceWriter.Create("/dev/full", header).Dispose());
        Assert.Contains("cannot be written", error.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gzip_file_cut_off_anywhere_is_an_error()
    {
        byte[] whole = TraceReaderTests.Gzip(Encoding.UTF8.GetBytes($"{TraceText.Header}\n{TraceText.Reset}\n{Call}\n"));
        using var folder = new TemporaryFolder();
        Assert.Equal(2, TraceFile.Load(folder.Write("whole.gz", whole)).EventCount);
        for (int length = 0; length < whole.Length; length++)
        {
            string path = folder.Write("cut.gz", whole[..length]);
            Assert.Throws<TraceException>(() => TraceFile.Load(path));
        }
    }

    // Where the data end, the decompressor gives garbage that looks like the rest of a line.
    [Fact]
    public void A_recording_cut_off_anywhere_is_said_to_be_cut_off()
    {
        byte[] whole = File.ReadAllBytes(Recordings.PathOf("lifecycle"));
        using var folder = new TemporaryFolder();
        for (int length = 2; length < whole.Length; length += length < 40 ? 1 : 997)
        {
            string path = folder.Write("cut.gz", whole[..length]);
            Assert.StartsWith("the gzip data is damaged or cut off", Assert.Throws<TraceException>(() => TraceFile.Load(path)).Fault, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_gzip_file_with_any_bit_changed_behind_its_header_is_an_error()
    {
        const int GzipHeader = 10;
        byte[] whole = TraceReaderTests.Gzip(Encoding.UTF8.GetBytes($"{TraceText.Header}\n{TraceText.Reset}\n{Call}\n"));
        using var folder = new TemporaryFolder();
        for (int at = GzipHeader; at < whole.Length; at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= (byte)(1 << (at % 8));
            string path = folder.Write("damaged.gz", damaged);
            Assert.Throws<TraceException>(() => TraceFile.Load(path));
        }
    }

    [Fact]
    public void Events_before_the_damage_are_still_read()
    {
        using TraceReader reader = TraceText.Open(Encoding.UTF8.GetBytes($"{TraceText.Header}\n{TraceText.Reset}\n{Call}\n{Call[..^5]}"));
        Assert.True(reader.Read());
        Assert.True(reader.Read());
        Assert.Equal(4, Assert.Throws<TraceException>(() => reader.Read()).Line);
    }

    private static string Sequence(params string[] lines) => string.Join('\n', [TraceText.Header, TraceText.Reset, .. lines]);

    private static void AssertOneLine(TraceException error)
    {
        Assert.StartsWith($"{TraceText.File}:", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(error.Message, char.IsControl);
    }
}
