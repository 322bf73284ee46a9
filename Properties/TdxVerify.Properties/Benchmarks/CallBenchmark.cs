using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Campaigns;
using TdxVerify.Reference;

namespace TdxVerify.Properties.Benchmarks;

/// <summary>A speed on one core.</summary>
/// <param name="CallsPerSecond">Calls (seamcall, enter, exit) for each second of processor time, each part of the work at its best.</param>
/// <param name="BytesPerCall">Bytes allocated per call in the end.</param>
public readonly record struct Speed(double CallsPerSecond, double BytesPerCall);

/// <summary>
/// Calls per second on one core: the calls of a recording, parsed beforehand, on the model and on the reference; the
/// whole property run; the trace judge with and without parsing.
/// </summary>
public static class CallBenchmark
{
    private const string OwnRecording = "mixed-long.jsonl.gz";
    private const int PropsRounds = 16;

    // A sequence is carried out so often in a row, so that what is measured is the port, and not how fast it and a
    // recording of some megabytes come from memory.
    private const int InARow = 4;

    // The JIT gets so many times the time of the measurement to settle.
    private const int LongestSettling = 5;

    /// <summary>The project's own copy of the recording mixed-long.</summary>
    public static Stream OpenOwnRecording() =>
        typeof(CallBenchmark).Assembly.GetManifestResourceStream(OwnRecording)
        ?? throw new InvalidOperationException($"The resource {OwnRecording} is missing.");

    /// <summary>Refuses a trace that is no measure: one with a call that the model would not carry out, or without calls.</summary>
    /// <exception cref="InputException">It is one.</exception>
    public static void Require(TraceFile trace)
    {
        if (Accepted(new PortReplayer(ModelPorts.Fast(trace.Header.Platform)).Replay(trace)) == 0)
            throw new InputException($"{trace.Path}: no calls, nothing to measure");
    }

    /// <summary>The calls of a trace on a port, answers not compared.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="port">The port.</param>
    /// <param name="time">Processor time to spend, once the JIT has settled.</param>
    public static Speed Calls(TraceFile trace, IPort port, TimeSpan time)
    {
        var oracle = port as IChoiceOracle;
        return Best(time, [.. new CallTape(trace).Sequences.Select(sequence => (Func<long>)(() => InRow(sequence, port, oracle)))]);
    }

    /// <summary>The judge on a trace that was parsed before.</summary>
    public static Speed Judge(TraceFile trace, TimeSpan time)
    {
        var replayer = new PortReplayer(ModelPorts.Fast(trace.Header.Platform));
        return Best(time, [.. trace.Sequences.Select(sequence => trace with { Sequences = [sequence] })
            .Select(part => (Func<long>)(() => Accepted(replayer.Replay(part))))]);
    }

    /// <summary>The judge on a trace that it parses.</summary>
    /// <param name="open">Opens the trace anew.</param>
    /// <param name="time">Processor time to spend, once the JIT has settled.</param>
    public static Speed JudgeWithParsing(Func<TraceReader> open, TimeSpan time)
    {
        PortReplayer? replayer = null;
        return Best(time, [() =>
        {
            using TraceReader reader = open();
            replayer ??= new PortReplayer(ModelPorts.Fast(reader.Header.Platform));
            return Accepted(replayer.Replay(reader));
        }]);
    }

    /// <summary>The whole property run on one worker: generation, model, reference, comparison, all laws.</summary>
    public static Speed Props(PlatformInfo platform, ulong seed, TimeSpan time)
    {
        using var worker = new PropsWorker(new PropsOptions { Platform = platform, OpenPort = () => new ReferencePort(platform), Seed = seed });
        return Best(time, [.. Enumerable.Range(0, PropsRounds).Select(round => (Func<long>)(() => Round(worker, round, seed)))]);
    }

    private static long Round(PropsWorker worker, int round, ulong seed)
    {
        long before = worker.Calls;
        if (worker.RunRound(round, () => false) is { } failure)
            throw new InputException($"the property run with seed 0x{seed:x} broke {failure.Failure.Law}: {failure.Failure.Reason}; `props --seed 0x{seed:x}` shows it");
        return worker.Calls - before;
    }

    private static long InRow(CallTape.Sequence sequence, IPort port, IChoiceOracle? oracle)
    {
        long calls = 0;
        for (int i = 0; i < InARow; i++)
            calls += sequence.Carry(port, oracle);
        return calls;
    }

    // Each part is carried out again and again, and its best time counts: what else runs on the machine costs single
    // parts their time and their caches, not all of them always. Time is that of the processor, the JIT's and the
    // collector's on other threads included.
    private static Speed Best(TimeSpan time, IReadOnlyList<Func<long>> parts)
    {
        JitSettling.Wait(Once, time * LongestSettling, time);
        var best = new TimeSpan[parts.Count];
        Array.Fill(best, TimeSpan.MaxValue);
        TimeSpan start = Environment.CpuUsage.TotalTime;
        long calls;
        long allocated;
        do
        {
            calls = 0;
            allocated = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < parts.Count; i++)
            {
                TimeSpan before = Environment.CpuUsage.TotalTime;
                calls += parts[i]();
                TimeSpan used = Environment.CpuUsage.TotalTime - before;
                best[i] = used < best[i] ? used : best[i];
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        }
        while (Environment.CpuUsage.TotalTime - start < time);
        return new Speed(calls / best.Sum(each => each.TotalSeconds), allocated / (double)calls);

        void Once()
        {
            foreach (Func<long> part in parts)
                part();
        }
    }

    private static long Accepted(ReplayResult result) => result.Verdict == ReplayVerdict.Accepted
        ? result.Calls
        : throw new InputException($"{result.File}:{result.Stop?.Line}: the benchmark needs a trace that the model accepts: {result.Stop?.Reason}");
}
