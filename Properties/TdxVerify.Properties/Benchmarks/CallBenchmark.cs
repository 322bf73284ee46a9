using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Campaigns;
using TdxVerify.Reference;

namespace TdxVerify.Properties.Benchmarks;

/// <summary>A speed on one core.</summary>
/// <param name="CallsPerSecond">Calls (seamcall, enter, exit) for each second of processor time: the best of several rounds.</param>
/// <param name="BytesPerCall">Bytes allocated per call in that round.</param>
public readonly record struct Speed(double CallsPerSecond, double BytesPerCall);

/// <summary>
/// Calls per second on one core: the calls of a recording, parsed beforehand, on the model and on the reference; the
/// whole property run; the trace judge with and without parsing.
/// </summary>
public static class CallBenchmark
{
    private const string OwnRecording = "mixed-long.jsonl.gz";
    private const int Rounds = 5;
    private const int WarmUpRounds = 2;

    // A sequence is carried out so often before the next, so that what is measured is the port, and not how fast a
    // recording of some megabytes comes from memory.
    private const int InARow = 8;

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
    /// <param name="time">How long a round takes at least.</param>
    public static Speed Calls(TraceFile trace, IPort port, TimeSpan time)
    {
        var oracle = port as IChoiceOracle;
        return Best(time, () => Carry(trace, port, oracle));
    }

    /// <summary>The judge on a trace that was parsed before.</summary>
    public static Speed Judge(TraceFile trace, TimeSpan time)
    {
        var replayer = new PortReplayer(ModelPorts.Fast(trace.Header.Platform));
        return Best(time, () => Accepted(replayer.Replay(trace)));
    }

    /// <summary>The judge on a trace that it parses.</summary>
    /// <param name="open">Opens the trace anew.</param>
    /// <param name="time">How long a round takes at least.</param>
    public static Speed JudgeWithParsing(Func<TraceReader> open, TimeSpan time)
    {
        PortReplayer? replayer = null;
        return Best(time, () =>
        {
            using TraceReader reader = open();
            replayer ??= new PortReplayer(ModelPorts.Fast(reader.Header.Platform));
            return Accepted(replayer.Replay(reader));
        });
    }

    /// <summary>The whole property run on one worker: generation, model, reference, comparison, all laws.</summary>
    public static Speed Props(PlatformInfo platform, ulong seed, TimeSpan time)
    {
        using var worker = new PropsWorker(new PropsOptions { Platform = platform, OpenPort = () => new ReferencePort(platform), Seed = seed });
        long round = 0;
        return Best(time, () =>
        {
            long before = worker.Calls;
            if (worker.RunRound(round++, () => false) is { } failure)
                throw new InputException($"the property run with seed 0x{seed:x} broke {failure.Failure.Law}: {failure.Failure.Reason}; `props --seed 0x{seed:x}` shows it");
            return worker.Calls - before;
        });
    }

    // Of processor time, not of the clock on the wall: what else runs on the machine counts little then. The time of the
    // JIT and the collector, which work on other threads, is in it.
    private static Speed Best(TimeSpan time, Func<long> run)
    {
        Speed best = default;
        for (int i = -WarmUpRounds; i < Rounds; i++)
        {
            Speed round = Measure(time / Rounds, run);
            if (i >= 0 && round.CallsPerSecond > best.CallsPerSecond)
                best = round;
        }

        return best;
    }

    private static Speed Measure(TimeSpan time, Func<long> run)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        TimeSpan start = Environment.CpuUsage.TotalTime;
        TimeSpan used;
        long calls = 0;
        do
        {
            calls += run();
            used = Environment.CpuUsage.TotalTime - start;
        }
        while (used < time);
        return new Speed(calls / used.TotalSeconds, (GC.GetAllocatedBytesForCurrentThread() - allocated) / (double)calls);
    }

    private static long Accepted(ReplayResult result) => result.Verdict == ReplayVerdict.Accepted
        ? result.Calls
        : throw new InputException($"{result.File}:{result.Stop?.Line}: the benchmark needs a trace that the model accepts: {result.Stop?.Reason}");

    private static long Carry(TraceFile trace, IPort port, IChoiceOracle? oracle)
    {
        long calls = 0;
        foreach (TraceSequence sequence in trace.Sequences)
        {
            for (int i = 0; i < InARow; i++)
                calls += Carry(sequence, port, oracle);
        }

        return calls;
    }

    private static long Carry(TraceSequence sequence, IPort port, IChoiceOracle? oracle)
    {
        long calls = 0;
        foreach (ref readonly TraceEvent e in sequence.Events.AsSpan())
        {
            RegisterFile registers = e.Input;
            switch (e.Kind)
            {
                case TraceEventKind.Seamcall:
                    oracle?.Observe(e.Output.Rax);
                    port.Seamcall(e.Lp, ref registers);
                    calls++;
                    break;
                case TraceEventKind.Enter:
                    port.EnterBegin(e.Lp, ref registers, out _);
                    calls++;
                    break;
                case TraceEventKind.Exit:
                    port.EnterEnd(e.Lp, ref registers);
                    calls++;
                    break;
                case TraceEventKind.Reset:
                    port.Reset();
                    break;
                case TraceEventKind.Guest:
                    port.GuestSubmit(e.Hpa, e.GuestOperation);
                    break;
                case TraceEventKind.Write when e.Data is not null:
                    port.MemoryWrite(e.Hpa, e.Data);
                    break;
                case TraceEventKind.Interrupt:
                    port.Interrupt(e.Pending);
                    break;
                case TraceEventKind.Lock:
                    port.Lock(e.Lock);
                    break;
                case TraceEventKind.Unlock:
                    port.Unlock(e.Lock);
                    break;
                default:
                    break;
            }
        }

        return calls;
    }
}
