using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using Xunit;

namespace TdxVerify.Tests.Hardware;

/// <summary>What the lines of a trace mean (Hardware/README.md, "The trace format").</summary>
public class TraceReaderTests
{
    [Fact]
    public void Absent_platform_keys_have_their_defaults()
    {
        using TraceReader reader = TraceText.Open(
            """{"format":"tdxverify-trace","version":1,"implementation":"x","info":{}}"""u8.ToArray());
        Assert.Equal(new PlatformInfo(), reader.Header.Platform);
        Assert.Equal("x", reader.Header.Implementation);
        Assert.Null(reader.Header.Scenario);
    }

    [Fact]
    public void The_header_gives_the_whole_platform()
    {
        using TraceReader reader = TraceText.Open(
            """{"format":"tdxverify-trace","version":1,"implementation":"x","info":{"lps":2,"pageBase":"0x200000","pageCount":512,"hkidFirst":9,"hkidCount":4,"tdcsPages":3,"tdvpxPages":0,"privateHkidFirst":8,"maxPa":46,"hkidStartBit":40,"packages":2,"cacheSubBlocks":16,"module":"1.5.05","scenario":"two TDs"}}"""u8.ToArray());
        var expected = new PlatformInfo
        {
            LpCount = 2,
            PageBase = 0x200000,
            PageCount = 512,
            HkidFirst = 9,
            HkidCount = 4,
            TdcsPages = 3,
            TdvpxPages = 0,
            PrivateHkidFirst = 8,
            MaxPa = 46,
            HkidStartBit = 40,
            Packages = 2,
            CacheSubBlocks = 16,
            Profile = ModuleProfile.V1_5_05,
        };
        Assert.Equal(expected, reader.Header.Platform);
        Assert.Equal("two TDs", reader.Header.Scenario);
    }

    [Fact]
    public void Registers_that_out_does_not_list_equal_the_input()
    {
        TraceEvent call = TraceText.ReadSequence(
            """{"e":"seamcall","lp":3,"in":{"rax":"0x1d","rcx":"0x7000","r15":"0xFFFFFFFFFFFFFFFF"},"out":{"rax":"0x0","rcx":"0x0"}}""")[1];
        Assert.Equal(TraceEventKind.Seamcall, call.Kind);
        Assert.Equal((3, 3, 7), (call.Line, call.Lp, call.Sequence));
        Assert.Equal(new RegisterFile { Rax = 0x1d, Rcx = 0x7000, R15 = ulong.MaxValue }, call.Input);
        Assert.Equal(new RegisterFile { R15 = ulong.MaxValue }, call.Output);
        Assert.Equal(new RegisterSet().With(Register.Rax).With(Register.Rcx), call.Listed);
    }

    [Fact]
    public void Each_register_name_means_that_register()
    {
        foreach (Register register in RegisterFile.All)
        {
            string name = register.ToString().ToLowerInvariant();
            string line = $$$"""{"e":"seamcall","lp":0,"in":{"{{{name}}}":"0x5"},"out":{"rax":"0x1"}}""";
            TraceEvent call = TraceText.ReadSequence(line)[1];
            Assert.Equal(5ul, call.Input[register]);
            Assert.Equal(1, RegisterSet.Differing(call.Input, default).Count);
        }
    }

    [Fact]
    public void An_exit_has_the_input_of_the_enter_on_its_LP()
    {
        List<TraceEvent> events = TraceText.ReadSequence(
            """{"e":"enter","lp":1,"in":{"rax":"0x0","rcx":"0x9000","r13":"0x1"},"running":true}""",
            """{"e":"enter","lp":2,"in":{"rax":"0x0","rcx":"0xa000"},"running":true}""",
            """{"e":"exit","lp":1,"out":{"rax":"0x4d","rcx":"0xfc00"}}""",
            """{"e":"enter","lp":1,"in":{"rax":"0x0","rcx":"0xb000"},"running":false,"out":{"rax":"0xc000010000000001"}}""");
        Assert.True(events[1].Running);
        Assert.False(events[1].HasOutput);
        Assert.Equal(events[1].Input, events[3].Input);
        Assert.Equal(new RegisterFile { Rax = 0x4d, Rcx = 0xfc00, R13 = 1 }, events[3].Output);
        Assert.False(events[4].Running);
        Assert.Equal(0xb000ul, events[4].Output.Rcx);
    }

    [Fact]
    public void A_guest_result_has_the_input_of_the_latest_TDCALL_of_its_vCPU()
    {
        List<TraceEvent> events = TraceText.ReadSequence(
            """{"e":"guest","vp":"0x9000","op":{"kind":"tdcall","rip":"0x400000","in":{"rax":"0x6","rcx":"0x1000","r8":"0x5"}}}""",
            """{"e":"guest","vp":"0xa000","op":{"kind":"idle"}}""",
            """{"e":"guest-result","vp":"0x9000","completed":true,"ve":false,"out":{"rax":"0x0"}}""",
            """{"e":"guest-result","vp":"0xa000","completed":true,"ve":false}""");
        Assert.Equal(new RegisterFile { Rcx = 0x1000, R8 = 5 }, events[3].Output);
        Assert.True(events[3].Completed);
        Assert.False(events[4].HasOutput);
    }

