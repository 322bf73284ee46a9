using TdxVerify.Abi;
using TdxVerify.Properties.Benchmarks;

namespace TdxVerify.Properties.Twins;

/// <summary>Two checkers on the same scenario, one core each, in turn.</summary>
/// <param name="Scenario">The scenario.</param>
/// <param name="Own">This program on one core: its fastest run.</param>
/// <param name="Spin">Spin: its fastest run, with the memory of its leanest.</param>
/// <param name="Elapsed">This program: the shortest time that passed on one core, and on two.</param>
public sealed record ExplorationBenchmark(string Scenario, CheckerResult Own, CheckerResult Spin, (TimeSpan One, TimeSpan Two) Elapsed)
{
    private static readonly TimeSpan s_longestSettling = TimeSpan.FromSeconds(30);

    /// <summary>How many times as many states a second as Spin.</summary>
    public double SpeedRatio => Own.StatesPerSecond / Spin.StatesPerSecond;

    /// <summary>How many times the bytes per state of Spin.</summary>
    public double BytesRatio => Own.BytesPerState / Spin.BytesPerState;

    /// <summary>How many times as fast two cores are as one.</summary>
    public double Scaling => Elapsed.One / Elapsed.Two;

    /// <summary>Measures.</summary>
    /// <param name="twin">The scenario.</param>
    /// <param name="runs">How often each search is made; the best of them counts.</param>
    /// <exception cref="InputException">A tool is missing or failed.</exception>
    public static ExplorationBenchmark Run(Twin twin, int runs)
    {
        TwinComparison.Require("spin", "gcc");
        using var spin = new SpinChecker(twin);

        long states = OwnChecker.Run(twin).Result.States;
        JitSettling.Wait(
            () =>
            {
                OwnChecker.Run(twin, expectedStates: states);
                OwnChecker.Run(twin, workers: 2, states);
            },
            s_longestSettling,
            s_longestSettling);
        CheckerResult? own = null;
        CheckerResult? other = null;
        (TimeSpan one, TimeSpan two) = (TimeSpan.MaxValue, TimeSpan.MaxValue);
        for (int run = 0; run < runs; run++)
        {
            (CheckerResult result, TimeSpan elapsed) = OwnChecker.Run(twin, expectedStates: states);
            own = Best(own, result);
            one = Shorter(one, elapsed);
            two = Shorter(two, OwnChecker.Run(twin, workers: 2, states).Elapsed);
            foreach (int room in (int[])[0, 2])
                other = Best(other, spin.Run(states, room));
        }

        return new ExplorationBenchmark(twin.Scenario, own!, other!, (one, two));
    }

    private static CheckerResult Best(CheckerResult? best, CheckerResult next) => best is null ? next : next with
    {
        Seconds = Math.Min(best.Seconds, next.Seconds),
        PeakBytes = Math.Min(best.PeakBytes, next.PeakBytes),
    };

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
