using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Properties.Explain;
using TdxVerify.Properties.Schedules;
using TdxVerify.Properties.Schedules.Laws;

namespace TdxVerify.Cli.Commands;

/// <summary>The options of random schedules, as <c>props</c> and <c>replay</c> have them.</summary>
internal sealed class ScheduleRequest
{
    private const int MostAgents = 16;

    private static readonly ScheduleOptions s_defaults = new() { Platform = new PlatformInfo() };

    private readonly Option<string> _schedule = new("--schedule")
    {
        HelpName = "STRATEGY",
        Description = "calls of several processors that overlap, on the model; who goes on is chosen by uniform, pct (priorities) or pos (partial-order sampling). "
            + $"The laws are then {string.Join(", ", LawNames())}; the first only where --law names it",
    };

    private readonly Option<int> _depth = new("--depth") { HelpName = "N", Description = "with --schedule pct: the bug depth, one more than there are changes of priority", DefaultValueFactory = _ => s_defaults.Depth };
    private readonly Option<int> _agents = new("--agents") { HelpName = "N", Description = "with --schedule: logical processors", DefaultValueFactory = _ => s_defaults.Platform.LpCount };
    private readonly Option<int> _calls = new("--calls") { HelpName = "N", Description = "with --schedule: calls that overlap", DefaultValueFactory = _ => s_defaults.Calls };

    /// <summary>All of them.</summary>
    public Option[] Options => [_schedule, _depth, _agents, _calls];

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in Options)
            command.Add(option);
    }

    /// <summary>What was asked for; null: no schedules.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="profile">The module version.</param>
    /// <param name="laws">Names of laws.</param>
    public ScheduleOptions? Parse(ParseResult parsed, ModuleProfile profile, string[] laws)
    {
        if (parsed.GetValue(_schedule) is not { } name)
        {
            CommonOptions.Refuse(parsed, "without --schedule", _depth, _agents, _calls);
            return null;
        }

        if (!Enum.TryParse(name, ignoreCase: true, out ScheduleStrategy strategy) || char.IsAsciiDigit(name[0]))
            throw new InputException($"--schedule: there is no strategy '{name}'; it is uniform, pct or pos");
        return new ScheduleOptions
        {
            Platform = new PlatformInfo { Profile = profile, LpCount = InRange("--agents", parsed.GetValue(_agents), 2, MostAgents) },
            Strategy = strategy,
            Depth = InRange("--depth", parsed.GetValue(_depth), 1, 100),
            Calls = InRange("--calls", parsed.GetValue(_calls), 2, 1000),
            Laws = [.. laws.Select(Known)],
        };
    }

    private static IEnumerable<string> LawNames() => InterleavingLaws.Create().Select(law => law.Name);

    private static string Known(string law)
    {
        string[] names = [.. LawNames()];
        return names.Contains(law)
            ? law
            : throw new InputException(ClosestName.Find(law, names) is { } near
                ? $"--law: with --schedule there is no law '{law}', did you mean {near}?"
                : $"--law: with --schedule there is no law '{law}'; laws are {string.Join(", ", names)}");
    }

    private static int InRange(string option, int value, int lowest, int highest) =>
        value >= lowest && value <= highest ? value : throw new InputException($"{option}: {value} is out of range, it is from {lowest} to {highest}");
}
