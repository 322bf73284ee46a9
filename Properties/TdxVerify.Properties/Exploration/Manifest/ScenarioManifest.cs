using System.Globalization;
using TdxVerify.Host;
using TdxVerify.Properties.Exploration.Reports;
using TdxVerify.Properties.Pins;

namespace TdxVerify.Properties.Exploration.Manifest;

/// <summary>
/// The pinned verdicts and state counts of the named scenarios: <c>scenarios.csv</c> beside this file, a row for each
/// scenario in the order in which they are listed. <c>explore --check --format csv</c> writes it anew.
/// </summary>
public static class ScenarioManifest
{
    /// <summary>The columns.</summary>
    public const string Header = "scenario,size,verdict,states,transitions,depth,statesWithSymmetry,statesWithPartialOrder,statesWithBoth";

    private const string Resource = "scenarios.csv";
    private const string NotExplored = "-";

    private static readonly Lazy<IReadOnlyList<ScenarioPin>> s_all = new(() => [.. PinFile.Read(Resource, Header).Select(Parse)]);

    /// <summary>All rows.</summary>
    public static IReadOnlyList<ScenarioPin> All => s_all.Value;

    /// <summary>The row of a scenario; null: it is not pinned.</summary>
    public static ScenarioPin? Find(string name) => All.FirstOrDefault(pin => pin.Name == name);

    /// <summary>A row as it is written.</summary>
    public static string Write(ScenarioPin pin) => string.Join(
        ',', pin.Name, pin.IsLarge ? "large" : "small", pin.Verdict.ToString().ToLowerInvariant(), Number(pin.States), Number(pin.Transitions), Number(pin.Depth),
        Number(pin.Symmetry), Number(pin.PartialOrder), Number(pin.Both));

    /// <summary>The rows as a Markdown table, with what the scenarios ask and what comes of them.</summary>
    public static IEnumerable<string> Markdown()
    {
        yield return "| scenario | asks | verdict | states | symmetry | partial order | both |";
        yield return "|---|---|---|--:|--:|--:|--:|";
        foreach (Scenario scenario in ScenarioTable.All)
        {
            ScenarioPin? pin = Find(scenario.Name);
            yield return pin is null
                ? $"| `{scenario.Name}` | {scenario.Question} | not pinned | | | | |"
                : $"| `{scenario.Name}` | {scenario.Question} | **{pin.Verdict.ToString().ToLowerInvariant()}**: {scenario.Answer} | {Grouped(pin.States)} | {Grouped(pin.Symmetry)} "
                    + $"| {Grouped(pin.PartialOrder)} | {Grouped(pin.Both)} |";
        }
    }

    private static ScenarioPin Parse(string[] row) => new(
        row[0], row[1] == "large", Enum.Parse<Verdict>(row[2], ignoreCase: true), Count(row[3]), Count(row[4]), (int?)Count(row[5]), Count(row[6]), Count(row[7]), Count(row[8]));

    private static string Number(long? count) => count?.ToString(CultureInfo.InvariantCulture) ?? NotExplored;

    private static string Grouped(long? count) => count?.ToString("#,0", CultureInfo.InvariantCulture) ?? "";

    private static long? Count(string text) => text == NotExplored ? null : long.Parse(text, CultureInfo.InvariantCulture);
}
