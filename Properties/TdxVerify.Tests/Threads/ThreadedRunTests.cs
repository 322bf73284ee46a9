using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Threads;
using TdxVerify.Properties.Traces;
using TdxVerify.Reference;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Threads;

/// <summary>Histories from real threads: those of the reference have an explanation, those of one without a lock do not.</summary>
public sealed class ThreadedRunTests(Judging judging) : IClassFixture<Judging>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData(ModuleProfile.V1_5_01)]
    [InlineData(ModuleProfile.V1_5_05)]
    public void Histories_of_the_reference_have_an_explanation(ModuleProfile profile)
    {
        using var port = new ReferencePort(new PlatformInfo { Profile = profile });

        using var run = new ThreadsRun(port, new ThreadsOptions { Threads = 4, Seed = 1, Calls = 400, Time = s_patience });
        ThreadsResult result = run.Run();

        Assert.True(result.Failure is null, result.Failure?.Reason);
        Assert.True(result.Figures.Overlapping > 0 && result.Figures.Busy > 0, $"{result.Figures}: calls hardly met");
    }

    [Fact]
    public void A_history_that_takes_too_many_steps_is_undecided_and_the_run_goes_on()
    {
        using var port = new ReferencePort(new PlatformInfo());

        using var run = new ThreadsRun(port, new ThreadsOptions { Threads = 2, Seed = 1, Calls = 400, MostSteps = 100, Time = s_patience });
        ThreadsResult result = run.Run();

        Assert.Null(result.Failure);
        Assert.True(result.Histories > 1);
        Assert.NotEmpty(result.Undecided);
        Assert.All(result.Undecided, history => Assert.StartsWith("the history is undecided: neither an explanation nor a contradiction was found in 100 steps; ", history.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public void Of_many_threads_four_work_in_a_round()
    {
        var platform = new PlatformInfo { LpCount = 8 };
        using var port = new ReferencePort(platform);
        var options = new ThreadsOptions { Threads = 8, Seed = 1, Calls = 1000, Time = s_patience };

        using var run = new ThreadsRun(port, options);
        ThreadsResult result = run.Run();

        Assert.Null(result.Failure);
        Assert.Empty(result.Undecided);
        Assert.True(result.Figures.Calls >= options.Calls);
    }

    [Theory]
    [InlineData(nameof(RemovedLock.SeptEntry))]
    [InlineData(nameof(RemovedLock.SeptTree))]
    [InlineData(nameof(RemovedLock.PamtEntry))]
    public void A_reference_without_one_of_its_locks_is_caught(string without)
    {
        var platform = new PlatformInfo();
        using var port = new ReferencePort(platform, Enum.Parse<RemovedLock>(without));
        var options = new ThreadsOptions { Threads = 4, Seed = 1, Calls = 20_000, MostSteps = 2_000_000, Time = s_patience, ShrinkTime = TimeSpan.FromSeconds(1) };

        using var run = new ThreadsRun(port, options);
        ThreadsResult result = run.Run();

        Assert.True(result.Failure is not null, $"not noticed: {result.Figures}");
        Assert.True(result.Failure.Calls <= result.Failure.CallsMade);
        if (result.Failure.Finding is null)
            return;
        TraceVerdict verdict = judging.Judge(new TraceHeader { Implementation = port.Name, Platform = platform }, result.Failure.Events);
        Assert.Equal((TraceOutcome.Rejected, result.Failure.Events.Count + 1), (verdict.Outcome, verdict.Finding!.Line));
    }
}
