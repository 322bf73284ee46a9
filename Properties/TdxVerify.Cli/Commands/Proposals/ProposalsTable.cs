using TdxVerify.Properties.Proposals;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary>The table of proposals; while it is worked on, redrawn in place.</summary>
internal sealed class ProposalsTable(Terminal terminal)
{
    private const int WideTerminal = 118;
    private const int RedrawMilliseconds = 500;

    private static readonly Column[] s_wide =
    [
        new("", "proposal", 27), new("BUG-", "free", 8), new("TLB-", "safe", 7), new("mirror", "agrees", 8), new("livelock-", "free", 11),
        new("starvation-", "free", 13), new("guest", "can't BUG", 11), new("most", "repeats", 9), new("", "kicks", 7), new("failed", "entries", 9),
        new("blocked", "entries", 9), new("", "complete", 10), new("", "states", 11),
    ];

    private static readonly Column[] s_narrow =
    [
        new("", "proposal", 26), new("BUG", "free", 5), new("TLB", "safe", 5), new("mir", "ror", 4), new("live", "lock", 5), new("star", "ve", 5),
        new("gst", "BUG", 4), new("re", "pt", 3), new("ki", "ck", 3), new("fa", "il", 3), new("bl", "ck", 3), new("", "done", 6), new("", "states", 7),
    ];

    private readonly Column[] _columns = terminal.Width >= WideTerminal ? s_wide : s_narrow;

    /// <summary>Runs, and shows how far it is where standard output is a terminal.</summary>
    public IReadOnlyList<ProposalReport> RunLive(ProposalRun run)
    {
        int drawn = 0;
        try
        {
            return Redrawn.While(terminal, RedrawMilliseconds, () => drawn = Redraw(run, drawn), run.Run);
        }
        finally
        {
            Clear(drawn);
        }
    }

    /// <summary>Writes the table and what its marks mean.</summary>
    public void Write(IReadOnlyList<ProposalReport> reports, TimeSpan time)
    {
        foreach (string line in Lines(reports))
            terminal.Out.WriteLine(line);
        terminal.Out.WriteLine();
        Paragraph.Write(terminal, "", terminal.Faint("✓ proven in every configuration that is explored to the end, ✗ refuted, ? not decided; (✓) only if what is possible again and again also succeeds some time (strong fairness)"));
        Paragraph.Write(terminal, "", terminal.Faint("most in a row, over all schedules: SEAMCALLs repeated, kicks until a host thread gets on, failed TDH.VP.ENTERs, entries blocked by a host thread; ~ as long as "
            + "another agent stands still, ∞ without end although all get their turns, ≥ not proven"));
        terminal.Out.WriteLine();
        foreach (ProposalReport report in reports.Where(report => report.Refutations.Count > 0))
        {
            foreach (Refutation refutation in report.Refutations)
                Paragraph.Write(terminal, $"{terminal.Bold(report.Proposal.Name.PadRight(26))}", $"not {refutation.Property.Title()}: {RefutationText.Line(refutation)}");
        }

        ConfigurationResult[] open = [.. reports.SelectMany(report => report.Results).Where(result => result.Result.Coverage != Coverage.Complete)];
        foreach (IGrouping<string, ConfigurationResult> configuration in open.GroupBy(result => result.Configuration.Name))
            Paragraph.Write(terminal, $"{terminal.Bold(configuration.Key)}  ", Describe([.. configuration.Select(result => result.Result)]));
        terminal.Out.WriteLine();
        int unsafeOnes = reports.Count(report => report.Verdict == ProposalVerdict.Unsafe);
        terminal.Out.WriteLine(
            $"{reports.Count} proposals: {reports.Count(report => report.Verdict == ProposalVerdict.Safe)} safe, {unsafeOnes} unsafe, "
            + $"{reports.Count(report => report.Verdict == ProposalVerdict.Undecided)} undecided; {reports.Sum(report => report.States):N0} states, {time.TotalSeconds:0.0} s");
    }

