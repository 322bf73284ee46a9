using Spectre.Console;
using TdxVerify.Model.Mutants;
using TdxVerify.Properties.Mutants;

namespace TdxVerify.Cli.Commands;

/// <summary>
/// A run of mutants as a person reads it: a page of scores with all survivors by name, or all mutants that are of interest.
/// </summary>
internal sealed class MutantsText(Terminal terminal, MutantsOptions options, bool isFull)
{
    private const int NameWidth = 34;
    private const int NumberWidth = 10;
    private const int Tick = 200;
    private const int RareShadow = 2;

    public void WriteStart(MutantsRun run)
    {
        string time = options.Time is { } limit ? $"a sample, {limit.TotalSeconds:0.#} s" : "all";
        string of = run.Selected == run.Of ? $"{run.Of:N0}" : $"{run.Selected:N0} of {run.Of:N0}";
        terminal.Out.WriteLine(
            $"{terminal.Bold("mutants")}  model of TDX module {Abi.ModuleProfiles.Name(options.Platform.Profile)}, {of} mutants, {time}, seed 0x{options.Seed:x}, "
            + $"{options.Workers} worker{(options.Workers == 1 ? "" : "s")}");
        if (options.Recordings is null)
            terminal.Out.WriteLine("  no recordings found: random sequences alone decide");
    }

    public MutantsResult RunWithProgress(MutantsRun run)
    {
        if (!terminal.IsInteractive)
            return run.Run();
        return terminal.Spectre.Status().Spinner(Spinner.Known.Line).Start("sequences", status =>
        {
            using var timer = new Timer(_ => status.Status = Line(run), null, Tick, Tick);
            return run.Run();
        });
    }

    public void Write(MutantsResult result)
    {
        WriteTable("By kind", result.Verdicts.GroupBy(verdict => verdict.Kind).OrderBy(group => group.Key).Select(group => (group.Key.Name(), group.ToList())));
        WriteTable(
            isFull ? "By leaf" : "By family of leaves",
            result.Verdicts.GroupBy(verdict => isFull ? verdict.Leaf : verdict.Family).Select(group => (group.Key, group.ToList())));
        WriteEquivalent(result);
        WriteLaws(result);
        WriteToldByNoLaw([.. result.Verdicts.Where(verdict => verdict.Conformance.IsKilled && verdict.Shadow is null && !verdict.Laws.IsKilled)]);
        WriteSurvivors([.. result.Survivors]);
        WriteEnd(result);
    }

    private static string Line(MutantsRun run) => run.Stage switch
    {
        "sequences" => "sequences are drawn",
        "mutants" => $"{run.Judged:N0} of {run.Selected:N0} mutants judged, {run.Survivors:N0} survive so far",
        "survivors" => $"{run.Survivors:N0} survivors are run on further sequences, {run.Sequences:N0} so far",
        _ => $"what shadows {run.Survivors:N0} survivors is looked for",
    };

    private static string Score(int killed, int of) => of == 0 ? "-" : $"{100.0 * killed / of:0.0} %";

