using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Histories;
using TdxVerify.Properties.Traces;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Histories;

/// <summary>A history of overlapping calls is explained by some interleaving, or by none: then it says up to where one does.</summary>
public sealed class HistoryTests(Judging judging) : IClassFixture<Judging>
{
    [Fact]
    public void A_call_has_no_effect_after_its_end()
    {
        HistoryTd td = HistoryTd.Build();

        Assert.Equal(TraceOutcome.Accepted, judging.Judge(td.Header, td.With(td.Track(1, 0, 1, busy: false))).Outcome);
        TraceVerdict verdict = judging.Judge(td.Header, td.With(td.Track(1, 0, 1, busy: true)));
        Assert.Equal(TraceOutcome.Rejected, verdict.Outcome);
        HistoryCandidate candidate = Assert.Single(verdict.Finding!.History!.Candidates);
        Assert.Equal("TDX_SUCCESS", candidate.Answer);
        Assert.Equal("TDX_OPERAND_BUSY(TD_EPOCH)", Assert.Single(verdict.Finding.History.GivenBy).Outcome);
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

    [Fact]
    public void A_rejection_tells_what_is_possible_instead_and_who_holds_the_lock()
    {
        HistoryTd td = HistoryTd.Build();
        (TraceEvent begin, TraceEvent end) first = td.Call(1, 0, busy: false);
        (TraceEvent begin, TraceEvent end) second = td.Call(2, 1, busy: true);
        second.end.Answer(second.end.Input with { Rax = Status.TDX_TD_FATAL });

        HistoryRejection rejection = judging.Judge(td.Header, td.With([first.begin, second.begin, second.end, first.end])).Finding!.History!;

        Assert.True(rejection.IsComplete);
        Assert.Equal("TDX_SUCCESS", Assert.Single(rejection.InFlight).Answer);
        Assert.Equal(["TDX_OPERAND_BUSY(TD_EPOCH)", "TDX_SUCCESS"], rejection.Candidates.Select(candidate => candidate.Answer).Order());
        HistoryCandidate busy = Assert.Single(rejection.Candidates, candidate => candidate.Answer != "TDX_SUCCESS");
        Assert.StartsWith("LP 0: TDH.MEM.TRACK", Assert.Single(busy.HeldBy), StringComparison.Ordinal);
        Assert.StartsWith("refused: TD epoch EXCLUSIVE", busy.Deciding!.Text, StringComparison.Ordinal);
        Assert.Equal(Register.Rax, Assert.Single(busy.Registers).Register);
    }

    [Fact]
    public void Calls_that_end_and_begin_at_the_same_time_overlap()
    {
        HistoryTd td = HistoryTd.Build();
        (TraceEvent begin, TraceEvent end) first = At(td.Call(1, 0, busy: false), 1, 5);
        (TraceEvent begin, TraceEvent end) second = At(td.Call(2, 1, busy: true), 5, 9);
        (TraceEvent begin, TraceEvent end) later = At(td.Call(2, 1, busy: true), 6, 9);

        Assert.Equal(TraceOutcome.Accepted, Judge(first.begin, first.end, second.begin, second.end));
        Assert.Equal(TraceOutcome.Rejected, Judge(first.begin, first.end, later.begin, later.end));

        TraceOutcome Judge(params TraceEvent[] calls) => judging.Judge(td.Header, td.With(calls)).Outcome;
    }

    // Two processors end a call and begin the next one at the same time. Each new call overlaps with the other's old one,
    // and none with its own.
    [Theory]
    [InlineData(false, false, false, true, TraceOutcome.Accepted)]
    [InlineData(false, false, true, false, TraceOutcome.Accepted)]
    [InlineData(false, true, true, false, TraceOutcome.Accepted)]
    [InlineData(false, false, true, true, TraceOutcome.Rejected)]
    public void At_one_time_each_processor_keeps_its_order(bool oldA, bool oldB, bool newA, bool newB, TraceOutcome expected)
    {
        HistoryTd td = HistoryTd.Build();
        (TraceEvent begin, TraceEvent end) firstA = At(td.Call(1, 0, oldA), 1, 5);
        (TraceEvent begin, TraceEvent end) firstB = At(td.Call(2, 1, oldB), 2, 5);
        (TraceEvent begin, TraceEvent end) secondA = At(td.Call(3, 0, newA), 5, 8);
        (TraceEvent begin, TraceEvent end) secondB = At(td.Call(4, 1, newB), 5, 9);

        Assert.Equal(expected, judging.Judge(td.Header, td.With(
            [firstA.begin, firstB.begin, firstA.end, secondA.begin, firstB.end, secondB.begin, secondA.end, secondB.end])).Outcome);
    }

    private static (TraceEvent Begin, TraceEvent End) At((TraceEvent Begin, TraceEvent End) call, long begin, long end) =>
        (call.Begin with { Time = begin }, call.End with { Time = end });
}
