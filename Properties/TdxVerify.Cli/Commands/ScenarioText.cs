using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Properties.Exploration;
using TdxVerify.Properties.Exploration.Manifest;
using TdxVerify.Properties.Exploration.Reports;
using TdxVerify.Properties.Lanes;

namespace TdxVerify.Cli.Commands;

/// <summary>An exploration as a person reads it.</summary>
internal sealed class ScenarioText(Terminal terminal, Scenario scenario, Configuration configuration, ExploreReport report)
{
    /// <summary>The named scenarios.</summary>
    public static void WriteList(Terminal terminal)
    {
        foreach (Scenario each in ScenarioTable.All)
        {
            ScenarioPin? pin = ScenarioManifest.Find(each.Name);
            TdLayout td = each.Configuration.Td;
            terminal.Out.WriteLine(
                $"{terminal.Bold(each.Name)}  {Plural(td.Vcpus, "vCPU")}, {Plural(td.Gpas.Length, "GPA")}, {Plural(each.Pages, "page")}, module {each.Configuration.Profile.Name()}"
                + (pin is null ? "" : $"  {terminal.Faint(pin.States is { } states ? $"{states:#,0} states" : $"{pin.Both:#,0} states with reductions")}"));
            Paragraph.WriteRows(terminal, "  ",
            [
                ("asks", each.Question),
                ("agents", string.Join("; ", each.Configuration.Agents.Select(agent => Agent(each.Configuration, agent)))),
                ("verdict", $"{(pin is null ? "" : $"{pin.Verdict.ToString().ToLowerInvariant()}: ")}{each.Answer}"),
                ("source", each.Source),
            ]);
        }
    }

    /// <summary>What came of comparing a scenario with the manifest; null: it was left out.</summary>
    public static void WriteCheck(Terminal terminal, Scenario scenario, ScenarioCheck? check)
    {
        if (check is null)
        {
            terminal.Out.WriteLine($"  – {scenario.Name}: left out, it is large; --all takes it too");
            return;
        }

        string time = $"{check.Seconds:0.0} s";
        if (check.Agrees)
        {
            terminal.Out.WriteLine($"  {terminal.Good("✓")} {scenario.Name}: {check.Found.Verdict.ToString().ToLowerInvariant()}, {check.Found.States ?? check.Found.Both:#,0} states, {time}");
            return;
        }

        terminal.Out.WriteLine($"  {terminal.Bad("✗")} {scenario.Name}, {time}");
        terminal.Out.WriteLine($"      columns  {ScenarioManifest.Header}");
        terminal.Out.WriteLine($"      pinned   {(check.Pin is null ? "nothing" : ScenarioManifest.Write(check.Pin))}");
        terminal.Out.WriteLine($"      found    {ScenarioManifest.Write(check.Found)}");
        foreach (string missing in check.Missing)
            Paragraph.Write(terminal, "      did not occur: ", missing);
    }

    /// <summary>The counterexample alone, as a drawing; where there is none, the witnesses.</summary>
    public static void WriteDrawing(Terminal terminal, ExploreReport report, OutputFormat format)
    {
        LaneDiagram[] lanes = report.Counterexample is { } run
            ? [run.Lanes]
            : [.. report.Sometimes.Select(sometimes => sometimes.Witness?.Lanes).OfType<LaneDiagram>()];
        if (lanes.Length == 0)
            throw new InputException($"--format {format.ToString().ToLowerInvariant()}: there is no counterexample to draw, the verdict is {report.Verdict.ToString().ToLowerInvariant()}; --witness has the cases that occurred drawn");
        if (format == OutputFormat.Svg)
            terminal.Out.Write(LaneSvg.Write(lanes));
        else
            terminal.Out.Write(string.Join("\n", lanes.Select(LaneMermaid.Write)));
    }

    /// <summary>The whole page.</summary>
    public void Write()
    {
        WriteStart();
        WriteSometimes();
        WriteFindings();
        WriteAbstractions();
        WriteSize();
        WriteVerdict();
    }

    private static string Plural(long count, string what) => $"{count:#,0} {what}{(count == 1 ? "" : "s")}";

    private static string Agent(Configuration configuration, HostAgent agent)
    {
        string gpas = agent.Gpas.IsEmpty ? "" : $" on {string.Join(", ", agent.Gpas.Select(gpa => $"gpa{gpa}"))}";
        string guest = agent.Vcpu is { } vcpu && agent.Program.WithCalled().SelectMany(program => program.States).Any(state => state.Action is SeamcallAction { Leaf: HostLeaf.TDH_VP_ENTER })
            ? $", whose guest {configuration.GuestOf(vcpu).Name}"
            : "";
        return $"{agent.Name}: {agent.Program.Name}{gpas}{guest}{(agent.Repeat == HostAgent.Endless ? ", endless" : agent.Repeat == 1 ? ", once" : $", {agent.Repeat} times")}";
    }

    private void WriteStart()
    {
        terminal.Out.WriteLine(
            $"{terminal.Bold("explore")}  {report.Name}, module {report.Profile.Name()}, {Plural(report.Workers, "worker")}{(report.Symmetry ? ", symmetry" : "")}{(report.PartialOrder ? ", partial order" : "")}");
        Paragraph.WriteRows(terminal, "  ", [("asks", scenario.Question), .. configuration.Agents.Select(agent => ("agent", Agent(configuration, agent)))]);
    }

    private void WriteSometimes()
    {
        WriteHeading("What occurred, and after how many steps");
        foreach (SometimesReport sometimes in report.Sometimes)
        {
            string mark = sometimes.Depth is not null ? terminal.Good("✓") : sometimes.IsGuard ? terminal.Bad("✗") : "–";
            string depth = sometimes.Depth is { } steps ? $"{steps,5}" : "never";
            Paragraph.Write(terminal, $"  {mark} {depth}  ", sometimes.Name + (sometimes is { IsGuard: true, Depth: null } ? terminal.Bad("  must occur") : ""));
            if (sometimes.Witness is not { } witness)
                continue;
            LaneWriter.Write(terminal, witness.Lanes, "      ");
            terminal.Out.WriteLine();
        }
    }

    private void WriteFindings()
    {
        foreach (Counterexample violation in report.Violations)
            WriteRun($"broken: {violation.Property}", violation);
        foreach (IGrouping<string, LivenessReport> alike in report.Liveness.Where(finding => finding.UnderStrongFairness).GroupBy(finding => string.Concat(LaneText.Lines(finding.Run.Lanes, terminal.Width))))
            WriteRun(string.Join("; ", alike.Select(finding => finding.Property)), alike.First().Run);
        IEnumerable<LivenessReport> weak = report.Liveness.Where(finding => !finding.UnderStrongFairness);
        if (report.LivenessNotJudged is { } why)
        {
            WriteHeading("Liveness: not judged");
            Paragraph.Write(terminal, "  ", $"{why}.");
            return;
        }

        WriteHeading("Liveness");
        WriteFairness("strong fairness", "an attempt that is possible infinitely often succeeds", report.Liveness.Where(finding => finding.UnderStrongFairness));
        WriteFairness("weak fairness", "every agent takes its turns, a refused attempt being one", weak);
    }

    private void WriteFairness(string name, string meaning, IEnumerable<LivenessReport> findings)
    {
        string[] properties = [.. findings.Select(finding => finding.Property)];
        Paragraph.Write(
            terminal, $"  {(properties.Length == 0 ? terminal.Good("✓") : terminal.Bad("✗"))} {name}  ",
            $"({meaning}): {(properties.Length == 0 ? "every agent gets on" : string.Join("; ", properties))}");
    }

    private void WriteRun(string title, Counterexample run)
    {
        WriteHeading(title);
        terminal.Out.WriteLine(
            $"  {Plural(run.Steps, "step")}, {Plural(run.Lanes.EventCount, "event")}, {Plural(run.ContextSwitches, "context switch").Replace("switchs", "switches", StringComparison.Ordinal)}"
            + (report.PartialOrder ? "; not the shortest" : ""));
        LaneWriter.Write(terminal, run.Lanes, "  ");
    }

    private void WriteAbstractions()
    {
        WriteHeading("What this is about");
        foreach (string line in Abstractions.Of(configuration, report.Symmetry, report.PartialOrder))
            Paragraph.Write(terminal, "  - ", line);
    }

    private void WriteSize()
    {
        SearchProgress size = report.Search;
        terminal.Out.WriteLine();
        Paragraph.WriteRows(terminal, "  ",
        [
            ("size", $"{Plural(size.States, "state")}, {Plural(size.Transitions, "transition")}, depth {size.Depth}"),
            ("speed", $"{size.Elapsed.TotalSeconds:0.0} s, {size.StatesPerSecond:#,0} states/s"),
            ("memory", $"{size.Bytes / 1e6:#,0} MB, {size.BytesPerState:0} bytes per state, table and links included"),
        ]);
    }

    private void WriteVerdict()
    {
        terminal.Out.WriteLine();
        string verdict = report.Verdict.ToString().ToLowerInvariant();
        Paragraph.Write(terminal, $"{(report.Verdict == Verdict.Held ? terminal.Good(verdict) : terminal.Bad(verdict))}  ", InWords());
        foreach (string guard in report.MissingGuards)
            Paragraph.Write(terminal, $"  {terminal.Bad("did not occur")}  ", $"{guard}; without it the verdict says little");
    }

    private string InWords() => report.Verdict switch
    {
        Verdict.Held when report.LivenessNotJudged is null => "every run was explored: no law is broken, and every agent gets on under strong fairness",
        Verdict.Held => "every run was explored and no law is broken; whether every agent gets on was not judged",
        Verdict.Violated => $"{report.Violations[0].Property}: a run breaks it{(report.StoppedBy is { } rest ? $"; {rest}" : "")}",
        Verdict.Livelock => "a fair run goes on for ever in which no agent gets on",
        Verdict.Starvation => string.Join("; ", report.Liveness.Where(finding => finding.UnderStrongFairness).Select(finding => finding.Property)),
        _ => $"what was explored is in order, the rest is open: {report.StoppedBy}",
    };

    private void WriteHeading(string text)
    {
        terminal.Out.WriteLine();
        Paragraph.Write(terminal, "", terminal.Bold(text));
    }
}
