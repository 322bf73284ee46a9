using System.Globalization;
using System.Text.Json;
using TdxVerify.Properties.Twins;

namespace TdxVerify.Cli.Commands;

/// <summary><c>bench --explore</c>: this program and Spin in turn on the same scenario, one core each.</summary>
internal static class ExplorationBench
{
    private const string Scenario = "zero-step-vs-aug-2";
    private const int Runs = 7;

    public static int Run(Terminal terminal, bool asJson)
    {
        ExplorationBenchmark result = ExplorationBenchmark.Run(TwinsCommand.Find(Scenario), Runs);
        if (asJson)
            WriteJson(terminal, result);
        else
            Print(terminal, result);
        return ExitStatus.Held;
    }

    private static void Print(Terminal terminal, ExplorationBenchmark result)
    {
        TextWriter output = terminal.Out;
        output.WriteLine($"{terminal.Bold("bench --explore")}  {result.Scenario}, {result.Own.States:#,0} states, reductions off, one core each, the best of {Runs} runs");
        output.WriteLine(terminal.Faint($"  {"checker",-20}{"states/s",14}{"bytes/state",14}"));
        foreach (CheckerResult checker in (CheckerResult[])[result.Own, result.Spin])
            output.WriteLine($"  {checker.Checker,-20}{checker.StatesPerSecond,14:#,0}{checker.BytesPerState,14:0.0}");
        string ratios = string.Create(CultureInfo.InvariantCulture, $"  {"ratio",-20}{result.SpeedRatio,14:0.00}{result.BytesRatio,14:0.00}");
        output.WriteLine(terminal.Bold(ratios));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  two cores: {result.Scaling:0.00} times as fast as one ({result.Elapsed.Two.TotalSeconds:0.00} s and {result.Elapsed.One.TotalSeconds:0.00} s passed)"));
        output.WriteLine(terminal.Faint("  Seconds are of processor time, except for two cores. Bytes are those by which memory grew at its peak."));
    }

    private static void WriteJson(Terminal terminal, ExplorationBenchmark result) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteString("scenario", result.Scenario);
        json.WriteNumber("states", result.Own.States);
        Write(json, "tdxverify", result.Own);
        Write(json, "spin", result.Spin);
        json.WriteNumber("statesPerSecondRatio", Math.Round(result.SpeedRatio, 2));
        json.WriteNumber("bytesPerStateRatio", Math.Round(result.BytesRatio, 2));
        json.WriteNumber("twoCoresToOne", Math.Round(result.Scaling, 2));
        json.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter json, string name, CheckerResult result)
    {
        json.WriteStartObject(name);
        json.WriteNumber("statesPerSecond", Math.Round(result.StatesPerSecond));
        json.WriteNumber("bytesPerState", Math.Round(result.BytesPerState, 1));
        json.WriteEndObject();
    }
}
