using System.Text;
using System.Text.Json;
using TdxVerify.Hardware.Trace;
using TdxVerify.Tests.Hardware;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Cli;

public sealed class TraceCommandTests : IDisposable
{
    private static readonly string s_accepted = Recordings.PathOf("pages-1g");
    private static readonly string s_overlapping = Recordings.PathOf("concurrent-mem");

    private readonly TemporaryFolder _folder = new();
    private readonly string _rejected;
    private readonly string _cut;

    public TraceCommandTests()
    {
        TraceFile trace = TraceFile.Load(s_accepted);
        TraceEvent[] events = [.. trace.Sequences[0].Events];
        int last = Array.FindLastIndex(events, e => e.Kind == TraceEventKind.Seamcall);
        events[last].Output.Rax ^= 1;
        _rejected = _folder.Write("rejected.jsonl", TraceText.Write(trace.Header, events));
        _cut = _folder.Write("cut.jsonl", Encoding.UTF8.GetBytes($"{TraceText.Header}\n{TraceText.Reset}\n{{\"e\":\"seamc"));
        RejectedLine = last + 2;
    }

    private int RejectedLine { get; }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_accepted_trace_is_one_line_with_a_tick_and_status_0()
    {
        CliRun run = CliRun.Of("trace", "check", s_accepted);

        Assert.Equal((0, ""), (run.Status, run.Error));
        Assert.Matches(@"^✓ +3 +2,046 +[\d,]+  \S+pages-1g\.jsonl\.gz$", run.Out.Split('\n')[1]);
    }

    [Fact]
    public void A_rejected_trace_is_explained_and_status_1()
    {
        CliRun run = CliRun.Of("trace", "check", _rejected);

        Assert.Equal((1, ""), (run.Status, run.Error));
        Assert.Contains($"rejected at line {RejectedLine}, sequence ", run.Out, StringComparison.Ordinal);
        foreach (string part in (string[])["recorded", "model", "decided by", "differs", "state before"])
            Assert.Contains(part, run.Out, StringComparison.Ordinal);
        Assert.All(run.Out.Split('\n').Where(line => !line.Contains(_rejected, StringComparison.Ordinal)), line => Assert.True(line.Length <= 100, line));
    }

    [Fact]
    public void A_trace_that_cannot_be_judged_is_one_line_on_stderr_and_status_2()
    {
        AssertOneLine(CliRun.Of("trace", "check", _cut), $"{_cut}:3: malformed JSON");
        AssertOneLine(CliRun.Of("trace", "check", s_overlapping, "--target", "reference"), $"{s_overlapping}:42: out of scope: calls overlap here");
        AssertOneLine(CliRun.Of("trace", "check", "no/such.jsonl"), "no/such.jsonl: no such file");
        AssertOneLine(CliRun.Of("trace", "check", _folder.Path), "is a directory, expected a trace file, such as one of ");
    }

    [Theory]
    [InlineData("trace", "no command given; the commands are: check, show")]
    [InlineData("trace check", "check needs FILE, for example: tdxverify trace check ")]
    [InlineData("trace check - -", "standard input only once")]
    [InlineData("trace check x --target modell", "--target: there is no target 'modell'")]
    [InlineData("trace check x --target native:", "native: needs the path of a shared library")]
    [InlineData("trace check x --profile 1.6", "--profile: there is no module version '1.6'; it is 1.5.01 or 1.5.05")]
    [InlineData("trace show x", "x: no such file")]
    [InlineData("trace show x --sequence one", "--sequence: 'one' is no number of a sequence")]
    public void Bad_arguments_are_one_line_and_status_2(string line, string expected) => AssertOneLine(CliRun.Of(line.Split(' ')), expected);

    [Fact]
    public void A_library_that_cannot_be_loaded_is_one_line_and_status_2() =>
        AssertOneLine(CliRun.Of("trace", "check", s_accepted, "--target", $"native:{_cut}"), _cut);

    [Fact]
    public void All_files_are_judged_and_the_worst_is_the_status()
    {
        CliRun run = CliRun.Of("trace", "check", _cut, s_accepted, _rejected, s_overlapping, "--target", "reference");

        Assert.Equal(2, run.Status);
        Assert.StartsWith($"tdxverify: 2 of 4 files could not be judged, the first is {_cut}:3: ", run.Error, StringComparison.Ordinal);
        Assert.Contains("1 accepted, 1 rejected, 1 unreadable, 1 out of scope; ", run.Out, StringComparison.Ordinal);
        Assert.Equal(1, CliRun.Of("trace", "check", s_accepted, _rejected).Status);
        Assert.Equal(0, CliRun.Of("trace", "check", s_accepted, s_accepted).Status);
    }