    [Theory]
    [InlineData("""{"kind":"idle"}""", GuestOperationKind.Idle, GuestAccess.None, 0, 0, 0)]
    [InlineData("""{"kind":"access","access":"r","rip":"0x40","gpa":"0x1000"}""", GuestOperationKind.Access, GuestAccess.Read, 0x40, 0x1000, 0)]
    [InlineData("""{"kind":"access","access":"w","rip":"0x40","gpa":"0x1000"}""", GuestOperationKind.Access, GuestAccess.Write, 0x40, 0x1000, 0)]
    [InlineData("""{"gpa":"0x1000","rip":"0x40","access":"x","kind":"access"}""", GuestOperationKind.Access, GuestAccess.Execute, 0x40, 0x1000, 0)]
    [InlineData("""{"kind":"tdcall","rip":"0x40","in":{"rax":"0x3"}}""", GuestOperationKind.Tdcall, GuestAccess.None, 0x40, 0, 3)]
    public void A_guest_operation_is_what_a_port_takes(
        string op, GuestOperationKind kind, GuestAccess access, ulong rip, ulong gpa, ulong rax)
    {
        TraceEvent guest = TraceText.ReadSequence($$"""{"e":"guest","vp":"0x9000","op":{{op}} }""")[1];
        GuestOperation operation = guest.GuestOperation;
        Assert.Equal(0x9000ul, guest.Hpa);
        Assert.Equal((kind, access, rip, gpa, rax), (operation.Kind, operation.Access, operation.Rip, operation.Gpa, operation.Registers.Rax));
    }

    [Theory]
    [InlineData("tdr", PortLock.Tdr)]
    [InlineData("op-state", PortLock.OpState)]
    [InlineData("sept-tree", PortLock.SeptTree)]
    [InlineData("epoch", PortLock.Epoch)]
    [InlineData("sept-entry", PortLock.SeptEntry)]
    [InlineData("pamt", PortLock.Pamt)]
    [InlineData("tdvps", PortLock.Tdvps)]
    public void A_lock_event_names_lock_mode_agent_and_outcome(string which, PortLock expected)
    {
        List<TraceEvent> events = TraceText.ReadSequence(
            $$"""{"e":"lock","which":"{{which}}","mode":"exclusive","by":"guest","arg":"0x1000","arg2":"0x2001","ok":false}""",
            $$"""{"e":"unlock","which":"{{which}}","mode":"shared","by":"host","arg":"0x1000","arg2":"0x2001","ok":true}""");
        Assert.Equal(new LockOperation(expected, true, true, 0x1000, 0x2001), events[1].Lock);
        Assert.False(events[1].Ok);
        Assert.Equal(TraceEventKind.Unlock, events[2].Kind);
        Assert.Equal(new LockOperation(expected, false, false, 0x1000, 0x2001), events[2].Lock);
        Assert.True(events[2].Ok);
    }

    [Fact]
    public void A_write_has_data_or_a_fill_byte_up_to_the_end_of_its_page()
    {
        List<TraceEvent> events = TraceText.ReadSequence(
            """{"e":"write","hpa":"0x1ffe","data":"Ab09"}""",
            """{"e":"write","hpa":"0x2000","fill":255,"length":4096}""");
        Assert.Equal([0xAB, 0x09], events[1].Data!);
        Assert.Equal(2, events[1].Length);
        Assert.Null(events[2].Data);
        Assert.Equal((0x2000ul, (byte)255, 4096), (events[2].Hpa, events[2].Fill, events[2].Length));
    }

    [Fact]
    public void An_end_has_the_input_of_its_begin()
    {
        List<TraceEvent> events = TraceText.ReadSequence(
            """{"e":"begin","id":1,"lp":0,"t":10,"in":{"rax":"0x26","rcx":"0x1000"}}""",
            """{"e":"begin","id":2,"lp":1,"t":11,"in":{"rax":"0x26","rcx":"0x2000"}}""",
            """{"e":"end","id":1,"lp":0,"t":12,"out":{"rax":"0x0"}}""");
        Assert.Equal(events[1].Input, events[3].Input);
        Assert.Equal(0x1000ul, events[3].Output.Rcx);
        Assert.Equal((1L, 12L), (events[3].Id, events[3].Time));
    }

    [Fact]
    public void Sequences_have_the_number_of_their_reset_or_the_next()
    {
        List<TraceEvent> events = TraceText.Read(
            TraceText.Header, """{"e":"reset"}""", """{"e":"reset"}""", """{"e":"reset","seq":40}""", """{"e":"reset"}""");
        Assert.Equal([0, 1, 40, 41], events.Select(e => e.Sequence));
    }

