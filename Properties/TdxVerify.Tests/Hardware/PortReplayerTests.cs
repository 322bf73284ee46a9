using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using Xunit;

namespace TdxVerify.Tests.Hardware;

/// <summary>
/// A replay accepts exactly the recorded answers. The port under test answers from the unaltered recording, so that
/// each altered line must be the line that is rejected.
/// </summary>
public class PortReplayerTests
{
    private static readonly TraceFile s_locks = Load("held-locks");
    private static readonly TraceFile s_epochs = FirstSequences("epoch-tracking", 6);
    private static readonly TraceFile s_guests = Load("pending-accept-ve");
    private static readonly TraceFile s_interrupts = Load("interrupted-accept");

    public static TheoryData<string> SequentialRecordings =>
    [
        .. RepositoryFiles.Recordings.Select(path => Path.GetFileName(path)[..^".jsonl.gz".Length])
            .Where(name => !name.StartsWith("concurrent-", StringComparison.Ordinal)),
    ];

    public static TheoryData<Register> Registers => [.. RegisterFile.All];

    // Which file has the event, which event, how its record is altered, and what the rejection says.
    public static TheoryData<Alteration> Alterations =>
    [
        new("a lock that was granted", s_locks, e => e is { Kind: TraceEventKind.Lock, Ok: true },
            (ref TraceEvent e) => e.Ok = false, "the lock was granted, recorded that it was refused"),
        new("a lock that was refused", s_locks, e => e is { Kind: TraceEventKind.Lock, Ok: false },
            (ref TraceEvent e) => e.Ok = true, "the lock was refused, recorded that it was granted"),
        new("an enter that ran", s_epochs, e => e is { Kind: TraceEventKind.Enter, Running: true },
            (ref TraceEvent e) => e = TraceEvent.OfEnter(e.Lp, e.Input, e.Input) with { Line = e.Line, Sequence = e.Sequence },
            "the vCPU entered the guest, recorded that the call ended before"),
        new("an enter that did not run", s_epochs, e => e is { Kind: TraceEventKind.Enter, Running: false },
            (ref TraceEvent e) => e = TraceEvent.OfEnter(e.Lp, e.Input) with { Line = e.Line, Sequence = e.Sequence },
            "the call ended before the entry with TDX_"),
        new("an operation that completed", s_guests, e => e is { Kind: TraceEventKind.GuestResult, Completed: true },
            (ref TraceEvent e) => e.Completed = false, "the operation completed, recorded that it did not"),
        new("an operation that did not complete", s_guests, e => e is { Kind: TraceEventKind.GuestResult, Completed: false },
            (ref TraceEvent e) => e.Completed = true, "the operation did not complete, recorded that it did"),
        new("a #VE", s_guests, e => e is { Kind: TraceEventKind.GuestResult, VirtualizationException: true },
            (ref TraceEvent e) => e.VirtualizationException = false, "a #VE was injected, recorded that none was"),
        new("no #VE", s_guests, e => e is { Kind: TraceEventKind.GuestResult, VirtualizationException: false },
            (ref TraceEvent e) => e.VirtualizationException = true, "no #VE was injected, recorded that one was"),
    ];

    public static TheoryData<PortResult, TraceEventKind, ReplayVerdict, string> PortResults => new()
    {
        { PortResult.NotSupported, TraceEventKind.Seamcall, ReplayVerdict.OutOfScope, "the port cannot do this" },
        { PortResult.NotSupported, TraceEventKind.Lock, ReplayVerdict.OutOfScope, "the port cannot do this" },
        { PortResult.Died, TraceEventKind.Seamcall, ReplayVerdict.PortDied, "died" },
        { PortResult.Died, TraceEventKind.Reset, ReplayVerdict.PortDied, "died" },
        { PortResult.Died, TraceEventKind.GuestResult, ReplayVerdict.PortDied, "died" },
        { PortResult.Invalid, TraceEventKind.Seamcall, ReplayVerdict.Rejected, "no such logical processor, page or object" },
        { PortResult.Invalid, TraceEventKind.Write, ReplayVerdict.Rejected, "no such logical processor, page or object" },
        { PortResult.Invalid, TraceEventKind.Lock, ReplayVerdict.Rejected, "there is no such object to lock" },
        { (PortResult)(-12), TraceEventKind.Seamcall, ReplayVerdict.Rejected, "the port failed with -12: Cannot allocate memory" },
    };

