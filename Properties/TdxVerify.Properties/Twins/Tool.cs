using System.ComponentModel;
using System.Diagnostics;
using TdxVerify.Abi;

namespace TdxVerify.Properties.Twins;

/// <summary>What a tool printed, and what it took.</summary>
/// <param name="Output">Its standard output.</param>
/// <param name="Seconds">Its processor time.</param>
/// <param name="PeakBytes">The most memory it used.</param>
internal sealed record ToolRun(string Output, double Seconds, long PeakBytes);

/// <summary>Runs model checkers and the C compiler.</summary>
internal static class Tool
{
    // Often enough: what a checker uses grows to the end and then stays.
    private static readonly TimeSpan s_watch = TimeSpan.FromMilliseconds(5);

    /// <summary>The tool is in PATH.</summary>
    public static bool IsThere(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, name)));

    /// <summary>Runs a tool to its end.</summary>
    /// <param name="folder">Where it runs.</param>
    /// <param name="name">A name in PATH, or a path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="InputException">It could not be run, or it failed.</exception>
    public static ToolRun Run(string folder, string name, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(name, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception error)
        {
            throw new InputException($"{name} could not be run: {error.Message}");
        }

        using (process)
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            Task<string> errors = process.StandardError.ReadToEndAsync();
            (double seconds, long peak) = Watch(process);
            if (process.ExitCode != 0)
                throw new InputException($"{Path.GetFileName(name)} {string.Join(' ', start.ArgumentList)} failed with status {process.ExitCode}: {Line(errors.Result + output.Result)}");
            return new ToolRun(output.Result, seconds, peak);
        }
    }

    // Asked while it runs: what a process has used cannot be asked when it is gone.
    private static (double Seconds, long Peak) Watch(Process process)
    {
        double seconds = 0;
        long peak = 0;
        while (!process.WaitForExit(s_watch))
        {
            try
            {
                seconds = process.TotalProcessorTime.TotalSeconds;
                peak = Math.Max(peak, ProcessCost.PeakOf(process.Id));
            }
            catch (Exception gone) when (gone is InvalidOperationException or Win32Exception)
            {
                break;
            }
        }

        process.WaitForExit();
        return (seconds, peak);
    }

    private static string Line(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault() ?? "it printed nothing";
}