    /// <summary>The table of some proposals, without legend.</summary>
    public void WriteRows(IReadOnlyList<ProposalReport> reports)
    {
        foreach (string line in Lines(reports))
            terminal.Out.WriteLine(line);
    }

    private static string Describe(SystemResult[] results)
    {
        SystemResult most = results.MaxBy(result => result.States)!;
        string what = string.Join(", ", results.GroupBy(result => result.Coverage).OrderBy(group => group.Key).Select(group => $"{Name(group.Key)} for {group.Count()}"));
        string sample = results.FirstOrDefault(result => result.Sample is not null)?.Sample is { } sampled ? $"; {sampled.Schedules:N0} random schedules of {sampled.Steps:N0} steps" : "";
        return $"{what}; up to {most.States:N0} states in {most.Seconds:0.0} s{sample}";
    }

    private static string Name(Coverage coverage) => coverage switch
    {
        Coverage.Complete => "explored whole",
        Coverage.Reduced => "explored with reductions, so whether agents get on is not decided,",
        Coverage.Partial => "explored in part",
        _ => "explored in part and sampled",
    };

    private IEnumerable<string> Lines(IReadOnlyList<ProposalReport> reports)
    {
        yield return terminal.Faint(string.Concat(_columns.Select((column, i) => Padded(column.Top, column.Width, i == 0))).TrimEnd());
        yield return terminal.Faint(string.Concat(_columns.Select((column, i) => Padded(column.Title, column.Width, i == 0))).TrimEnd());
        foreach (ProposalReport report in reports)
            yield return Row(report);
    }

    private string Row(ProposalReport report)
    {
        int complete = report.Explored.Count(result => result.Result.Coverage == Coverage.Complete);
        string[] bounds = report.Results.Count == 0 ? ["", "", "", ""] : [.. report.Bounds.All.Select(bound => bound.Bound.ToString())];
        string[] numbers = [.. bounds, $"{complete}/{report.Explored.Count() + report.Missing}", States(report.States)];
        IEnumerable<string> cells = ProposalProperties.All.Select((property, i) => Cell(report, property, _columns[i + 1].Width))
            .Concat(numbers.Select((number, i) => Padded(number, _columns[i + 7].Width, false)));
        return Padded(report.Proposal.Name, _columns[0].Width, true) + string.Concat(cells);
    }

    private string Cell(ProposalReport report, ProposalProperty property, int width)
    {
        bool? holds = report.Holds(property);
        string mark = VerdictMark.Of(holds, report.Holds(property, weakly: true));
        Func<string, string> style = holds switch
        {
            false => terminal.Bad,
            null => terminal.Faint,
            _ => terminal.Good,
        };
        return new string(' ', width - mark.Length) + style(mark);
    }

    private static string States(long states) => states < 1_000_000 ? $"{states / 1000.0:0.0}k" : $"{states / 1_000_000.0:0.0}M";

    private static string Padded(string text, int width, bool left) => left ? text.PadRight(width) : text.PadLeft(width);

    private int Redraw(ProposalRun run, int drawn)
    {
        List<string> lines = [.. Lines(run.Reports), "", terminal.Faint($"{run.Done} of {run.Cells} cells, {run.Elapsed.TotalSeconds:0} s: {string.Join(", ", run.UnderWay)}")];
        if (lines.Count >= Console.WindowHeight)
            lines.RemoveRange(0, lines.Count - 1);
        Clear(drawn);
        foreach (string line in lines)
            terminal.Out.WriteLine(Fitted(line));
        terminal.Out.Flush();
        return lines.Count;
    }

    // A line that wrapped would be two when it is cleared. Only the last one can be too long, and it has one style.
    private string Fitted(string line) => line.Length <= terminal.Width + "\e[2m\e[0m".Length || !line.Contains("cells", StringComparison.Ordinal)
        ? line
        : line[..(terminal.Width - 1)] + (terminal.HasColours ? "\e[0m" : "");

    private void Clear(int lines)
    {
        if (lines > 0)
            terminal.Out.Write($"\e[{lines}A\e[J");
    }

    private readonly record struct Column(string Top, string Title, int Width);
}
