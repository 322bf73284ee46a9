using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Properties.Exploration;
using TdxVerify.Properties.Exploration.Manifest;
using TdxVerify.Properties.Exploration.Reports;
using TdxVerify.Properties.Explain;

namespace TdxVerify.Cli.Commands;

/// <summary>The options of <c>explore</c> that are about named scenarios.</summary>
internal sealed class ScenarioRequest
{
    private const int MostWorkers = 16;

    private readonly Option<string> _scenario = new("--scenario") { HelpName = "NAME", Description = "all interleavings of a named scenario: laws in every state, and whether every agent gets on" };
    private readonly Option<bool> _list = new("--list") { Description = "the named scenarios" };
    private readonly Option<bool> _check = new("--check") { Description = "the named scenarios against their pinned verdicts and state counts; large ones only with --all" };
    private readonly Option<bool> _all = new("--all") { Description = "with --check: the large scenarios too" };
    private readonly Option<int?> _workers = new("--workers") { HelpName = "N", Description = "threads; without it, as many as there are processors. Counts are the same for any number" };
    private readonly Option<string> _memory = new("--memory") { HelpName = "SIZE", Description = "for states and table, such as 16G; without it, 3/4 of what is there. A search that needs more stops with what it covered" };
    private readonly Option<bool> _symmetry = new("--symmetry") { Description = "states that differ by names of interchangeable vCPUs, agents and pages are one; liveness is not judged" };
    private readonly Option<bool> _partialOrder = new("--partial-order") { Description = "of independent steps one order is enough; liveness is not judged, counterexamples are not the shortest" };
    private readonly Option<string> _interrupts = new("--interrupts") { HelpName = "HOW", Description = "interrupts of guests: absent, fair or storm; without it, as the scenario says" };
    private readonly Option<int?> _depth = new("--depth") { HelpName = "N", Description = "no runs of more steps" };
    private readonly Option<bool> _keepGoing = new("--keep-going") { Description = "go on to the end where a law is broken" };
    private readonly Option<bool> _witness = new("--witness") { Description = "a shortest run to each case that occurred, as lanes" };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_scenario, _list, _check, _all, _workers, _memory, _symmetry, _partialOrder, _interrupts, _depth, _keepGoing, _witness])
            command.Add(option);
    }

    /// <summary>Does what was asked for; null: nothing about scenarios was.</summary>
    /// <param name="terminal">The terminal.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="profile">The module version; null: the scenario's.</param>
    /// <param name="format">How it is written.</param>
    public int? Run(Terminal terminal, ParseResult parsed, ModuleProfile? profile, OutputFormat format)
    {
        if (parsed.GetValue(_list))
            return List(terminal, format);
        if (parsed.GetValue(_check))
            return Check(terminal, parsed, format);
        if (parsed.GetValue(_scenario) is not { } name)
            return null;
        Permit("--scenario", format, OutputFormat.Table, OutputFormat.Json, OutputFormat.Mermaid, OutputFormat.Svg);
        Configuration configuration = Find(name).Configuration;
        if (profile is { } module)
            configuration = configuration with { Profile = module };
        if (parsed.GetValue(_interrupts) is { } how)
            configuration = configuration with { Interrupts = ParseInterrupts(how) };
        return Explore(terminal, parsed, Find(name), configuration, format);
    }

    private static Scenario Find(string name) => ScenarioTable.Find(name)
        ?? throw new InputException(ClosestName.Find(name, ScenarioTable.All.Select(scenario => scenario.Name)) is { } near
            ? $"--scenario: there is no scenario '{name}', did you mean '{near}'? explore --list shows all"
            : $"--scenario: there is no scenario '{name}'; explore --list shows all");

    private static int List(Terminal terminal, OutputFormat format)
    {
        Permit("--list", format, OutputFormat.Table, OutputFormat.Json, OutputFormat.Markdown);
        if (format == OutputFormat.Json)
            ScenarioJson.WriteList(terminal);
        else if (format == OutputFormat.Markdown)
            WriteLines(terminal, ScenarioManifest.Markdown());
        else
            ScenarioText.WriteList(terminal);
        return ExitStatus.Held;
    }

    private static void WriteLines(Terminal terminal, IEnumerable<string> lines)
    {
        foreach (string line in lines)
            terminal.Out.WriteLine(line);
    }

    private static void Permit(string what, OutputFormat format, params OutputFormat[] formats)
    {
        if (!formats.Contains(format))
            throw new InputException($"--format {Name(format)}: not for {what}, which is written as {string.Join(", ", formats.Select(Name))}");
    }

    private static string Name(OutputFormat format) => format.ToString().ToLowerInvariant();

    private static InterruptMode ParseInterrupts(string how) => Enum.TryParse(how, ignoreCase: true, out InterruptMode mode) && !char.IsAsciiDigit(how[0])
        ? mode
        : throw new InputException($"--interrupts: there is no '{how}'; it is absent, fair or storm");

    private int Check(Terminal terminal, ParseResult parsed, OutputFormat format)
    {
        Permit("--check", format, OutputFormat.Table, OutputFormat.Csv);
        string[] names = parsed.GetValue(_scenario) is { } name ? [Find(name).Name] : [.. ScenarioTable.All.Select(scenario => scenario.Name)];
        bool all = parsed.GetValue(_all) || parsed.GetValue(_scenario) is not null;
        bool agrees = true;
        if (format == OutputFormat.Csv)
            terminal.Out.WriteLine(ScenarioManifest.Header);
        foreach (Scenario scenario in ScenarioTable.All.Where(scenario => names.Contains(scenario.Name)))
        {
            ScenarioPin? pin = ScenarioManifest.Find(scenario.Name);
            bool skips = pin is { IsLarge: true } && !all;
            ScenarioCheck? check = null;
            if (!skips)
            {
                using var progress = new ScenarioProgress(terminal, isShown: format == OutputFormat.Table);
                check = ScenarioCheck.Run(scenario, Options(parsed), progress.Show);
            }

            agrees &= check?.Agrees ?? true;
            if (format == OutputFormat.Csv)
                terminal.Out.WriteLine(ScenarioManifest.Write(check?.Found ?? pin!));
            else
                ScenarioText.WriteCheck(terminal, scenario, check);
        }

        return format == OutputFormat.Csv || agrees ? ExitStatus.Held : ExitStatus.Broken;
    }

    private int Explore(Terminal terminal, ParseResult parsed, Scenario scenario, Configuration configuration, OutputFormat format)
    {
        using var interrupt = new CancellationTokenSource();
        ConsoleCancelEventHandler cancel = (_, key) =>
        {
            key.Cancel = true;
            interrupt.Cancel();
        };
        Console.CancelKeyPress += cancel;
        ExploreReport report;
        try
        {
            using var progress = new ScenarioProgress(terminal, isShown: format == OutputFormat.Table);
            report = Explorer.Run(configuration, Options(parsed), progress.Show, parsed.GetValue(_witness), interrupt.Token);
        }
        catch (ProgramException bad)
        {
            throw new InputException(bad.Message);
        }
        finally
        {
            Console.CancelKeyPress -= cancel;
        }

        switch (format)
        {
            case OutputFormat.Json:
                ScenarioJson.Write(terminal, report);
                break;
            case OutputFormat.Mermaid or OutputFormat.Svg:
                ScenarioText.WriteDrawing(terminal, report, format);
                break;
            default:
                new ScenarioText(terminal, scenario, configuration, report).Write();
                break;
        }

        return report.Verdict switch
        {
            Verdict.Held => ExitStatus.Held,
            Verdict.Incomplete => ExitStatus.CouldNotRun,
            _ => ExitStatus.Broken,
        };
    }

    private SearchOptions Options(ParseResult parsed)
    {
        var options = new SearchOptions
        {
            Symmetry = parsed.GetValue(_symmetry),
            PartialOrder = parsed.GetValue(_partialOrder),
            GoesOn = parsed.GetValue(_keepGoing),
            DepthLimit = AtLeastOne("--depth", parsed.GetValue(_depth), int.MaxValue) ?? int.MaxValue,
        };
        if (AtLeastOne("--workers", parsed.GetValue(_workers), MostWorkers) is { } workers)
            options = options with { Workers = workers };
        return parsed.GetValue(_memory) is { } memory ? options with { MemoryLimit = Sizes.Parse("--memory", memory) } : options;
    }

    private static int? AtLeastOne(string option, int? value, int most) => value is null or >= 1 && !(value > most)
        ? value
        : throw new InputException(most == int.MaxValue ? $"{option}: {value} is out of range, it is at least 1" : $"{option}: {value} is out of range, it is from 1 to {most}");
}
