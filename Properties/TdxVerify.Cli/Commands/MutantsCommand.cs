using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Properties.Mutants;

namespace TdxVerify.Cli.Commands;

/// <summary><c>mutants</c>: how many faulty models does the suite tell from the right one?</summary>
internal static class MutantsCommand
{
    private const string DefaultTime = "4m";

    public static Command Create(Terminal terminal)
    {
        Option<string> time = Durations.Option("--time", "how long to run: a sample that is as large as this allows", DefaultTime);
        var all = new Option<bool>("--all") { Description = "every mutant, however long it takes" };
        var seed = new Option<string>("--seed") { HelpName = "NUMBER", Description = "the seed that the sample and all sequences follow from, in hexadecimal or decimal", DefaultValueFactory = _ => "1" };
        var only = new Option<string>("--only") { HelpName = "TEXT", Description = "only mutants whose name contains this, such as 'TDH.MEM.TRACK step'" };
        var recordings = new Option<string>("--recordings") { HelpName = "DIR", Description = "recordings that may tell a mutant; without it, Properties/Recordings where the sources are" };
        Option<string> profile = CommonOptions.Profile("the module version; without it, 1.5.01");
        var full = new Option<bool>("--full") { Description = "also print every leaf, and every mutant that is equivalent or told by no law with its step" };
        Option<bool> json = CommonOptions.Json();

        var command = new CliCommand("mutants", "derives faulty models from the declared steps and counts how many the suite tells from the right one")
        {
            Details = "Each mutant has one fault: a check, lock, effect or release left out, two checks in the other order, a weaker lock, another status, operand id "
                + "or register, a threshold one off. Two scores: killed by conformance (some sequence or recording is answered differently), and killed by the laws "
                + "alone (nothing to compare with, a law is broken). A mutant that no answer can show is equivalent only where the step that shadows it is named and "
                + "this was checked by running. Exit status: 0 conformance kills all that are not equivalent; 1 some survive; 2 it could not run.",
            Examples =
            [
                ("", "a sample, in four minutes"),
                ("--all --json", "every mutant, for a nightly run"),
                ("--all --only 'TDH.MEM.RANGE.BLOCK step 21'", "the mutants of one step"),
            ],
        };
        command.Add(time);
        command.Add(all);
        command.Add(seed);
        command.Add(only);
        command.Add(recordings);
        command.Add(profile);
        command.Add(full);
        command.Add(json);
        command.SetAction(parsed => Run(
            terminal,
            new MutantsOptions
            {
                Platform = new PlatformInfo { Profile = CommonOptions.ParseProfile(parsed.GetValue(profile)) ?? ModuleProfile.V1_5_01 },
                Time = parsed.GetValue(all) ? null : Durations.Parse("--time", parsed.GetRequiredValue(time)),
                Seed = ParseSeed(parsed.GetRequiredValue(seed)),
                Only = parsed.GetValue(only) ?? "",
                Recordings = FindRecordings(parsed.GetValue(recordings)),
            },
            parsed.GetValue(full),
            parsed.GetValue(json)));
        return command;
    }

    private static int Run(Terminal terminal, MutantsOptions options, bool isFull, bool asJson)
    {
        var run = new MutantsRun(options);
        if (run.Selected == 0)
            throw new InputException($"--only: no mutant's name contains '{options.Only}'");
        var text = new MutantsText(terminal, options, isFull);
        if (!asJson)
            text.WriteStart(run);
        MutantsResult result = asJson ? run.Run() : text.RunWithProgress(run);
        if (asJson)
            MutantsJson.Write(terminal, result);
        else
            text.Write(result);
        return result.Survivors.Any() ? ExitStatus.Broken : ExitStatus.Held;
    }

    private static ulong ParseSeed(string text) => PropsCommand.TryParseSeed(text, out ulong seed)
        ? seed
        : throw new InputException($"--seed: '{text}' is no number; a seed is written 0x1234 or 4660");

    // Beside the sources, where the command is run from there; a published command has none.
    private static string? FindRecordings(string? given)
    {
        if (given is not null)
            return Directory.Exists(given) ? given : throw new InputException($"--recordings: there is no folder {given}");
        foreach (string start in (string[])[Directory.GetCurrentDirectory(), AppContext.BaseDirectory])
        {
            for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
            {
                string recordings = Path.Combine(folder.FullName, "Properties", "Recordings");
                if (Directory.Exists(recordings))
                    return recordings;
            }
        }

        return null;
    }
}