    [Fact]
    public void Json_is_one_document_with_a_verdict_for_each_file()
    {
        CliRun run = CliRun.Of("trace", "check", s_accepted, _rejected, _cut, s_overlapping, "--target", "reference", "--json");
        using JsonDocument document = JsonDocument.Parse(run.Out);
        JsonElement root = document.RootElement;
        JsonElement[] files = [.. root.GetProperty("files").EnumerateArray()];

        Assert.Equal(["files", "calls", "seconds", "callsPerSecond"], root.EnumerateObject().Select(property => property.Name));
        Assert.All(files, file => Assert.Equal(
            ["file", "sequences", "events", "calls", "verdict", "rejectedAt"], file.EnumerateObject().Select(property => property.Name)));
        Assert.Equal(["accepted", "rejected", "unreadable", "out-of-scope"], files.Select(file => file.GetProperty("verdict").GetString()));
        Assert.Equal(files.Sum(file => file.GetProperty("calls").GetInt64()), root.GetProperty("calls").GetInt64());
        Assert.True(root.GetProperty("seconds").GetDouble() > 0 && root.GetProperty("callsPerSecond").GetDouble() > 0);
        Assert.Equal(JsonValueKind.Null, files[0].GetProperty("rejectedAt").ValueKind);
        JsonElement at = files[1].GetProperty("rejectedAt");
        Assert.Equal(["line", "sequence", "reason"], at.EnumerateObject().Select(property => property.Name));
        Assert.Equal(RejectedLine, at.GetProperty("line").GetInt32());
        Assert.Equal(0, at.GetProperty("sequence").GetInt32());
        Assert.Contains(": rax is ", at.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_can_come_from_standard_input()
    {
        CliRun run = CliRun.WithInput(File.ReadAllText(_rejected), "trace", "check", "-", "--json");
        using JsonDocument document = JsonDocument.Parse(run.Out);

        Assert.Equal("rejected", document.RootElement.GetProperty("files")[0].GetProperty("verdict").GetString());
    }

    [Fact]
    public void The_reference_can_be_the_target()
    {
        Assert.Equal(0, CliRun.Of("trace", "check", s_accepted, "--target", "reference").Status);
        CliRun run = CliRun.Of("trace", "check", _rejected, "--target", "reference");
        Assert.Equal(1, run.Status);
        Assert.Contains("the model answers as the target does", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_is_judged_by_another_module_version_on_demand()
    {
        string trace = Recordings.PathOf("m1505-lifecycle");
        CliRun other = CliRun.Of("trace", "check", trace, "--profile", "1.5.01");

        Assert.Equal((0, 1), (CliRun.Of("trace", "check", trace).Status, other.Status));
        Assert.Contains("platform    module 1.5.01, recorded 1.5.05", other.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Show_lists_the_sequences_of_a_trace_that_has_several()
    {
        string[] lines = CliRun.Of("trace", "show", s_accepted).Out.Split('\n');

        Assert.Equal(3, lines.Count(line => line.Contains("TDX_SUCCESS ", StringComparison.Ordinal)));
        Assert.Contains("3 sequences; --sequence N shows one of them", lines);
    }

    [Fact]
    public void Show_tells_a_sequence_with_its_changes_and_where_the_model_disagrees()
    {
        CliRun run = CliRun.Of("trace", "show", _rejected);

        Assert.Equal((0, ""), (run.Status, run.Error));
        Assert.StartsWith("sequence 0, line 2: ", run.Out, StringComparison.Ordinal);
        Assert.Contains("         = TDX_SUCCESS\n           PAMT 0x", run.Out, StringComparison.Ordinal);
        Assert.Contains("! the model disagrees: rax is TDX_", run.Out, StringComparison.Ordinal);
        Assert.Equal(1, run.Out.Split("the model disagrees").Length - 1);
    }

    [Fact]
    public void Show_of_overlapping_calls_says_where_the_state_ends()
    {
        CliRun list = CliRun.Of("trace", "show", s_overlapping);
        CliRun run = CliRun.Of("trace", "show", s_overlapping, "--sequence", "1");

        Assert.Equal((0, 0), (list.Status, run.Status));
        Assert.Contains("from here on no", run.Out, StringComparison.Ordinal);
        Assert.Contains("begins: LP ", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Show_of_a_sequence_that_is_not_there_says_which_are() =>
        AssertOneLine(CliRun.Of("trace", "show", s_accepted, "--sequence", "99"), "has no sequence 99; it has 3, numbered from ");

    private static void AssertOneLine(CliRun run, string expected)
    {
        Assert.Equal((2, ""), (run.Status, run.Out));
        Assert.StartsWith("tdxverify: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Equal(run.Error.Length - 1, run.Error.IndexOf('\n', StringComparison.Ordinal));
    }
}
