using TdxVerify.Abi;
using TdxVerify.Properties.Explain;
using TdxVerify.Properties.Lanes;
using TdxVerify.Properties.Schedules;

namespace TdxVerify.Cli.Commands;

/// <summary>A run of random schedules for a reader.</summary>
internal sealed class SchedulesText(Terminal terminal, ScheduleOptions options)
{
    private string Strategy => options.Strategy switch
    {
        ScheduleStrategy.Uniform => "uniform",
        ScheduleStrategy.Pct => $"PCT, depth {options.Depth}",
        _ => "partial-order sampling",
    };

    public void WriteStart()
    {
        Paragraph.Write(
            terminal, $"{terminal.Bold("props")}  ",
            $"random schedules ({Strategy}), model of TDX module {options.Platform.Profile.Name()}, {options.Platform.LpCount} processors, {options.Calls} calls that overlap, "
            + $"seed 0x{options.Seed:x}, {(options.Workers == 1 ? "1 worker" : $"{options.Workers} workers")}, {options.Time.TotalSeconds:0.#} s");
        terminal.Out.WriteLine();
    }

    /// <summary>Runs, with a line each second where standard output is a terminal.</summary>
    public ScheduleResult RunWithProgress(ScheduleCampaign campaign)
    {
        if (!terminal.IsInteractive)
            return campaign.Run();
        using var timer = new Timer(_ => terminal.Out.Write($"\r{campaign.Schedules:#,0} schedules\e[K"), null, 1000, 1000);
        ScheduleResult result = campaign.Run();
        timer.Dispose();
        terminal.Out.Write("\r\e[K");
        return result;
    }

    public void Write(ScheduleResult result, (string File, LaneDiagram Lanes)? saved)
    {
        WriteLaws(result);
        WriteCoverage(result.Coverage);
        if (result.Found is { } found)
            WriteFound(found, saved!.Value);
        string verdict = result.Found is null ? terminal.Good("held") : terminal.Bad("violated");
        terminal.Out.WriteLine(
            $"{verdict}  {(result.Found is { } broken ? broken.Smallest.Outcome.Failure!.Law : $"{result.Laws.Count} laws")}, {result.Coverage.Schedules:#,0} schedules of "
            + $"{result.Coverage.Plans:#,0} {(result.Coverage.Plans == 1 ? "set" : "sets")} of calls, {result.Time.TotalSeconds:0.0} s");
    }

    public void WriteReplay(FailingSchedule replayed, LaneDiagram lanes)
    {
        terminal.Out.WriteLine(
            $"{terminal.Bold("replay")}  {replayed.Plan.Calls.Count} calls that overlap, after {replayed.Plan.Setup.Count} events, model of TDX module {options.Platform.Profile.Name()}");
        terminal.Out.WriteLine($"schedule  {ScheduleRun.Text(replayed.Outcome.Schedule)}");
        terminal.Out.WriteLine();
        LaneWriter.Write(terminal, lanes, "  ");
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(replayed.Outcome.Failure is { } failure ? $"{terminal.Bad("violated")}  {failure.Law}: {failure.Reason}" : $"{terminal.Good("held")}  all laws");
    }

    private void WriteLaws(ScheduleResult result)
    {
        terminal.Out.WriteLine(terminal.Bold("Laws, and how often there was something to judge"));
        string? broken = result.Found?.Smallest.Outcome.Failure!.Law;
        int column = result.Laws.Max(law => law.Name.Length);
        foreach ((string name, string statement, long judged) in result.Laws)
        {
            string mark = name == broken ? terminal.Bad("✗") : judged == 0 ? "–" : terminal.Good("✓");
            Paragraph.Write(terminal, $"  {mark} {name.PadRight(column)}  {judged,13:#,0}  ", statement);
        }

        terminal.Out.WriteLine();
    }

    private void WriteCoverage(ScheduleCoverage coverage)
    {
        terminal.Out.WriteLine(terminal.Bold("What the schedules came across"));
        Paragraph.WriteRows(terminal, "  ",
        [
            ("schedules", $"{coverage.Schedules:#,0} of {coverage.Plans:#,0} sets of calls, {coverage.DistinctSchedules:#,0} of them unlike all others of the same calls"),
            ("calls", $"{coverage.Calls:#,0} in {coverage.Steps:#,0} visible steps, {coverage.ContextSwitches:#,0} context switches"),
            ("ends", $"{(double)coverage.FinalStates / Math.Max(coverage.Plans, 1):0.00} final states for each set of calls, {coverage.Outcomes} pairs of leaf and outcome"),
            ("overlaps", $"{coverage.Overlaps} pairs of leaves of which one began while the other was under way"),
            ("halts", coverage.Halts == 0 ? "none" : $"{coverage.Halts:#,0} schedules halted the module (--law module-never-halts shows one)"),
        ]);
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Bold("OPERAND_BUSY by leaf and operand"));
        IGrouping<string, (string Leaf, string Operand, long Count)>[] leaves = [.. coverage.Busy.GroupBy(row => row.Leaf).OrderBy(leaf => leaf.Key, StringComparer.Ordinal)];
        Paragraph.WriteRows(terminal, "  ", [.. leaves.Select(leaf => (leaf.Key, string.Join(", ", leaf.Select(row => $"{row.Operand} {row.Count:#,0}"))))]);
        if (leaves.Length == 0)
            terminal.Out.WriteLine("  none");
        terminal.Out.WriteLine();
    }

    private void WriteFound(FoundSchedule found, (string File, LaneDiagram Lanes) saved)
    {
        FailingSchedule smallest = found.Smallest;
        Paragraph.Write(terminal, "", terminal.Bold(saved.Lanes.Title));
        Paragraph.Write(
            terminal, "  ",
            $"made small: {Counted.Of(found.First.Plan.Calls.Count, "call")}, {Counted.Of(found.First.Plan.Setup.Count, "event")} before them and "
            + $"{Counted.Of(found.First.Outcome.ContextSwitches, "context switch")} became {Counted.Of(smallest.Plan.Calls.Count, "call")}, "
            + $"{Counted.Of(smallest.Plan.Setup.Count, "event")} and {Counted.Of(smallest.Outcome.ContextSwitches, "context switch")}");
        terminal.Out.WriteLine();
        LaneWriter.Write(terminal, saved.Lanes, "  ");
        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"  saved as   {saved.File}");
        terminal.Out.WriteLine($"  replay     ./run-props.sh replay {saved.File}");
        terminal.Out.WriteLine($"  from seed  ./run-props.sh replay 0x{found.Seed:x} {Arguments()}");
        terminal.Out.WriteLine();
    }

    private string Arguments()
    {
        string depth = options.Strategy == ScheduleStrategy.Pct ? $" --depth {options.Depth}" : "";
        string laws = string.Concat(options.Laws.Select(law => $" --law {law}"));
        return $"--schedule {options.Strategy.ToString().ToLowerInvariant()}{depth} --agents {options.Platform.LpCount} --calls {options.Calls} --profile {options.Platform.Profile.Name()}{laws}";
    }
}
