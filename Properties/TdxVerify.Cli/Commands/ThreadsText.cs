using System.Diagnostics;
using TdxVerify.Properties.Threads;

namespace TdxVerify.Cli.Commands;

/// <summary>A run with threads as a person reads it.</summary>
internal sealed class ThreadsText(Terminal terminal, ThreadsOptions options)
{
    private const int LabelWidth = 18;

    public void WriteStart(string implementation) =>
        Paragraph.Write(terminal, $"{terminal.Bold("props")}  ", $"{implementation}, seed 0x{options.Seed:x}, {options.Threads} threads, {options.Time.TotalSeconds:0.#} s");

    public ThreadsResult RunWithProgress(ThreadsRun run)
    {
        if (!terminal.IsInteractive)
            return run.Run();
        var time = Stopwatch.StartNew();
        using var timer = new Timer(_ => Progress(run, time.Elapsed), null, 500, 1000);
        ThreadsResult result = run.Run();
        timer.Change(Timeout.Infinite, Timeout.Infinite);
        lock (terminal)
            terminal.ClearLine();
        return result;
    }

    /// <summary>Writes the end of the run.</summary>
    /// <param name="result">What it found.</param>
    /// <param name="file">Where the failure was saved; null: there is none.</param>
    /// <param name="undecided">Where the undecided histories were saved.</param>
    public void Write(ThreadsResult result, string? file, IReadOnlyList<string> undecided)
    {
        ThreadsFigures figures = result.Figures;
        terminal.Out.WriteLine();
        Row("overlapping", $"{Percent(figures.Overlapping, figures)} of the calls overlap with another");
        Row("OPERAND_BUSY", $"{Percent(figures.Busy, figures)} of the calls");
        Row("host priority", $"{figures.HostPriority:#,0} host calls were refused a lock with host priority, {figures.GuestBusy:#,0} TDCALLs were refused one");
        Row("judging", $"{result.JudgingSeconds:0.0} of {result.Seconds:0.0} s");
        foreach ((UndecidedHistory history, string saved) in result.Undecided.Zip(undecided))
            Row("undecided", $"{history.Reason}; saved as {saved}");
        if (result.Failure is { } failure)
            WriteFailure(failure, file!);
        terminal.Out.WriteLine();
        string verdict = result.Failure is not null ? terminal.Bad("violated")
            : undecided.Count > 0 ? terminal.Bad("undecided") + ", else held"
            : result.WasInterrupted ? terminal.Bad("interrupted") + ", held so far"
            : terminal.Good("held");
        Paragraph.Write(terminal, $"{verdict}  ", $"{ThreadsProps.Law}, {figures.Calls:#,0} calls in {result.Histories:#,0} {(result.Histories == 1 ? "history" : "histories")}, {result.Seconds:0.0} s");
    }

    private static string Percent(long part, ThreadsFigures figures) => $"{ThreadsFigures.Percent(part, figures.Calls):0.0} %";

    private void Row(string label, string text) => Paragraph.Write(terminal, $"  {label.PadRight(LabelWidth)}", text);

    private void Progress(ThreadsRun run, TimeSpan elapsed)
    {
        ThreadsFigures figures = run.Figures;
        string line = run.IsShrinking
            ? $"  {elapsed.TotalSeconds,4:0} s  a history has no explanation: making it small"
            : $"  {elapsed.TotalSeconds,4:0} s  {figures.Calls:#,0} calls  {Percent(figures.Overlapping, figures)} overlapping  {Percent(figures.Busy, figures)} BUSY";
        lock (terminal)
            terminal.ShowLine(line);
    }

    private void WriteFailure(ThreadsFailure failure, string file)
    {
        terminal.Out.WriteLine();
        Paragraph.Write(terminal, "", terminal.Bold($"{ThreadsProps.Law} is broken: {failure.CallsMade:#,0} calls, made {failure.Calls:#,0}"));
        if (failure.Finding is { } finding)
            new HistoryText(terminal).Write(finding.Rejection);
        else
            Paragraph.Write(terminal, $"  {terminal.Bad("✗")} ", failure.Reason);
        Row("saved as", file);
        Row("judge again", $"./run-props.sh trace check {file}");
    }
}
