using BenchmarkDotNet.Running;
using TdxVerify.Benchmarks;

// In this process: a build of its own for each benchmark needs the SDK, and more time than the measurement.
List<string> arguments = [.. args];
if (!arguments.Contains("--inProcess") && !arguments.Contains("-i"))
    arguments.Add("--inProcess");
AddDefault("--filter", "-f", "*");
AddDefault("--artifacts", "-a", "artifacts/micro-benchmarks");
BenchmarkSwitcher.FromAssembly(typeof(LeafBenchmarks).Assembly).Run([.. arguments]);
return 0;

void AddDefault(string option, string alias, string value)
{
    if (!arguments.Exists(argument => argument == option || argument == alias || argument.StartsWith(option + "=", StringComparison.Ordinal)))
        arguments.AddRange([option, value]);
}
