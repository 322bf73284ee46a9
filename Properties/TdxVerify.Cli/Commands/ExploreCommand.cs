using System.CommandLine;
using System.Diagnostics;
using TdxVerify.Abi;
using TdxVerify.Properties.Contention;

namespace TdxVerify.Cli.Commands;

/// <summary><c>explore</c>: all interleavings.</summary>
internal static class ExploreCommand
{
    public static Command Create(Terminal terminal)
    {
        var contention = new Option<bool>("--contention") { Description = "all interleavings of every pair of calls on the prepared platforms" };
        var against = new Option<string>("--against") { HelpName = "FOLDER", Description = "compare with what the real module's code showed: instances.json, contention.csv, set-ups" };
        Option<string> profile = CommonOptions.Profile("the module version; without it, 1.5.01");
        Option<bool> json = CommonOptions.Json();
        var command = new CliCommand("explore", "all interleavings of calls that overlap")
        {
            Details = "--contention runs every pair of calls from the recorded set-ups through all interleavings of their visible steps, and says who can make "
                + "whom return OPERAND_BUSY, and what no order of the two calls explains. With --against, the sets of outcomes are compared with those that "
                + "were found inside the real module's published code, pair by pair, in both directions.",
            Examples =
            [
                ("--contention", "the contention matrix"),
                ("--contention --against Properties/Recordings/contention", "compared with the real module's code"),
            ],
        };
        command.Add(contention);
        command.Add(against);
        command.Add(profile);
        command.Add(json);
        command.SetAction(parsed =>
        {
            if (!parsed.GetValue(contention))
                throw new InputException("explore needs to know what to explore: --contention; tdxverify explore --help shows examples");
            ModuleProfile module = CommonOptions.ParseProfile(parsed.GetValue(profile)) ?? ModuleProfile.V1_5_01;
            return parsed.GetValue(against) is { } folder
                ? Compare(terminal, folder, module, parsed.GetValue(json))
                : Matrix(terminal, module, parsed.GetValue(json));
        });
        return command;
    }

    private static int Compare(Terminal terminal, string folder, ModuleProfile profile, bool asJson)
    {
        ContentionRecordings recordings = ContentionRecordings.Load(folder);
        var time = Stopwatch.StartNew();
        using var progress = new PairProgress(terminal, recordings.Pairs.Count, asJson);
        ContentionResult result = ContentionComparison.Run(recordings, profile, Environment.ProcessorCount, progress.Done);
        progress.Dispose();
        var text = new ContentionText(terminal);
        if (asJson)
            ContentionJson.WriteComparison(terminal, profile, result, time.Elapsed);
        else
            text.WriteComparison(profile, folder, result, time.Elapsed);
        return result.Differences.All(difference => StatedLimits.Explain(difference) is not null) ? ExitStatus.Held : ExitStatus.Broken;
    }

    private static int Matrix(Terminal terminal, ModuleProfile profile, bool asJson)
    {
        var time = Stopwatch.StartNew();
        ContentionRecordings recordings = ContentionRecordings.BuiltIn();
        using var progress = new PairProgress(terminal, ContentionMatrix.Count(recordings), asJson);
        ContentionMatrix matrix = ContentionMatrix.Compute(recordings, profile, Environment.ProcessorCount, progress.Done);
        progress.Dispose();
        if (asJson)
            ContentionJson.WriteMatrix(terminal, matrix);
        else
            new ContentionText(terminal).WriteMatrix(matrix, time.Elapsed);
        return ExitStatus.Held;
    }
}
