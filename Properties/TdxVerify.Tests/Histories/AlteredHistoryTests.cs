using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Traces;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Histories;

/// <summary>A recorded history in which one answer was altered is rejected at that answer, however densely its calls overlap.</summary>
public sealed class AlteredHistoryTests(Judging judging) : IClassFixture<Judging>
{
    private static readonly string[] s_names =
    [
        "concurrent-build", "concurrent-guest", "concurrent-large-pages", "concurrent-mem", "concurrent-one-page", "concurrent-teardown",
        "concurrent-zero-step",
    ];

    /// <summary>Recordings, each with a sequence.</summary>
    public static TheoryData<string, int> Alterations()
    {
        var data = new TheoryData<string, int>();
        foreach (string name in s_names)
        {
            data.Add(name, 0);
            if (!name.EndsWith("-pages", StringComparison.Ordinal) && !name.EndsWith("-page", StringComparison.Ordinal))
                data.Add(name, 1);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Alterations))]
    public void A_register_that_no_call_gives_is_rejected_at_its_line(string name, int place)
    {
        TraceFile trace = Recordings.Load(name);
        TraceEvent[] events = [.. trace.Sequences[place].Events];
        int[] ends = [.. Enumerable.Range(0, events.Length).Where(e => events[e].Kind == TraceEventKind.End)];
        int altered = ends[ends.Length * (place % 3 + 1) / 4];
        events[altered].Output[Register.R13] ^= 1UL << 40;
        events[altered].Listed = RegisterSet.Differing(events[altered].Input, events[altered].Output).With(Register.Rax);

        TraceVerdict verdict = judging.Judge(trace.Header, events);

        Assert.Equal((TraceOutcome.Rejected, altered + 2), (verdict.Outcome, verdict.Finding!.Line));
        Assert.Equal(altered, verdict.Finding.History!.Explained);
        Assert.NotEmpty(verdict.Finding.History.Candidates);
        Assert.All(verdict.Finding.History.Candidates, candidate => Assert.Contains(candidate.Registers, register => register.Register == Register.R13));
    }

    [Theory]
    [MemberData(nameof(Alterations))]
    public void A_busy_answer_of_a_lock_that_the_leaf_does_not_take_is_rejected_at_its_line(string name, int place)
    {
        TraceFile trace = Recordings.Load(name);
        TraceEvent[] events = [.. trace.Sequences[place].Events];
        int altered = Array.FindIndex(events, events.Length / 2, e => e.Kind == TraceEventKind.End);
        events[altered].Answer(events[altered].Input with { Rax = Status.TDX_OPERAND_BUSY + (uint)OperandId.RTMR });

        TraceVerdict verdict = judging.Judge(trace.Header, events);

        Assert.Equal((TraceOutcome.Rejected, altered + 2), (verdict.Outcome, verdict.Finding!.Line));
        Assert.Empty(verdict.Finding.History!.GivenBy);
    }
}
