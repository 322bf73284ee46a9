using System.CommandLine;
using TdxVerify.Abi;

namespace TdxVerify.Cli.Commands;

/// <summary><c>explore</c>: all interleavings.</summary>
internal static class ExploreCommand
{
    public static Command Create(Terminal terminal)
    {
        var contention = new Option<bool>("--contention") { Description = "all interleavings of every pair of calls on the prepared platforms" };
        var against = new Option<string>("--against") { HelpName = "FOLDER", Description = "compare with what the real module's code showed: instances.json, contention.csv, set-ups" };
        var granularity = new Option<string>("--granularity")
        {
            HelpName = "GRANULARITY", Description = "with --against, what counts as a step of a lock: the attempt (std), or each atomic instruction of it (all)", DefaultValueFactory = _ => "std",
        };
        var diff = new Option<string[]>("--diff")
        {
            HelpName = "BEFORE AFTER", Description = "what a module version changes for calls that overlap: two profiles", Arity = new ArgumentArity(2, 2), AllowMultipleArgumentsPerToken = true,
        };
        var pair = new Option<string[]>("--pair")
        {
            HelpName = "A B", Description = "two calls by name: their outcomes, and shortest schedules as lanes", Arity = new ArgumentArity(2, 2), AllowMultipleArgumentsPerToken = true,
        };
        var setup = new Option<string>("--setup") { HelpName = "NAME", Description = "with --pair, the prepared platform: run, build, create or teardown; without it, all that have both calls" };
        var format = new Option<string>("--format") { HelpName = "FORMAT", Description = "table, markdown, csv, json; svg for --pair and --scenario, mermaid for --scenario", DefaultValueFactory = _ => "table" };
        Option<string> profile = CommonOptions.ModelProfile("the module version; without it, 1.5.01, or the scenario's");
        Option<bool> json = CommonOptions.Json();
        var scenarios = new ScenarioRequest();
        var command = new CliCommand("explore", "all interleavings of calls that overlap")
        {
            Details = "--scenario explores a named scenario to the end: every law in every state, and whether every agent gets on. --contention runs every pair of calls from the recorded set-ups through all interleavings of their visible steps, and says who can make "
                + "whom return OPERAND_BUSY, and what no order of the two calls explains. With --against, the sets of outcomes are compared with those that "
                + "were found inside the real module's published code, pair by pair, in both directions. With --diff, the outcomes of two module versions are "
                + "compared. With --pair, the outcomes of one pair are shown, with a shortest schedule for each OPERAND_BUSY and each anomaly.",
            Examples =
            [
                ("--list", "the named scenarios, what they ask and what comes of them"),
                ("--scenario track-vs-enter --witness", "one of them, with a shortest run to each case"),
                ("--contention", "the contention matrix"),
                ("--contention --against Properties/Recordings/contention", "compared with the real module's code"),
                ("--contention --diff 1.5.01 1.5.05", "what 1.5.05 changes for the host"),
                ("--contention --pair \"PAGE.AUG 3000/0\" \"PAGE.REMOVE 3000/0\" --setup run", "how a pair can end, and why"),
            ],
        };
        scenarios.AddTo(command);
        command.Add(contention);
        command.Add(against);
        command.Add(granularity);
        command.Add(diff);
        command.Add(pair);
        command.Add(setup);
        command.Add(format);
        command.Add(profile);
        command.Add(json);
        command.SetAction(parsed =>
        {
            OutputFormat written = ParseFormat(parsed.GetValue(json) ? "json" : parsed.GetRequiredValue(format));
            if (scenarios.Run(terminal, parsed, CommonOptions.ParseModelProfile(parsed.GetValue(profile)), written) is { } status)
                return status;
            if (!parsed.GetValue(contention))
                throw new InputException("explore needs to know what to explore: --scenario NAME, --list, or --contention; tdxverify explore --help shows examples");
            var run = new ContentionRun(terminal, written);
            if (parsed.GetValue(diff) is [var before, var after])
                return run.Diff(CommonOptions.ParseModelProfile(before, "--diff")!.Value, CommonOptions.ParseModelProfile(after, "--diff")!.Value);
            ModuleProfile module = CommonOptions.ParseModelProfile(parsed.GetValue(profile)) ?? ModuleProfile.V1_5_01;
            if (parsed.GetValue(pair) is [var a, var b])
                return run.Pair(module, a, b, parsed.GetValue(setup));
            return parsed.GetValue(against) is { } folder
                ? run.Compare(folder, module, ContentionRun.ParseGranularity(parsed.GetRequiredValue(granularity)))
                : run.Matrix(module);
        });
        return command;
    }

    private static OutputFormat ParseFormat(string name) => Enum.TryParse(name, ignoreCase: true, out OutputFormat format) && !char.IsAsciiDigit(name[0])
        ? format
        : throw new InputException($"--format: there is no format '{name}'; it is table, markdown, csv, json, mermaid or svg");
}
