using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Targets;
using TdxVerify.Properties.Traces;
using Xunit;

namespace TdxVerify.Tests.Traces;

/// <summary>A recording in which one answer was altered is rejected at exactly that line, and says what is wrong.</summary>
public sealed class AlteredRecordingTests(Judging judging) : IClassFixture<Judging>
{
    private const int AlterationsPerRecording = 30;

    public static TheoryData<string> Names =>
    [
        "epoch-tracking", "garbage", "guest-tdcalls", "held-locks", "host-priority", "interrupted-accept", "m1505-guest",
        "m1505-lifecycle", "pages-2m-promote-demote", "pending-accept-ve", "teardown", "zero-step",
    ];

    // A recording with such an event, which event, how its answer is altered.
    public static TheoryData<Alteration> Alterations =>
    [
        new("a lock that was granted", "held-locks", e => e is { Kind: TraceEventKind.Lock, Ok: true }, (ref TraceEvent e) => e.Ok = false),
        new("a lock that was refused", "held-locks", e => e is { Kind: TraceEventKind.Lock, Ok: false }, (ref TraceEvent e) => e.Ok = true),
        new("a lock that was dropped", "held-locks", e => e is { Kind: TraceEventKind.Unlock }, (ref TraceEvent e) => e.Ok = false),
        new("a vCPU that entered", "epoch-tracking", e => e is { Kind: TraceEventKind.Enter, Running: true },
            (ref TraceEvent e) => e = TraceEvent.OfEnter(e.Lp, e.Input, e.Input) with { Line = e.Line }),
        new("a vCPU that did not enter", "epoch-tracking", e => e is { Kind: TraceEventKind.Enter, Running: false },
            (ref TraceEvent e) => e = TraceEvent.OfEnter(e.Lp, e.Input) with { Line = e.Line }),
        new("an operation that completed", "pending-accept-ve", e => e is { Kind: TraceEventKind.GuestResult, Completed: true },
            (ref TraceEvent e) => e.Completed = false),
        new("an operation that did not complete", "pending-accept-ve", e => e is { Kind: TraceEventKind.GuestResult, Completed: false },
            (ref TraceEvent e) => e.Completed = true),
        new("a #VE", "pending-accept-ve", e => e is { Kind: TraceEventKind.GuestResult, VirtualizationException: true },
            (ref TraceEvent e) => e.VirtualizationException = false),
        new("no #VE", "pending-accept-ve", e => e is { Kind: TraceEventKind.GuestResult, VirtualizationException: false },
            (ref TraceEvent e) => e.VirtualizationException = true),
        new("a TDCALL's answer", "guest-tdcalls", e => e is { Kind: TraceEventKind.GuestResult, HasOutput: true },
            (ref TraceEvent e) => Flip(ref e, Register.Rax, 0)),
        new("a TD exit", "epoch-tracking", e => e is { Kind: TraceEventKind.Exit }, (ref TraceEvent e) => Flip(ref e, Register.R8, 12)),
        new("a register that a call leaves alone", "sept-basic", e => e is { Kind: TraceEventKind.Seamcall }, (ref TraceEvent e) => Flip(ref e, Register.R15, 63)),
    ];

    public delegate void Alter(ref TraceEvent e);

    [Theory]
    [MemberData(nameof(Names))]
    public void Any_flipped_bit_of_any_output_register_is_rejected_at_its_line(string name)
    {
        TraceFile trace = Recordings.Load(name);
        var random = new Random(Seed(name));
        TraceEvent[] candidates = [.. trace.Sequences.SelectMany(sequence => sequence.Events).Where(e => e.HasOutput)];
        for (int i = 0; i < AlterationsPerRecording; i++)
        {
            TraceEvent chosen = candidates[random.Next(candidates.Length)];
            Register register = RegisterFile.All[random.Next(RegisterFile.All.Length)];
            int bit = random.Next(64);
            (TraceVerdict verdict, int line) = JudgeAltered(trace, chosen.Line, (ref TraceEvent e) => Flip(ref e, register, bit));

            Assert.Equal((TraceOutcome.Rejected, line), (verdict.Outcome, verdict.Finding!.Line));
            ComparedRegister differing = Assert.Single(verdict.Finding.Rejection!.Registers, row => row.Differs);
            Assert.Equal((register, chosen.Output[register] ^ (1UL << bit), chosen.Output[register]), (differing.Register, differing.Recorded, differing.Actual));
        }
    }

