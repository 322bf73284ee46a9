using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Runs;
using TdxVerify.Properties.Shrinking;
using Xunit;

namespace TdxVerify.Tests.Props;

/// <summary>A failing sequence is made small, and stays the same failure.</summary>
public class ShrinkingTests
{
    [Theory]
    [InlineData("rax is TDX_SUCCESS (0x0), the model says TDX_OPERAND_BUSY(RCX) (0x8000020000000001)", false)]
    [InlineData("rax is TDX_SUCCESS(exit reason 48) (0x30), the model says TDX_SUCCESS(exit reason 77) (0x4d)", false)]
    [InlineData("rdx is 0x10, the model says 0x3f", false)]
    [InlineData("r8 is 0x1000, the model says 0x0", true)]
    public void Numbers_may_differ_between_sequences_of_one_failure_and_words_may_not(string reason, bool isLike)
    {
        var failure = new RunFailure(LawBook.Conformance, "r8 is 0x3, the model says 0x77", 5, "TDH.MNG.RD");
        Assert.Equal(isLike, new RunFailure(LawBook.Conformance, reason, 1, "TDH.MNG.RD").IsLike(failure));
        Assert.False(failure.IsLike(failure with { Call = "TDH.VP.RD" }));
        Assert.False(failure.IsLike(failure with { Law = "zero-step" }));
    }

    [Fact]
    public void An_exit_reason_is_a_word()
    {
        var failure = new RunFailure(LawBook.Conformance, "rax is TDX_SUCCESS(exit reason 48) (0x30), the model says TDX_SUCCESS(exit reason 77) (0x4d)", 5, "TDH.VP.ENTER");
        Assert.True(failure.IsLike(failure with { Operation = 3 }));
        Assert.False(failure.IsLike(failure with { Reason = failure.Reason.Replace("reason 48", "reason 1", StringComparison.Ordinal) }));
    }

    // Two faults: TDH.MEM.TRACK does not advance TD_EPOCH, and where there is no TD it gives another status. The second
    // shows in a sequence of one call.
    [Fact]
    public void A_sequence_made_small_does_not_slip_into_another_failure()
    {
        var platform = new PlatformInfo();
        LeafSet<ArraysState> declared = LeafSet<ArraysState>.Of(platform.Profile);
        Leaf<ArraysState> track = declared.All.Single(leaf => leaf.Id.Name == "TDH.MEM.TRACK");
        IEnumerable<Step<ArraysState>> steps = track.Steps
            .Where(step => step.Text != "TD_EPOCH +1")
            .Select(step => new StatusCode(step.Failure.Status).Base.Value == Status.TDX_PAGE_METADATA_INCORRECT ? step with { Failure = new Failure(Status.TDX_SYS_BUSY) } : step);
        using var port = new ModelPort<ArraysState>(new ArraysState(platform), declared.With(track.With(steps)));
        var runner = new EventRunner(ModelPorts.Observed(platform), port, [new ConformanceLaw()]);

        List<PlannedEvent> events = [.. SmallTd.Run(platform), SmallTd.Call(HostLeaf.TDH_MEM_TRACK, SmallTd.Tdr(platform)), SmallTd.Call(HostLeaf.TDH_MNG_RD, SmallTd.Tdr(platform), 0x9210000300000000)];
        RunFailure? failure = PlanRunner.Run(runner, events);
        Assert.NotNull(failure);
        Assert.Equal("TDH.MNG.RD", failure.Call);

        (IReadOnlyList<PlannedEvent> smallest, RunFailure last) = new EventShrinker(runner, TimeSpan.FromMinutes(1)).Shrink(events, failure);
        Assert.True(last.IsLike(failure), last.Reason);
        Assert.InRange(smallest.Count, 12, events.Count);
        Assert.Equal(HostLeaf.TDH_MEM_TRACK, (HostLeaf)smallest[^2].Event.Input.Rax);

        List<PlannedEvent> other = [SmallTd.Call(HostLeaf.TDH_MEM_TRACK, SmallTd.Tdr(platform))];
        Assert.False(PlanRunner.Run(runner, other)?.IsLike(failure));
    }
}
