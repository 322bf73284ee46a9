using TdxVerify.Properties.Twins;
using TdxVerify.Tests.Cli;
using Xunit;

namespace TdxVerify.Tests.Exploration;

public class TwinTests
{
    [TwinFact]
    public void Spin_and_Rumur_count_the_states_of_track_vs_enter() => AssertEqual("track-vs-enter", 1_498);

    [TwinFact(isLarge: true)]
    public void Spin_and_Rumur_count_the_states_of_zero_step_vs_aug() => AssertEqual("zero-step-vs-aug-2", 3_100_048);

    [Fact]
    public void A_result_agrees_with_no_other_count_verdict_or_case()
    {
        var result = new CheckerResult("one", 10, 20, true, [1, 2], 1, 1);

        Assert.True(result.Agrees(result with { Checker = "another", Seconds = 2, PeakBytes = 3 }));
        Assert.All(
            (CheckerResult[])[result with { States = 11 }, result with { Transitions = 21 }, result with { Held = false }, result with { Reached = [1] }],
            other => Assert.False(result.Agrees(other)));
    }

    [Fact]
    public void The_benchmark_divides_speeds_and_bytes_by_those_of_Spin()
    {
        var own = new CheckerResult("tdxverify", 1000, 1, true, [], Seconds: 1, PeakBytes: 20_000);
        var spin = new CheckerResult("Spin", 1000, 1, true, [], Seconds: 4, PeakBytes: 80_000);
        var benchmark = new ExplorationBenchmark("any", own, spin, (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(2)));

        Assert.Equal((4, 0.25, 1.5), (benchmark.SpeedRatio, benchmark.BytesRatio, benchmark.Scaling));
    }

    [Fact]
    public void A_scenario_without_twins_is_refused_by_name()
    {
        CliRun run = CliRun.Of("twins", "no-such");

        Assert.Equal((2, "tdxverify: scenario 'no-such' has no twins; track-vs-enter and zero-step-vs-aug-2 have\n"), (run.Status, run.Error));
    }

    private static void AssertEqual(string scenario, long states)
    {
        TwinComparison comparison = TwinComparison.Run(Twin.Find(scenario)!);

        Assert.All(comparison.Results, result => Assert.Equal((states, true), (result.States, result.Held)));
        Assert.All(comparison.Results, result => Assert.Equal([1, 2, 3], result.Reached));
        Assert.True(comparison.AreEqual);
    }
}

/// <summary>A test that needs Spin, Rumur and a C compiler; a large one also that the surroundings ask for it.</summary>
internal sealed class TwinFactAttribute : FactAttribute
{
    private const string AsksForLarge = "TDXVERIFY_LARGE_TWINS";

    public TwinFactAttribute(bool isLarge = false)
    {
        string[] missing = [.. TwinComparison.MissingTools()];
        if (missing.Length > 0)
            Skip = $"{string.Join(", ", missing)} not installed; on Debian: apt-get install spin rumur gcc libc6-dev";
        else if (isLarge && Environment.GetEnvironmentVariable(AsksForLarge) is null)
            Skip = $"takes half a minute; set {AsksForLarge}=1, as .ci/run does";
    }
}
