using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Benchmarks;
using TdxVerify.Properties.Threads;
using TdxVerify.Reference;

namespace TdxVerify.Cli.Commands;

/// <summary><c>bench</c>: calls per second on one core.</summary>
internal static class BenchCommand
{
    private const ulong PropsSeed = 1;
    private const int HistoryThreads = 4;
    private const int HistoryCalls = 10_000;

    public static Command Create(Terminal terminal)
    {
        var trace = new Option<string>("--trace") { HelpName = "FILE", Description = "a sequential recording; without it, the built-in mixed-long" };
        Option<string> time = Durations.Option("--time", "how long each measurement takes, once the JIT has settled", "5s");
        var history = new Option<bool>("--history") { Description = $"only the judge of histories: {HistoryCalls:N0} calls that {HistoryThreads} threads make on the reference" };
        var explore = new Option<bool>("--explore") { Description = "instead: exploration, in turn with Spin on the same scenario; needs spin and gcc" };
        Option<bool> json = CommonOptions.Json();
        var command = new CliCommand("bench", "calls per second on one core: model, reference, property run, trace judge")
        {
            Details = "The calls of a recording, parsed beforehand, on the model and on the reference, answers not compared; the whole property run with all laws; "
                + "the trace judge. A call is a SEAMCALL, an entry or an exit; resets, guest operations, writes and locks of the recording take their time but do not "
                + "count. Seconds are of processor time, and each sequence, or round of the property run, counts with its best time, so other load on the machine matters little. "
                + "Each measurement begins when the JIT has settled, after some seconds. `./run-props.sh bench --micro` runs the micro-benchmarks instead.",
            Examples = [("", "everything"), ("--trace traces/zero-step.jsonl.gz --json", "another recording, as JSON"), ("--explore", "states per second and bytes per state against Spin")],
        };
        command.Add(trace);
        command.Add(time);
        command.Add(history);
        command.Add(explore);
        command.Add(json);
        command.SetAction(parsed =>
        {
            bool asJson = parsed.GetValue(json);
            if (parsed.GetValue(history))
                return History(terminal, asJson);
            return parsed.GetValue(explore)
                ? ExplorationBench.Run(terminal, asJson)
                : Run(terminal, parsed.GetValue(trace), Durations.Parse("--time", parsed.GetRequiredValue(time)), asJson);
        });
        return command;
    }

    private static int Run(Terminal terminal, string? path, TimeSpan time, bool asJson)
    {
        TraceFile trace;
        using (TraceReader reader = Open(path))
            trace = TraceFile.Load(reader);
        CallBenchmark.Require(trace);
        List<(string Name, string What, Func<Speed> Measure)> measurements =
        [
            ("model", "model", () => CallBenchmark.Calls(trace, ModelPorts.Fast(trace.Header.Platform), time)),
            ("reference", "reference", () => CallBenchmark.Calls(trace, new ReferencePort(trace.Header.Platform), time)),
            ("props", "property run, all laws", () => CallBenchmark.Props(new PlatformInfo { Profile = trace.Header.Platform.Profile }, PropsSeed, time)),
            ("traceJudge", "trace judge, parsed before", () => CallBenchmark.Judge(trace, time)),
            ("traceJudgeWithParsing", "trace judge with parsing", () => CallBenchmark.JudgeWithParsing(() => Open(path), time)),
        ];
        var results = new Dictionary<string, Speed>();
        if (!asJson)
            terminal.Out.WriteLine($"{terminal.Bold("bench")}  {path ?? "built-in mixed-long"}, one core, {time.TotalSeconds:0.#} s each");
        foreach ((string name, string what, Func<Speed> measure) in measurements)
        {
            Speed speed = measure();
            results.Add(name, speed);
            if (!asJson)
                terminal.Out.WriteLine($"  {what,-28}{speed.CallsPerSecond,14:#,0} calls/s{speed.BytesPerCall,10:0.0} bytes/call");
        }

        if (asJson)
            Write(terminal, results);
        return ExitStatus.Held;
    }

    private static int History(Terminal terminal, bool asJson)
    {
        HistorySpeed speed = HistoryBenchmark.Measure(HistoryBenchmark.Make(HistoryThreads, HistoryCalls, (int)PropsSeed));
        ThreadsFigures figures = speed.Figures;
        double overlapping = ThreadsFigures.Percent(figures.Overlapping, figures.Calls);
        double busy = ThreadsFigures.Percent(figures.Busy, figures.Calls);
        if (asJson)
        {
            JsonOutput.Write(terminal, json =>
            {
                json.WriteStartObject();
                json.WriteStartObject("history");
                json.WriteNumber("calls", figures.Calls);
                json.WriteNumber("threads", HistoryThreads);
                json.WriteNumber("overlapPercent", Math.Round(overlapping, 2));
                json.WriteNumber("busyPercent", Math.Round(busy, 2));
                json.WriteNumber("hostPriority", figures.HostPriority);
                json.WriteNumber("guestBusy", figures.GuestBusy);
                json.WriteNumber("seconds", Math.Round(speed.Seconds, 3));
                json.WriteNumber("callsPerSecond", Math.Round(figures.Calls / speed.Seconds));
                json.WriteEndObject();
                json.WriteEndObject();
            });
            return ExitStatus.Held;
        }

        terminal.Out.WriteLine($"{terminal.Bold("bench")}  a history from {HistoryThreads} threads, judged on one core");
        Paragraph.Write(terminal, "  ", $"{figures.Calls:#,0} calls, {overlapping:0.0} % overlap, {busy:0.0} % BUSY, {figures.HostPriority:#,0} raised host priority, {figures.GuestBusy:#,0} TDCALLs BUSY");
        Paragraph.Write(terminal, "  ", $"judged in {speed.Seconds:0.000} s of processor time, {figures.Calls / speed.Seconds:#,0} calls/s");
        return ExitStatus.Held;
    }

    private static TraceReader Open(string? path) =>
        path is null ? TraceReader.Open("built-in mixed-long", CallBenchmark.OpenOwnRecording()) : TraceReader.Open(path);

    private static void Write(Terminal terminal, Dictionary<string, Speed> results) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        foreach (string name in (string[])["model", "reference", "props"])
        {
            json.WriteStartObject(name);
            json.WriteNumber("callsPerSecond", Math.Round(results[name].CallsPerSecond));
            json.WriteNumber("bytesPerCall", Math.Round(results[name].BytesPerCall, 2));
            json.WriteEndObject();
        }

        json.WriteStartObject("traceJudge");
        json.WriteNumber("callsPerSecond", Math.Round(results["traceJudge"].CallsPerSecond));
        json.WriteNumber("callsPerSecondWithParsing", Math.Round(results["traceJudgeWithParsing"].CallsPerSecond));
        json.WriteEndObject();
        json.WriteEndObject();
    });
}
