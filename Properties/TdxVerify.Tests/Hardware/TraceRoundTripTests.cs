using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using Xunit;

namespace TdxVerify.Tests.Hardware;

/// <summary>What is written is read back as the same events.</summary>
public class TraceRoundTripTests
{
    // Comparing every field of every event is slow; the first sequences of 30 files have all kinds of events.
    private const int SequencesCompared = 5;

    public static TheoryData<string> Recordings => [.. RepositoryFiles.Recordings.Select(path => Path.GetFileName(path))];

    [Theory]
    [MemberData(nameof(Recordings))]
    public void A_recording_written_and_read_again_has_the_same_events(string name)
    {
        TraceFile trace = TraceFile.Load(Path.Combine(RepositoryFiles.Root, "Properties", "Recordings", name));
        TraceEvent[] events = [.. trace.Sequences.Take(SequencesCompared).SelectMany(sequence => sequence.Events)];
        byte[] written = TraceText.Write(trace.Header, events);
        using TraceReader reader = TraceText.Open(written);
        Assert.Equal(trace.Header, reader.Header);
        foreach (TraceEvent expected in events)
        {
            Assert.True(reader.Read());
            AssertSame(expected, reader.Current);
        }

        Assert.False(reader.Read());
    }

    [Fact]
    public void A_name_that_ends_in_gz_is_compressed()
    {
        using var folder = new TemporaryFolder();
        var header = new TraceHeader
        {
            Implementation = "quotes \" and \\ and ä",
            Platform = new PlatformInfo { Profile = ModuleProfile.V1_5_05 },
            Scenario = "one TD",
        };
        foreach ((string name, bool compressed) in new[] { ("a.jsonl", false), ("b.jsonl.gz", true) })
        {
            string path = Path.Combine(folder.Path, name);
            using (TraceWriter writer = TraceWriter.Create(path, header))
                writer.Write(TraceEvent.OfReset(5));
            Assert.Equal(compressed, File.ReadAllBytes(path)[0] == 0x1F);
            TraceFile trace = TraceFile.Load(path);
            Assert.Equal(header, trace.Header);
            Assert.Equal(5, Assert.Single(trace.Sequences).Number);
        }
    }

    [Fact]
    public void Events_made_from_a_ports_answers_are_read_back_as_made()
    {
        var input = new RegisterFile { Rax = 0, Rcx = 0x9000, R15 = 1 };
        var output = new RegisterFile { Rax = 0x4d, Rcx = 0xfc00, R15 = 1 };
        var tdcall = new GuestOperation { Kind = GuestOperationKind.Tdcall, Rip = 0x40, Registers = input };
        TraceEvent[] events =
        [
            TraceEvent.OfReset(3),
            TraceEvent.OfSeamcall(1, input, output),
            TraceEvent.OfGuest(0x9000, tdcall),
            TraceEvent.OfGuest(0xa000, new GuestOperation { Kind = GuestOperationKind.Access, Access = GuestAccess.Read | GuestAccess.Write, Rip = 1, Gpa = 2 }),
            TraceEvent.OfEnter(2, input),
            TraceEvent.OfEnter(0, input, output),
            TraceEvent.OfExit(2, input, output),
            TraceEvent.OfGuestResult(0x9000, input, new GuestResult { Completed = true, Registers = output }),
            TraceEvent.OfGuestResult(0xa000, completed: false, virtualizationException: true),
            TraceEvent.OfWrite(0x1000, [1, 2, 3]),
            TraceEvent.OfFill(0x2000, 0xcc, 4096),
            TraceEvent.OfInterrupt(true),
            TraceEvent.OfLock(new LockOperation(PortLock.SeptEntry, true, false, 0x1000, 0x2001), ok: false),
            TraceEvent.OfUnlock(new LockOperation(PortLock.Pamt, false, true, 0x1000), ok: true),
        ];
        var header = new TraceHeader { Implementation = "x", Platform = new PlatformInfo() };
        List<TraceEvent> read = TraceText.Read(TraceText.Write(header, events));
        Assert.Equal(events.Length, read.Count);
        foreach ((TraceEvent expected, TraceEvent actual) in events.Zip(read))
            AssertSame(expected with { Sequence = 3, Line = actual.Line }, actual);
    }

    private static void AssertSame(in TraceEvent expected, in TraceEvent actual)
    {
        if (expected.Data is null)
            Assert.Null(actual.Data);
        else
            Assert.Equal(expected.Data, actual.Data!);
        // Everything else is a value.
        Assert.Equal(expected with { Data = null }, actual with { Data = null });
    }
}
