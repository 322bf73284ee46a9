using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Targets;
using TdxVerify.Properties.Threads;

namespace TdxVerify.Cli.Commands;

/// <summary><c>props --threads N</c>: calls from several threads at once, judged as histories.</summary>
internal static class ThreadsProps
{
    /// <summary>The law that such a run checks.</summary>
    public const string Law = "explained-by-an-interleaving";

    public static int Run(Terminal terminal, PortTarget target, ModuleProfile profile, ThreadsOptions options, string output, bool asJson)
    {
        SavedFailure.CheckFolder(output);
        using IPort port = target.Open(new PlatformInfo { Profile = profile, LpCount = Math.Max(options.Threads, new PlatformInfo().LpCount) });
        var run = new ThreadsRun(port, options);
        var text = new ThreadsText(terminal, options);
        if (!asJson)
            text.WriteStart(port.Name);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => EndEarly(signal, run));
        using var termination = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => EndEarly(signal, run));
        ThreadsResult result = asJson ? run.Run() : text.RunWithProgress(run);
        string? file = result.Failure is { } failure ? Save(output, port, options, failure) : null;
        if (asJson)
            ThreadsJson.Write(terminal, options, result, file);
        else
            text.Write(result, file);
        return result.Failure is not null ? ExitStatus.Broken : result.WasInterrupted ? ExitStatus.Interrupted : ExitStatus.Held;
    }

    private static void EndEarly(PosixSignalContext signal, ThreadsRun run)
    {
        signal.Cancel = true;
        run.Stop();
    }

    private static string Save(string folder, IPort port, ThreadsOptions options, ThreadsFailure failure)
    {
        Directory.CreateDirectory(folder);
        string file = Path.Combine(folder, $"threads-{options.Seed:x16}.jsonl");
        using var writer = TraceWriter.Create(file, new TraceHeader { Implementation = port.Name, Platform = port.Platform });
        foreach (TraceEvent e in failure.Events)
            writer.Write(e);
        return file;
    }
}
