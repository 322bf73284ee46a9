using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Histories;
using TdxVerify.Properties.Threads;
using TdxVerify.Reference;

namespace TdxVerify.Properties.Benchmarks;

/// <summary>How long a history from threads takes to be judged.</summary>
/// <param name="Figures">What is in the history.</param>
/// <param name="Seconds">Processor time of the judge, the best of some times.</param>
public sealed record HistorySpeed(ThreadsFigures Figures, double Seconds);

/// <summary>The judge of histories, on one that threads made on the reference.</summary>
public static class HistoryBenchmark
{
    private const int Times = 5;

    /// <summary>A history of about so many calls, without a reset in between.</summary>
    /// <exception cref="InputException">The reference does not carry out one of them.</exception>
    public static IReadOnlyList<TraceEvent> Make(int threads, int calls, int seed)
    {
        using var port = new ReferencePort(new PlatformInfo { LpCount = Math.Max(threads, new PlatformInfo().LpCount) });
        using var running = new PortThreads(port, threads);
        var history = new ThreadedHistory(port, running, threads, seed);
        history.Start(0);
        int made = 0;
        int counted = 0;
        while (made < calls && history.Result == PortResult.Ok)
        {
            history.Round();
            for (; counted < history.Events.Count; counted++)
                made += history.Events[counted].Kind is TraceEventKind.End or TraceEventKind.Seamcall ? 1 : 0;
        }

        return history.Result == PortResult.Ok ? history.Events : throw new InputException($"the reference answers {history.Result} to a call of the benchmark");
    }

    /// <summary>Judges a history.</summary>
    /// <exception cref="InputException">It has no explanation, which is no measure.</exception>
    public static HistorySpeed Measure(IReadOnlyList<TraceEvent> history)
    {
        TraceEvent[] events = [.. history];
        var judge = new HistoryJudge(new PlatformInfo());
        double best = double.MaxValue;
        for (int i = 0; i < Times; i++)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            judge.Reset();
            if (judge.Judge(events) is { } finding)
                throw new InputException($"the history of the benchmark is rejected: {finding.Rejection.Reason}");
            best = Math.Min(best, (Environment.CpuUsage.TotalTime - before).TotalSeconds);
        }

        return new HistorySpeed(ThreadsFigures.Of(events), best);
    }
}
