using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Benchmarks;
using TdxVerify.Reference;

namespace TdxVerify.Cli.Commands;

/// <summary><c>bench</c>: calls per second on one core.</summary>
internal static class BenchCommand
{
    private const ulong PropsSeed = 1;

    public static Command Create(Terminal terminal)
    {
        var trace = new Option<string>("--trace") { HelpName = "FILE", Description = "a sequential recording; without it, the built-in mixed-long" };
        Option<string> time = Durations.Option("--time", "how long each measurement takes, once the JIT has settled", "5s");
        Option<bool> json = CommonOptions.Json();
        var command = new CliCommand("bench", "calls per second on one core: model, reference, property run, trace judge")
        {
            Details = "The calls of a recording, parsed beforehand, on the model and on the reference, answers not compared; the whole property run with all laws; "
                + "the trace judge. A call is a SEAMCALL, an entry or an exit; resets, guest operations, writes and locks of the recording take their time but do not "
                + "count. Seconds are of processor time, and each sequence, or round of the property run, counts with its best time, so other load on the machine matters little. "
                + "Each measurement begins when the JIT has settled, after some seconds. `./run-props.sh bench --micro` runs the micro-benchmarks instead.",
            Examples = [("", "everything"), ("--trace traces/zero-step.jsonl.gz --json", "another recording, as JSON")],
        };
        command.Add(trace);
        command.Add(time);
        command.Add(json);
        command.SetAction(parsed => Run(terminal, parsed.GetValue(trace), Durations.Parse("--time", parsed.GetRequiredValue(time)), parsed.GetValue(json)));
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