    public delegate void Alter(ref TraceEvent e);

    [Theory]
    [MemberData(nameof(SequentialRecordings))]
    public void A_port_that_answers_as_recorded_is_accepted(string name)
    {
        TraceFile trace = Load(name);
        ReplayResult result = new PortReplayer(new RecordedPort(trace)).Replay(trace);
        Assert.Null(result.Stop);
        Assert.Equal(ReplayVerdict.Accepted, result.Verdict);
        Assert.Equal(trace.Sequences.Count, result.Sequences);
        Assert.Equal(trace.EventCount, result.Events);
        Assert.Equal(Events(trace).Count(e => e.Kind is TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit), result.Calls);
    }

    [Theory]
    [MemberData(nameof(Registers))]
    public void One_altered_register_is_rejected_at_its_line(Register register)
    {
        foreach (TraceEventKind kind in new[] { TraceEventKind.Seamcall, TraceEventKind.Exit, TraceEventKind.GuestResult })
        {
            int line = LastOf(s_epochs, e => e.Kind == kind && e.HasOutput);
            TraceFile altered = Altered(s_epochs, line, (ref TraceEvent e) =>
            {
                e.Output[register] ^= 1;
                e.Listed = e.Listed.With(register);
            });

            ReplayStop stop = Rejection(altered, new RecordedPort(s_epochs));
            Assert.Equal(line, stop.Line);
            RegisterDifference difference = Assert.Single(stop.Registers);
            Assert.Equal(register, difference.Register);
            Assert.Equal(difference.Expected ^ 1, difference.Actual);
            Assert.Contains(TraceEventText.Name(register) + " is ", stop.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_register_that_out_lists_without_need_is_compared_and_one_that_it_leaves_out_too()
    {
        int line = LastOf(s_locks, e => e.Kind == TraceEventKind.Seamcall && e.Listed.Contains(Register.Rcx) && e.Output.Rcx != e.Input.Rcx);
        TraceFile withoutRcx = Altered(s_locks, line, (ref TraceEvent e) => e.Listed = new RegisterSet().With(Register.Rax));
        ReplayStop stop = Rejection(withoutRcx, new RecordedPort(s_locks));
        Assert.Equal(line, stop.Line);
        Assert.Contains(stop.Registers, difference => difference.Register == Register.Rcx);

        TraceFile withR12 = Altered(s_locks, line, (ref TraceEvent e) => e.Listed = e.Listed.With(Register.R12));
        Assert.Null(new PortReplayer(new RecordedPort(s_locks)).Replay(withR12).Stop);
    }

    [Theory]
    [MemberData(nameof(Alterations))]
    public void Any_other_altered_answer_is_rejected_at_its_line(Alteration alteration)
    {
        int line = LastOf(alteration.Trace, alteration.Select);
        ReplayStop stop = Rejection(Altered(alteration), new RecordedPort(alteration.Trace));
        Assert.Equal(line, stop.Line);
        Assert.Contains(alteration.Reason, stop.Reason, StringComparison.Ordinal);
        Assert.Empty(stop.Registers);
    }

    [Theory]
    [MemberData(nameof(PortResults))]
    public void A_result_of_the_port_itself_ends_the_replay(PortResult result, TraceEventKind kind, ReplayVerdict verdict, string reason)
    {
        int line = LastOf(s_locks, e => e.Kind == kind);
        var port = new RecordedPort(s_locks) { ResultLine = line, Result = result };
        ReplayResult replay = new PortReplayer(port).Replay(s_locks);
        Assert.Equal(verdict, replay.Verdict);
        Assert.Equal(line, replay.Stop!.Line);
        Assert.Contains(reason, replay.Stop.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Overlapping_calls_are_out_of_scope()
    {
        TraceFile trace = Load("concurrent-mem");
        int firstBegin = Events(trace).First(e => e.Kind == TraceEventKind.Begin).Line;
        ReplayResult result = new PortReplayer(new RecordedPort(trace)).Replay(trace);
        Assert.Equal(ReplayVerdict.OutOfScope, result.Verdict);
        Assert.Equal(firstBegin, result.Stop!.Line);
    }

    [Fact]
    public void A_judging_port_is_told_the_recorded_status_before_each_call()
    {
        var port = new RecordedPort(s_epochs);
        new PortReplayer(port).Replay(s_epochs);
        IEnumerable<ulong> expected = Events(s_epochs)
            .Where(e => e.Kind is TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit)
            .Select(e => e.HasOutput ? e.Output.Rax : Status.TDX_SUCCESS);
        Assert.Equal(expected, port.Observed);
    }

    [Fact]
    public void A_rejection_says_that_the_platforms_differ()
    {
        int line = LastOf(s_locks, e => e.Kind == TraceEventKind.Seamcall);
        var port = new RecordedPort(s_locks) { ResultLine = line, Result = PortResult.Invalid };
        port.Platform = port.Platform with { PageCount = 16, LpCount = 8, Profile = ModuleProfile.V1_5_05 };
        string reason = new PortReplayer(port).Replay(s_locks).Stop!.Reason;
        Assert.Contains("pageCount 16, recorded 524288; module 1.5.05, recorded 1.5.01", reason, StringComparison.Ordinal);
        Assert.DoesNotContain("lps", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_replay_from_a_file_and_one_from_memory_give_the_same()
    {
        int line = LastOf(s_interrupts, e => e.Kind == TraceEventKind.Interrupt);
        var port = new RecordedPort(s_interrupts) { ResultLine = line, Result = PortResult.Invalid };
        ReplayResult fromMemory = new PortReplayer(port).Replay(s_interrupts);
        port.Restart();
        using TraceReader reader = TraceReader.Open(s_interrupts.Path);
        ReplayResult fromFile = new PortReplayer(port).Replay(reader);
        Assert.Equal(fromMemory with { Stop = null }, fromFile with { Stop = null });
        Assert.Equal((fromMemory.Stop!.Line, fromMemory.Stop.Reason), (fromFile.Stop!.Line, fromFile.Stop.Reason));
    }

    [Fact]
    public void A_replay_allocates_nothing_per_event()
    {
        const int Little = 4096;
        var port = new RecordedPort(s_guests);
        port.Restart();
        var replayer = new PortReplayer(port);
        replayer.Replay(s_guests);
        port.Restart();
        long before = GC.GetAllocatedBytesForCurrentThread();
        replayer.Replay(s_guests);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Little);
    }

    private static TraceFile Load(string name) => TraceFile.Load(RepositoryFiles.Recording(name));

    private static TraceFile FirstSequences(string name, int count)
    {
        TraceFile trace = Load(name);
        return trace with { Sequences = [.. trace.Sequences.Take(count)] };
    }

    private static IEnumerable<TraceEvent> Events(TraceFile trace) => trace.Sequences.SelectMany(sequence => sequence.Events);

    // The last one: everything before it has to be accepted.
    private static int LastOf(TraceFile trace, Predicate<TraceEvent> select) => Events(trace).Last(e => select(e)).Line;

    private static TraceFile Altered(Alteration alteration) =>
        Altered(alteration.Trace, LastOf(alteration.Trace, alteration.Select), alteration.Apply);

    // Up to the altered line, written and read again: what is judged is what a file says.
    private static TraceFile Altered(TraceFile trace, int line, Alter alter)
    {
        var events = new List<TraceEvent>();
        foreach (TraceEvent e in Events(trace).Where(e => e.Line <= line))
        {
            TraceEvent copy = e;
            if (e.Line == line)
                alter(ref copy);
            events.Add(copy);
        }

        using TraceReader reader = TraceText.Open(TraceText.Write(trace.Header, events));
        return TraceFile.Load(reader);
    }

    private static ReplayStop Rejection(TraceFile trace, IPort port)
    {
        ReplayResult result = new PortReplayer(port).Replay(trace);
        Assert.Equal(ReplayVerdict.Rejected, result.Verdict);
        return result.Stop!;
    }

    /// <summary>A change of what a recording says.</summary>
    public sealed record Alteration(string Name, TraceFile Trace, Predicate<TraceEvent> Select, Alter Apply, string Reason)
    {
        public override string ToString() => Name;
    }
}
