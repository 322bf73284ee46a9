using System.Diagnostics;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Campaigns;
using TdxVerify.Properties.Traces;

namespace TdxVerify.Cli.Commands;

/// <summary>A property run as a person reads it.</summary>
internal sealed class PropsText(Terminal terminal, string implementation, PropsOptions options)
{
    private const int LawWidth = 30;
    private const int LeafWidth = 23;

    // With these, a table is 80 columns wide at most.
    private static readonly string[] s_septColumns = ["FREE", "NL_MAP", "NL_BLK", "MAP", "BLK", "PEND", "P_BLK"];
    private const int SeptColumnWidth = 7;

    public void WriteStart(IReadOnlyList<string> missing)
    {
        terminal.Out.WriteLine($"{terminal.Bold("props")}  {implementation}, seed 0x{options.Seed:x}, {options.Workers} worker{(options.Workers == 1 ? "" : "s")}, {options.Time.TotalSeconds:0.#} s");
        foreach (string what in missing)
            Paragraph.Write(terminal, "  left out: ", what);
    }

    public PropsResult RunWithProgress(PropsCampaign campaign)
    {
        if (!terminal.IsInteractive)
            return campaign.Run();
        var time = Stopwatch.StartNew();
        long lastCalls = 0;
        double lastTime = 0;
        using var timer = new Timer(_ =>
        {
            double now = time.Elapsed.TotalSeconds;
            long calls = campaign.Calls;
            double rate = (calls - lastCalls) / Math.Max(0.001, now - lastTime);
            (lastCalls, lastTime) = (calls, now);
            (int occurred, int all) = campaign.Cases;
            string line = campaign.IsShrinking
                ? $"  {now,4:0} s  a law is broken: making the sequence small"
                : $"  {now,4:0} s  {Count(calls)} calls  {Count((long)rate)}/s  {Count(campaign.Sequences)} sequences  cases {occurred}/{all}";
            lock (terminal)
                terminal.ShowLine(line);
        }, null, 500, 1000);
        PropsResult result = campaign.Run();
        timer.Change(Timeout.Infinite, Timeout.Infinite);
        lock (terminal)
            terminal.ClearLine();
        return result;
    }

    public void Write(PropsResult result, SavedFailure? saved, string target)
    {
        WriteLaws(result.Laws, result.Failure?.Failure.Law);
        if (result.Failure is null)
        {
            WriteStatuses(result.Leaves);
            WriteSeptStates(result);
            WriteSteps(result.Leaves);
        }
        else
        {
            WriteLeaves(result.Leaves);
            WriteFailure(result.Failure, saved!, target);
        }

        terminal.Out.WriteLine();
        WriteEnd(result);
        foreach (string missing in result.Failure is null ? result.MissingCases : [])
            Paragraph.Write(terminal, $"  {terminal.Bad("never occurred")}  ", missing);
    }

    /// <summary>What became of one sequence.</summary>
    public void WriteVerdict(PropsResult result, SavedFailure? saved, string target)
    {
        if (result.Failure is { } failure)
        {
            WriteFailure(failure, saved!, target);
            terminal.Out.WriteLine();
        }

        WriteEnd(result);
    }

    private void WriteEnd(PropsResult result)
    {
        string time = result.Seconds > 0 ? $", {result.Seconds:0.0} s" : "";
        string rate = result.Seconds > 0 ? $", {result.Calls / result.Seconds:#,0} calls/s" : "";
        terminal.Out.WriteLine(result.Failure is null
            ? $"{(result.WasInterrupted ? terminal.Bad("interrupted") + ", held so far" : terminal.Good("held"))}  {result.Laws.Count} laws, {result.Calls:#,0} calls in {Sequences(result.Sequences)}{time}{rate}"
            : $"{terminal.Bad("violated")}  {result.Failure.Failure.Law}, after {result.Calls:#,0} calls in {Sequences(result.Sequences)}{time}");
    }

    private static string Sequences(long count) => $"{count:#,0} sequence{(count == 1 ? "" : "s")}";

    private static string Count(long count) => count switch
    {
        < 10_000 => count.ToString(System.Globalization.CultureInfo.InvariantCulture),
        < 1_000_000 => $"{count / 1000.0:0}k",
        < 10_000_000 => $"{count / 1e6:0.0}M",
        _ => $"{count / 1e6:0}M",
    };