    [Theory]
    [InlineData("""{"lp":0,"out":{"rax":"0x5","rcx":"0x1"},"in":{"rcx":"0x1000"},"e":"seamcall"}""")] // any order
    [InlineData("""{"e":"seamcall","lp":0,"in":{"rcx":"0x1000"},"out":{"rcx":"0x1","rax":"0x5"},"id":{"a":[1,{}]},"note":null}""")] // keys of no meaning here
    [InlineData(""" { "e" : "seamcall" ,	"lp":0, "in":{"rcx":"0x0000000000001000"}, "out":{"rax":"0X5","rcx":"0x1"} } """ + "\r")] // white space
    [InlineData("""{"\u0065":"seamc\u0061ll","lp":0,"in":{"r\u0063x":"\u0030x1000"},"out":{"rax":"0x5","rcx":"0x1"}}""")] // escapes
    public void Lines_that_are_the_same_JSON_mean_the_same(string line)
    {
        TraceEvent call = TraceText.ReadSequence(line)[1];
        Assert.Equal(new RegisterFile { Rcx = 0x1000 }, call.Input);
        Assert.Equal(new RegisterFile { Rax = 5, Rcx = 1 }, call.Output);
    }

    [Fact]
    public void Blank_lines_a_byte_order_mark_and_a_missing_last_line_end_are_no_fault()
    {
        byte[] bytes = [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes($"{TraceText.Header}\r\n\n  \n{TraceText.Reset}")];
        TraceEvent reset = Assert.Single(TraceText.Read(bytes));
        Assert.Equal(4, reset.Line);
    }

    [Fact]
    public void Compression_is_told_from_the_content_and_not_from_the_name()
    {
        byte[] plain = Encoding.UTF8.GetBytes($"{TraceText.Header}\n{TraceText.Reset}\n");
        using var folder = new TemporaryFolder();
        string plainNamedGz = folder.Write("plain.jsonl.gz", plain);
        string gzNamedPlain = folder.Write("compressed.jsonl", Gzip(plain));
        Assert.Equal(1, TraceFile.Load(plainNamedGz).EventCount);
        Assert.Equal(1, TraceFile.Load(gzNamedPlain).EventCount);
    }

    [Fact]
    public void A_stream_may_be_gzip_too()
    {
        byte[] plain = Encoding.UTF8.GetBytes($"{TraceText.Header}\n{TraceText.Reset}\n");
        Assert.Equal(TraceText.Read(plain).Single().Sequence, TraceText.Read(Gzip(plain)).Single().Sequence);
    }

    [Fact]
    public void Gzip_data_may_have_several_members()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("two.gz",
        [
            .. Gzip(Encoding.UTF8.GetBytes($"{TraceText.Header}\n{TraceText.Reset[..5]}")),
            .. Gzip(Encoding.UTF8.GetBytes($"{TraceText.Reset[5..]}\n")),
        ]);
        Assert.Equal(1, TraceFile.Load(path).EventCount);
    }

    [Fact]
    public void A_trace_can_come_through_a_pipe()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("trace.gz", Gzip(Encoding.UTF8.GetBytes($"{TraceText.Header}\n{TraceText.Reset}\n")));
        string pipe = Path.Combine(folder.Path, "pipe");
        using (Process mkfifo = Process.Start("mkfifo", pipe))
            mkfifo.WaitForExit();
        using Process cat = Process.Start("/bin/sh", ["-c", $"cat '{file}' > '{pipe}'"]);
        Assert.Equal(1, TraceFile.Load(pipe).EventCount);
        cat.WaitForExit();
    }

    [Fact]
    public void Every_recording_of_the_repository_can_be_read_and_together_they_have_every_kind_of_event()
    {
        var kinds = new HashSet<TraceEventKind>();
        var profiles = new HashSet<ModuleProfile>();
        foreach (string recording in RepositoryFiles.Recordings)
        {
            TraceFile trace = TraceFile.Load(recording);
            Assert.NotEmpty(trace.Sequences);
            Assert.All(trace.Sequences, sequence => Assert.Equal(TraceEventKind.Reset, sequence.Events[0].Kind));
            kinds.UnionWith(trace.Sequences.SelectMany(sequence => sequence.Events).Select(e => e.Kind));
            profiles.Add(trace.Header.Platform.Profile);
        }

        Assert.Equal(Enum.GetValues<TraceEventKind>().Where(kind => kind != TraceEventKind.None), kinds.Order());
        Assert.Equal(ModuleProfiles.All.Select(each => each.Profile), profiles.Order());
    }

    internal static byte[] Gzip(byte[] bytes)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
            gzip.Write(bytes);
        return compressed.ToArray();
    }
}
