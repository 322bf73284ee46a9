using TdxVerify.Hardware.Trace;
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

    private bool _hasTableHead;

    /// <summary>Writes one verdict. A file alone that could not be judged has its line on stderr only.</summary>
    public void Write(TraceVerdict verdict)
    {
        if (isAlone && verdict.Outcome is (TraceOutcome.Unreadable or TraceOutcome.OutOfScope))
            return;
        WriteTableHead();
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

    // A column's heading has no room for a path.
    private string ShortTarget => target.Name.Split(':')[0];

    private static double Rate(long calls, TimeSpan elapsed) => elapsed > TimeSpan.Zero ? calls / elapsed.TotalSeconds : 0;

    private void WriteTableHead()
    {
        if (_hasTableHead)
            return;
        _hasTableHead = true;
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

        if (finding.History is { } history)
        {
            Paragraph.Write(terminal, Indent, terminal.Bad($"rejected at {where}: no interleaving of the calls explains this"));
            new HistoryText(terminal).Write(history);
            return;
        }

        string what = verdict.Outcome switch
        {
            TraceOutcome.Rejected => terminal.Bad("rejected"),
            TraceOutcome.OutOfScope => "out of scope",
            _ => "unreadable",
        };
        Paragraph.Write(terminal, Indent, $"{what}, {where}: {finding.Reason}");
    }

    private void WriteRejection(Rejection rejection)
    {
        const string Inner = Indent + Indent;
        terminal.Out.WriteLine();
        Paragraph.Write(terminal, Inner, terminal.Bold(rejection.Call));
        Paragraph.Write(terminal, Label("recorded"), rejection.Recorded);
        Paragraph.Write(terminal, Label(ShortTarget), rejection.Actual);
        if (rejection.Deciding is { } step)
            Paragraph.Write(terminal, Label("decided by"), step.ToString());
        if (rejection.PlatformNote.Length > 0)
            Paragraph.Write(terminal, Label("platform"), rejection.PlatformNote);
        if (rejection.ModelNote.Length > 0)
            Paragraph.Write(terminal, Label("model"), rejection.ModelNote);
        WriteRegisters(rejection.Registers);
        if (WriteHeading("state before", rejection.StateBefore.Count))
            Paragraph.WriteRows(terminal, Indent + Inner, [.. rejection.StateBefore.Select(line => (line.Subject, line.Text))]);
        if (WriteHeading(target == PortTarget.Model ? "what the call changed" : "what the call changed in the model", rejection.Changes.Count))
            rejection.Changes.ToList().ForEach(change => Paragraph.Write(terminal, Indent + Inner, change));
        terminal.Out.WriteLine();

        static string Label(string text) => $"{Inner}{text.PadRight(NameWidth)}";
    }

    private void WriteRegisters(IReadOnlyList<ComparedRegister> registers)
    {
        if (!WriteHeading($"{"register",-NameWidth}{"recorded",-20}{ShortTarget}", registers.Count))
            return;
        foreach (ComparedRegister row in registers)
        {
            string line = $"{Indent}{Indent}{TraceEventText.Name(row.Register),-NameWidth}0x{row.Recorded,-18:x16}0x{row.Actual:x16}";
            terminal.Out.WriteLine(row.Differs ? terminal.Bad($"{line}  differs") : line);
        }
    }

    // Nothing is written, and the answer is false, where nothing would follow.
    private bool WriteHeading(string heading, int lines)
    {
        if (lines == 0)
            return false;
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Faint($"{Indent}{Indent}{heading}"));
        return true;
    }
}