    [Theory]
    [MemberData(nameof(Alterations))]
    public void Any_other_altered_answer_is_rejected_at_its_line_by_every_target(Alteration alteration)
    {
        TraceFile trace = Recordings.Load(alteration.Recording);
        int altered = trace.Sequences.SelectMany(sequence => sequence.Events).Where(e => alteration.Select(e)).Select(e => e.Line).First();
        foreach (PortTarget target in (PortTarget[])[PortTarget.Model, PortTarget.Reference])
        {
            (TraceVerdict verdict, int line) = JudgeAltered(trace, altered, alteration.Apply, target);

            Assert.Equal((TraceOutcome.Rejected, line), (verdict.Outcome, verdict.Finding!.Line));
            Assert.NotEqual(verdict.Finding.Rejection!.Recorded, verdict.Finding.Rejection.Actual);
        }
    }

    [Fact]
    public void A_rejection_shows_the_call_both_answers_the_deciding_step_and_the_state_around()
    {
        TraceFile trace = Recordings.Load("held-locks");
        TraceEvent busy = trace.Sequences.SelectMany(sequence => sequence.Events).First(e =>
            e.Kind == TraceEventKind.Seamcall && e.Output.Rax == Status.TDX_OPERAND_BUSY + (uint)OperandId.SEPT_TREE);
        (TraceVerdict verdict, _) = JudgeAltered(trace, busy.Line, (ref TraceEvent e) => e.Output.Rax = 0);

        Rejection rejection = verdict.Finding!.Rejection!;
        Assert.Equal(busy.Sequence, verdict.Finding.Sequence);
        Assert.Equal(TraceEventText.Describe(busy), rejection.Call);
        Assert.StartsWith("TDX_SUCCESS", rejection.Recorded, StringComparison.Ordinal);
        Assert.Equal("TDX_OPERAND_BUSY(SEPT_TREE)", rejection.Actual);
        Assert.Matches(@"^TDH\.MEM\.\S+ step \d+, refused: S-EPT tree (SHARED|EXCLUSIVE) -> TDX_OPERAND_BUSY\(SEPT_TREE\)$", rejection.Deciding!.ToString());
        Assert.Contains(rejection.StateBefore, line => line.Subject.StartsWith("TD 0x", StringComparison.Ordinal) && line.Text.Contains("S-EPT tree lock ", StringComparison.Ordinal));
        Assert.Contains(rejection.StateBefore, line => line.Subject == "another host call" && line.Text.StartsWith("keeps the S-EPT tree lock", StringComparison.Ordinal));
        Assert.Equal("", rejection.ModelNote);
    }

    [Fact]
    public void A_rejection_by_another_target_says_what_the_model_thinks()
    {
        TraceFile trace = Recordings.Load("sept-basic");
        int line = trace.Sequences[0].Events.First(e => e.Kind == TraceEventKind.Seamcall).Line;
        (TraceVerdict verdict, _) = JudgeAltered(trace, line, (ref TraceEvent e) => Flip(ref e, Register.Rax, 1), PortTarget.Reference);

        Assert.Equal("the model answers as the target does", verdict.Finding!.Rejection!.ModelNote);
    }

    // Sequences are independent, so the altered one is judged alone: with the line that the alteration has there.
    private (TraceVerdict Verdict, int Line) JudgeAltered(TraceFile trace, int line, Alter alter, PortTarget? target = null)
    {
        TraceSequence sequence = trace.Sequences.Last(candidate => candidate.Line <= line);
        TraceEvent[] events = [.. sequence.Events];
        int position = Array.FindIndex(events, e => e.Line == line);
        alter(ref events[position]);
        return (judging.Judge(trace.Header, events, target), position + 2);
    }

    private static void Flip(ref TraceEvent e, Register register, int bit)
    {
        e.Output[register] ^= 1UL << bit;
        e.Listed = e.Listed.With(register);
    }

    // The same in every run, unlike a string's hash code.
    private static int Seed(string name) => name.Aggregate(17, (seed, c) => unchecked((seed * 31) + c));

    /// <summary>A change of what a recording says.</summary>
    public sealed record Alteration(string Name, string Recording, Predicate<TraceEvent> Select, Alter Apply)
    {
        public override string ToString() => Name;
    }
}
