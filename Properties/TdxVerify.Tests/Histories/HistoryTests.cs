using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Traces;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Histories;

/// <summary>A history of overlapping calls is explained by some interleaving, or by none: then it says up to where one does.</summary>
public sealed class HistoryTests(Judging judging) : IClassFixture<Judging>
{
    public static TheoryData<string> Names => ["concurrent-build", "concurrent-teardown"];

    [Theory]
    [MemberData(nameof(Names))]
    public void An_altered_answer_is_rejected_at_its_line_or_where_it_shows(string name)
    {
        TraceFile trace = Recordings.Load(name);
        var random = new Random(name.Length);
        TraceSequence[] sequences = [.. trace.Sequences.Take(4)];
        foreach (TraceSequence sequence in sequences)
        {
            TraceEvent[] ends = [.. sequence.Events.Where(e => e.Kind == TraceEventKind.End)];
            TraceEvent chosen = ends[random.Next(ends.Length)];
            TraceEvent[] altered = [.. sequence.Events.Select(e => e.Line == chosen.Line ? WithFlipped(e, Register.R13) : e)];
            TraceVerdict verdict = judging.Judge(trace.Header, altered);

            Assert.Equal(TraceOutcome.Rejected, verdict.Outcome);
            Assert.Equal(2 + Array.FindIndex(altered, e => e.Line == chosen.Line), verdict.Finding!.Line);
            Assert.Contains("no interleaving of the calls explains", verdict.Finding.Reason, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_busy_answer_that_nobody_caused_is_rejected(string name)
    {
        TraceFile trace = Recordings.Load(name);
        int altered = 0;
        foreach (TraceSequence sequence in trace.Sequences.Take(4))
        {
            int end = Array.FindIndex(sequence.Events, e => e.Kind == TraceEventKind.End && e.Output.Rax == 0);
            if (end < 0)
                continue;
            TraceEvent[] events = [.. sequence.Events];
            events[end].Output = events[end].Input with { Rax = Status.TDX_OPERAND_BUSY + (uint)OperandId.RTMR };
            TraceVerdict verdict = judging.Judge(trace.Header, events);

            Assert.Equal((TraceOutcome.Rejected, end + 2), (verdict.Outcome, verdict.Finding!.Line));
            altered++;
        }

        Assert.True(altered > 0);
    }

    [Fact]
    public void A_call_has_no_effect_after_its_end()
    {
        HistoryTd td = HistoryTd.Build();

        Assert.Equal(TraceOutcome.Accepted, judging.Judge(td.Header, td.With(td.Track(1, 0, 1, busy: false))).Outcome);
        TraceVerdict verdict = judging.Judge(td.Header, td.With(td.Track(1, 0, 1, busy: true)));
        Assert.Equal(TraceOutcome.Rejected, verdict.Outcome);
        Assert.Contains("it can get past the last step that returns this", verdict.Finding!.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_tracks_that_overlap_may_make_one_another_busy_and_two_that_do_not_may_not()
    {
        HistoryTd td = HistoryTd.Build();
        (TraceEvent begin, TraceEvent end) first = td.Call(1, 0, busy: false);
        (TraceEvent begin, TraceEvent end) second = td.Call(2, 1, busy: true);

        Assert.Equal(TraceOutcome.Accepted, judging.Judge(td.Header, td.With([first.begin, second.begin, second.end, first.end])).Outcome);
        Assert.Equal(TraceOutcome.Accepted, judging.Judge(td.Header, td.With([first.begin, second.begin, first.end, second.end])).Outcome);
        Assert.Equal(TraceOutcome.Rejected, judging.Judge(td.Header, td.With([first.begin, first.end, second.begin, second.end])).Outcome);
    }

    private static TraceEvent WithFlipped(TraceEvent e, Register register)
    {
        e.Output[register] ^= 1UL << 40;
        return e with { Listed = RegisterSet.Differing(e.Input, e.Output).With(Register.Rax) };
    }
}
