using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Properties.Twins;

namespace TdxVerify.Cli.Commands;

/// <summary><c>twins</c>: scenarios that were written three times, searched by three checkers.</summary>
internal static class TwinsCommand
{
    private const string CountFormat = "#,0";

    public static Command Create(Terminal terminal)
    {
        var scenario = new Argument<string>("SCENARIO") { Description = "one of them; without it, all", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> json = CommonOptions.Json();
        var command = new CliCommand("twins", "scenarios written again in Promela and Murphi: Spin and Rumur must count the same states")
        {
            Details = "Searches each scenario that has twins with reductions off, then its Promela twin with Spin and its Murphi twin with Rumur, and compares "
                + $"stored states, steps, verdicts and the cases that occur. Needs spin, rumur and gcc. Twins: {Names}. Exit status 1: they differ.",
            Examples = [("", "all twins"), (Twin.All[0].Scenario, "one of them")],
        };
        command.Add(scenario);
        command.Add(json);
        command.SetAction(parsed => Run(terminal, Named(parsed.GetValue(scenario)), parsed.GetValue(json)));
        return command;
    }

    /// <summary>The twin with a name.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static Twin Find(string name) => Twin.Find(name) ?? throw new InputException($"scenario '{name}' has no twins; {Names} have");

    private static string Names => string.Join(" and ", Twin.All.Select(twin => twin.Scenario));

    private static IReadOnlyList<Twin> Named(string? name) => name is null ? Twin.All : [Find(name)];

    private static int Run(Terminal terminal, IReadOnlyList<Twin> twins, bool asJson)
    {
        var comparisons = new List<TwinComparison>();
        foreach (Twin twin in twins)
        {
            TwinComparison comparison = TwinComparison.Run(twin);
            comparisons.Add(comparison);
            if (!asJson)
                Print(terminal, comparison);
        }

        if (asJson)
            WriteJson(terminal, comparisons);
        return comparisons.All(comparison => comparison.AreEqual) ? ExitStatus.Held : ExitStatus.Broken;
    }

    private static void Print(Terminal terminal, TwinComparison comparison)
    {
        terminal.Out.WriteLine($"{terminal.Bold(comparison.Twin.Scenario)}  {(comparison.AreEqual ? terminal.Good("equal") : terminal.Bad("not equal"))}");
        terminal.Out.WriteLine(terminal.Faint($"  {"checker",-20}{"states",14}{"steps",16}  {"verdict",-9}cases"));
        foreach (CheckerResult result in comparison.Results)
        {
            string line = $"  {result.Checker,-20}{result.States.ToString(CountFormat),14}{result.Transitions.ToString(CountFormat),16}  {Verdict(result),-9}{string.Join(' ', result.Reached)}";
            terminal.Out.WriteLine(result.Agrees(comparison.Results[0]) ? line : terminal.Bad(line));
        }

        foreach (TwinCase one in comparison.Twin.Cases)
            terminal.Out.WriteLine(terminal.Faint($"  case {one.Number}: {one.Event}"));
        terminal.Out.WriteLine();
    }

    private static string Verdict(CheckerResult result) => result.Held ? "held" : "violated";

    private static void WriteJson(Terminal terminal, List<TwinComparison> comparisons) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("twins");
        foreach (TwinComparison comparison in comparisons)
        {
            json.WriteStartObject();
            json.WriteString("scenario", comparison.Twin.Scenario);
            json.WriteBoolean("equal", comparison.AreEqual);
            json.WriteStartArray("checkers");
            foreach (CheckerResult result in comparison.Results)
            {
                json.WriteStartObject();
                json.WriteString("name", result.Checker);
                json.WriteNumber("states", result.States);
                json.WriteNumber("transitions", result.Transitions);
                json.WriteString("verdict", Verdict(result));
                json.WriteStartArray("reached");
                foreach (int number in result.Reached)
                    json.WriteStringValue(comparison.Twin.Cases.First(one => one.Number == number).Event);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });
}