    private void WriteHeading(string text)
    {
        terminal.Out.WriteLine();
        Paragraph.Write(terminal, "", terminal.Bold(text));
    }

    private void WriteLaws(IReadOnlyList<LawReport> laws, string? broken)
    {
        WriteHeading("Laws, and how often their interesting cases occurred");
        foreach (LawReport law in laws)
        {
            string mark = law.Name == broken ? terminal.Bad("✗") : terminal.Good("✓");
            Paragraph.Write(
                terminal, $"  {mark} {law.Name,-LawWidth}",
                string.Join(", ", law.Sometimes.Select(item => item.Case + Paragraph.Unbroken($" {Count(item.Count)}")).DefaultIfEmpty($"checked {Count(law.Checked)}")));
        }
    }

    private void WriteStatuses(IReadOnlyList<LeafReport> leaves)
    {
        WriteHeading("Answers by leaf");
        foreach (LeafReport leaf in leaves)
        {
            Paragraph.Write(
                terminal, $"  {Short(leaf.Leaf),-LeafWidth} ",
                string.Join(", ", Distribution.Statuses(leaf).Select(item => Paragraph.Unbroken($"{item.Status.Replace("TDX_", "", StringComparison.Ordinal)} {Count(item.Count)}")).DefaultIfEmpty("never called")));
        }
    }

    private void WriteSeptStates(PropsResult result)
    {
        WriteHeading("S-EPT entry states that calls met (NL: entries that point to an S-EPT page; P, PEND: pending)");
        terminal.Out.WriteLine($"  {"",-LeafWidth} {string.Concat(s_septColumns.Select(column => $"{column,SeptColumnWidth}"))}");
        foreach ((string leaf, IReadOnlyList<long> states) in result.SeptStates)
            terminal.Out.WriteLine($"  {Short(leaf),-LeafWidth} {string.Concat(states.Select(count => $"{(count == 0 ? "." : Count(count)),SeptColumnWidth}"))}");
    }

    private void WriteSteps(IReadOnlyList<LeafReport> leaves)
    {
        int all = leaves.Sum(leaf => Distribution.CheckSteps(leaf).Count());
        int missing = leaves.Sum(leaf => Distribution.NotCovered(leaf).Count());
        WriteHeading($"Check and lock steps that decided against a call: {all - missing} of {all}");
        foreach (LeafReport leaf in leaves.Where(leaf => Distribution.NotCovered(leaf).Any()))
            Paragraph.Write(terminal, $"  {Short(leaf.Leaf),-LeafWidth} ", $"never: {string.Join(", ", Distribution.NotCovered(leaf))}");
    }

    // In short, where a broken law is what the reader came for.
    private void WriteLeaves(IReadOnlyList<LeafReport> leaves)
    {
        WriteHeading("Calls by leaf: how many, how many succeeded, different answers, check and lock steps that decided");
        foreach (LeafReport leaf in leaves)
        {
            int steps = Distribution.CheckSteps(leaf).Count();
            terminal.Out.WriteLine(
                $"  {Short(leaf.Leaf),-LeafWidth} {Count(leaf.Failed.Sum()),6} {Count(leaf.Success),6} {Distribution.Statuses(leaf).Count(),4} "
                + $"{steps - Distribution.NotCovered(leaf).Count(),4} of {steps}");
        }
    }

    private static string Short(string leaf) => leaf.Replace(" (version 1)", " v1", StringComparison.Ordinal);

    private void WriteFailure(FoundFailure failure, SavedFailure saved, string target)
    {
        WriteHeading($"{failure.Failure.Law} is broken: {failure.OriginalEvents} events, made {failure.Events.Count}");
        TraceInput story = TraceInput.Of(saved.File);
        TraceShowCommand.Tell(terminal, story, TraceStory.Overview(story)[0], options.Platform.Profile);
        terminal.Out.WriteLine();
        Paragraph.Write(terminal, "  ", $"{terminal.Bad("✗")} {failure.Failure.Reason}");
        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"  saved as   {saved.File}");
        terminal.Out.WriteLine($"  replay     ./run-props.sh replay {saved.File} --target {target}");
        if (failure.Seed is { } seed)
            terminal.Out.WriteLine($"  from seed  ./run-props.sh replay 0x{seed:x} --operations {failure.Operations} --target {target} --profile {Abi.ModuleProfiles.Name(options.Platform.Profile)}");
    }
}
