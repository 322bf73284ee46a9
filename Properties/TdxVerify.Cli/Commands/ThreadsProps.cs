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
        using var run = new ThreadsRun(port, options);
        var text = new ThreadsText(terminal, options);
        if (!asJson)
            text.WriteStart(port.Name);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => EndEarly(signal, run));
        using var termination = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => EndEarly(signal, run));
        ThreadsResult result = asJson ? run.Run() : text.RunWithProgress(run);
        string? file = result.Failure is { } failure ? Save(output, $"threads-{options.Seed:x16}", port, failure.Events) : null;
        string[] undecided = [.. result.Undecided.Select((history, number) => Save(output, $"undecided-{options.Seed:x16}-{number + 1}", port, history.Events))];
        if (asJson)
            ThreadsJson.Write(terminal, options, result, file, undecided);
        else
            text.Write(result, file, undecided);
        if (result.Failure is not null)
            return ExitStatus.Broken;
        if (undecided.Length > 0)
            return ExitStatus.CouldNotRun;
        return result.WasInterrupted ? ExitStatus.Interrupted : ExitStatus.Held;
    }

    private static void EndEarly(PosixSignalContext signal, ThreadsRun run)
    {
        signal.Cancel = true;
        run.Stop();
    }

    private static string Save(string folder, string name, IPort port, IReadOnlyList<TraceEvent> events)
    {
        Directory.CreateDirectory(folder);
        string file = Path.Combine(folder, $"{name}.jsonl");
        using var writer = TraceWriter.Create(file, new TraceHeader { Implementation = port.Name, Platform = port.Platform });
        foreach (TraceEvent e in events)
            writer.Write(e);
        return file;
    }
}
