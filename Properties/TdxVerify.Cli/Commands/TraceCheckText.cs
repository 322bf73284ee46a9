using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.State;
using TdxVerify.Properties.Targets;
using TdxVerify.Properties.Traces;

namespace TdxVerify.Cli.Commands;

/// <summary>Verdicts on traces as people read them: a line a file, and what was found of those that are not accepted.</summary>
internal sealed class TraceCheckText(Terminal terminal, PortTarget target, bool isAlone)
{
    private const string Indent = "  ";
    private const int NameWidth = 12;
    private const int NumberWidth = 10;

    // What a row has before the file's name.
    private const int RowStart = 2 + (3 * NumberWidth) + 2;

    private static readonly (TraceOutcome Outcome, string Name)[] s_outcomes =
    [
        (TraceOutcome.Accepted, "accepted"), (TraceOutcome.Rejected, "rejected"),
        (TraceOutcome.Unreadable, "unreadable"), (TraceOutcome.OutOfScope, "out of scope"),
    ];

    private bool _hasHeading;

    /// <summary>Writes one verdict. A file alone that could not be judged has its line on stderr only.</summary>
    public void Write(TraceVerdict verdict)
    {
        if (isAlone && verdict.Outcome is (TraceOutcome.Unreadable or TraceOutcome.OutOfScope))
            return;
        WriteHeading();
        WriteRow(verdict);
        if (verdict.Finding is { } finding)
            WriteFinding(verdict, finding);
    }

    /// <summary>Writes what came of all files together.</summary>
    public void WriteSummary(IReadOnlyList<TraceVerdict> verdicts)
    {
        if (isAlone)
            return;
        string counts = string.Join(", ", s_outcomes
            .Select(row => (row.Name, Count: verdicts.Count(verdict => verdict.Outcome == row.Outcome)))
            .Where(row => row.Count > 0).Select(row => $"{row.Count} {row.Name}"));
        long calls = verdicts.Sum(verdict => verdict.Calls);
        TimeSpan elapsed = verdicts.Aggregate(TimeSpan.Zero, (sum, verdict) => sum + verdict.Elapsed);
        terminal.Out.WriteLine();
        Paragraph.Write(terminal, "", $"{terminal.Bold(counts)}; {calls:N0} calls in {elapsed.TotalSeconds:0.00} s, {Rate(calls, elapsed):N0} calls/s, judged by the {target.Name}");
    }

    private static double Rate(long calls, TimeSpan elapsed) => elapsed > TimeSpan.Zero ? calls / elapsed.TotalSeconds : 0;

    private void WriteHeading()
    {
        if (_hasHeading)
            return;
        _hasHeading = true;
        terminal.Out.WriteLine(terminal.Faint($"  {"sequences",NumberWidth}{"calls",NumberWidth}{"calls/s",NumberWidth}  file"));
    }

    private void WriteRow(TraceVerdict verdict)
    {
        (string mark, string rate) = verdict.Outcome switch
        {
            TraceOutcome.Accepted => (terminal.Good("✓"), $"{Rate(verdict.Calls, verdict.Elapsed):N0}"),
            TraceOutcome.Rejected => (terminal.Bad("✗"), ""),
            _ => ("-", ""),
        };
        terminal.Out.WriteLine($"{mark} {verdict.Sequences,NumberWidth:N0}{verdict.Calls,NumberWidth:N0}{rate,NumberWidth}  {Shortened(verdict.File)}");
    }

    // A terminal would break the line; elsewhere the whole name is worth more.
    private string Shortened(string file)
    {
        int room = terminal.Width - RowStart;
        return terminal.IsInteractive && file.Length > room ? $"…{file[^Math.Max(room - 1, 1)..]}" : file;
    }

    private void WriteFinding(TraceVerdict verdict, TraceFinding finding)
    {
        string where = finding.Line is { } line ? $"line {line}" : "the file";
        if (finding.Sequence is { } sequence)
            where += $", sequence {sequence}";
        if (finding.Rejection is { } rejection)
        {
            Paragraph.Write(terminal, Indent, terminal.Bad($"rejected at {where}"));
            WriteRejection(rejection);
            return;
        }

        string what = verdict.Outcome == TraceOutcome.OutOfScope ? "out of scope" : "unreadable";
        Paragraph.Write(terminal, Indent, $"{what}, {where}: {finding.Reason}");
    }

    private void WriteRejection(Rejection rejection)
    {
        const string Inner = Indent + Indent;
        terminal.Out.WriteLine();
        Paragraph.Write(terminal, Inner, terminal.Bold(rejection.Call));
        Paragraph.Write(terminal, Label("recorded"), rejection.Recorded);
        Paragraph.Write(terminal, Label(target.Name), rejection.Actual);
        if (rejection.Deciding is { } step)
            Paragraph.Write(terminal, Label("decided by"), step.ToString());
        if (rejection.ModelNote.Length > 0)
            Paragraph.Write(terminal, Label("model"), rejection.ModelNote);
        WriteRegisters(rejection.Registers);
        WriteList("state before", [.. rejection.StateBefore]);
        WriteList(target == PortTarget.Model ? "what the call changed" : "what the call changed in the model", [.. rejection.Changes.Select(change => new StateLine("", change))]);
        terminal.Out.WriteLine();

        string Label(string text) => $"{Inner}{(text.Length > NameWidth - 2 ? "target" : text).PadRight(NameWidth)}";
    }

    private void WriteRegisters(IReadOnlyList<ComparedRegister> registers)
    {
        if (registers.Count == 0)
            return;
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Faint($"{Indent}{Indent}{"register",-NameWidth}{"recorded",-20}{Shown(target.Name)}"));
        foreach (ComparedRegister row in registers)
        {
            string line = $"{Indent}{Indent}{TraceEventText.Name(row.Register),-NameWidth}0x{row.Recorded,-18:x16}0x{row.Actual:x16}";
            terminal.Out.WriteLine(row.Differs ? terminal.Bad($"{line}  differs") : line);
        }

        static string Shown(string name) => name.Length > NameWidth - 2 ? "target" : name;
    }

    private void WriteList(string heading, List<StateLine> lines)
    {
        if (lines.Count == 0)
            return;
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Faint($"{Indent}{Indent}{heading}"));
        foreach (StateLine line in lines)
            Paragraph.Write(terminal, $"{Indent}{Indent}{Indent}", line.Subject.Length > 0 ? $"{line.Subject}: {line.Text}" : line.Text);
    }
}