    private void WriteTable(string heading, IEnumerable<(string Name, List<MutantVerdict> Verdicts)> rows)
    {
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Bold(heading));
        terminal.Out.WriteLine(terminal.Faint($"  {"",-NameWidth}{"mutants",NumberWidth}{"equivalent",NumberWidth + 2}{"killed",NumberWidth}{"laws",NumberWidth}"));
        foreach ((string name, List<MutantVerdict> verdicts) in rows)
        {
            List<MutantVerdict> counted = [.. verdicts.Where(verdict => verdict.Shadow is null)];
            int equivalent = verdicts.Count - counted.Count;
            int killed = counted.Count(verdict => verdict.Conformance.IsKilled);
            string conformance = $"{killed,NumberWidth}";
            terminal.Out.WriteLine(
                $"  {name,-NameWidth}{verdicts.Count,NumberWidth}{(equivalent == 0 ? "." : equivalent),NumberWidth + 2}"
                + $"{(killed < counted.Count ? terminal.Bad(conformance) : conformance)}{counted.Count(verdict => verdict.Laws.IsKilled),NumberWidth}");
        }
    }

    private void WriteSurvivors(List<MutantVerdict> survivors)
    {
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Bold($"Survived conformance: {(survivors.Count == 0 ? "none" : survivors.Count)}"));
        foreach (IGrouping<string, MutantVerdict> reason in survivors.GroupBy(verdict => verdict.Hint))
        {
            Paragraph.Write(terminal, "  ", terminal.Faint($"{reason.Key}:"));
            foreach (MutantVerdict verdict in reason)
                Paragraph.Write(terminal, "    ", terminal.Bad(verdict.Id));
        }
    }

    private void WriteToldByNoLaw(List<MutantVerdict> verdicts)
    {
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Bold($"Told by no law, though by conformance: {(verdicts.Count == 0 ? "none" : verdicts.Count)}"));
        foreach (IGrouping<string, MutantVerdict> leaf in verdicts.GroupBy(verdict => verdict.Leaf))
        {
            terminal.Out.WriteLine($"  {leaf.Key}");
            if (!isFull)
                Paragraph.Write(terminal, "    ", string.Join("; ", leaf.Select(verdict => verdict.Fault)));
            foreach (MutantVerdict verdict in isFull ? leaf.AsEnumerable() : [])
                Paragraph.Write(terminal, "    ", verdict.Id[leaf.Key.Length..].TrimStart());
        }
    }

    // Hundreds of mutants have a few dozen reasons.
    private void WriteEquivalent(MutantsResult result)
    {
        List<MutantVerdict> all = [.. result.Equivalent];
        if (all.Count == 0)
            return;
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Bold($"Equivalent: {all.Count}, by what shadows them, checked by running{(isFull ? "" : " (--full, --json: each)")}"));
        List<IGrouping<string, MutantVerdict>> shadows = [.. all.GroupBy(verdict => verdict.Shadow!.Rule).OrderByDescending(group => group.Count())];
        List<IGrouping<string, MutantVerdict>> rare = [.. shadows.Where(group => group.Count() <= RareShadow)];
        if (isFull || rare.Count == 1)
            rare.Clear();
        foreach (IGrouping<string, MutantVerdict> shadow in shadows.Take(shadows.Count - rare.Count))
        {
            Paragraph.Write(terminal, $"{shadow.Count(),6}  ", shadow.Key);
            foreach (MutantVerdict verdict in isFull ? shadow.AsEnumerable() : [])
                Paragraph.Write(terminal, "        ", terminal.Faint($"{verdict.Id}, in {verdict.Shadow!.Occasions:N0} runs"));
        }

        if (rare.Count > 0)
            terminal.Out.WriteLine($"{rare.Sum(group => group.Count()),6}  for {rare.Count} other reasons of at most {RareShadow} mutants each");
    }

    private void WriteLaws(MutantsResult result)
    {
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(terminal.Bold("Laws that told a mutant first"));
        foreach (IGrouping<string, MutantVerdict> law in result.Verdicts.Where(verdict => verdict.Laws.By == KilledBy.Law)
            .GroupBy(verdict => verdict.Laws.Law).OrderByDescending(group => group.Count()))
        {
            terminal.Out.WriteLine($"  {law.Key,-NameWidth}{law.Count(),NumberWidth}");
        }

        int crashed = result.Verdicts.Count(verdict => verdict.Laws.By == KilledBy.Crash);
        if (crashed > 0)
            terminal.Out.WriteLine($"  {"no law, but the mutant threw",-NameWidth}{crashed,NumberWidth}");
    }

    private void WriteEnd(MutantsResult result)
    {
        int killed = result.KilledByConformance;
        int counted = result.Counted;
        terminal.Out.WriteLine();
        Paragraph.Write(
            terminal, "",
            $"sampled {result.Verdicts.Count:N0} of {result.Of:N0} mutants, {result.Sequences:N0} random, {result.Sweeps:N0} sweep and {result.Recordings:N0} recorded sequences, {result.Seconds:0.0} s; "
            + $"{result.Equivalent.Count():N0} are equivalent");
        WriteScore("conformance", killed, counted, $"{result.Verdicts.Count(verdict => verdict.Conformance.By == KilledBy.Recording):N0} by a recording only");
        WriteScore("laws alone", result.KilledByLaws, counted, $"{result.Verdicts.Count(verdict => verdict.Shadow is null && verdict.Laws.By == KilledBy.Crash):N0} by a crash only");
    }

    private void WriteScore(string name, int killed, int of, string note)
    {
        string score = $"{Score(killed, of),8}";
        terminal.Out.WriteLine($"  {name,-14}{(killed == of ? terminal.Good(score) : terminal.Bold(score))}  {killed:N0} of {of:N0} killed, {note}");
    }
}
