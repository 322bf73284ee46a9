using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Targets;
using TdxVerify.Properties.Traces;
using Xunit;

namespace TdxVerify.Tests.Traces;

/// <summary>The model and the reference give every answer that the real module was recorded to give.</summary>
public sealed class RecordingTests(Judging judging) : IClassFixture<Judging>
{
    public static TheoryData<string> Sequential => [.. Recordings.Sequential];

    public static TheoryData<string> Overlapping => [.. Recordings.Overlapping];

    [Theory]
    [MemberData(nameof(Sequential))]
    public void The_model_accepts_every_sequential_recording(string file) => AssertAccepted(file, PortTarget.Model);

    [Theory]
    [MemberData(nameof(Sequential))]
    public void The_reference_accepts_every_sequential_recording(string file) => AssertAccepted(file, PortTarget.Reference);

    [Theory]
    [MemberData(nameof(Overlapping))]
    public void Some_interleaving_explains_every_recording_with_overlapping_calls(string file) => AssertAccepted(file, PortTarget.Model);

    [Fact]
    public void A_target_that_makes_one_call_after_the_other_cannot_judge_overlapping_calls()
    {
        string file = Recordings.PathOf("concurrent-mem");
        int firstBegin = FirstBegin(file);
        TraceVerdict verdict = judging.Judge(file, PortTarget.Reference);

        Assert.Equal(TraceOutcome.OutOfScope, verdict.Outcome);
        Assert.Equal(firstBegin, verdict.Finding!.Line);
        Assert.Contains("calls overlap here", verdict.Finding.Reason, StringComparison.Ordinal);
    }

    private void AssertAccepted(string file, PortTarget target)
    {
        TraceVerdict verdict = judging.Judge(Recordings.FullPath(file), target);

        Assert.True(verdict.Outcome == TraceOutcome.Accepted, $"line {verdict.Finding?.Line}: {verdict.Finding?.Reason}");
        Assert.Null(verdict.Finding);
        Assert.True(verdict is { Sequences: > 0, Calls: > 0 } && verdict.Events > verdict.Calls);
    }

    private static int FirstBegin(string path)
    {
        using TraceReader reader = TraceReader.Open(path);
        while (reader.Read())
        {
            if (reader.Current.Kind == TraceEventKind.Begin)
                return reader.Current.Line;
        }

        throw new InvalidOperationException($"{path}: no calls overlap");
    }
}
