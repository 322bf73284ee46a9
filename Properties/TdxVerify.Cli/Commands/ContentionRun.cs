using System.Diagnostics;
using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Contention;
using TdxVerify.Properties.Explain;
using TdxVerify.Properties.Lanes;

namespace TdxVerify.Cli.Commands;

/// <summary><c>explore --contention</c>: explores what was asked for and writes it in a format.</summary>
internal sealed class ContentionRun(Terminal terminal, OutputFormat format)
{
    private readonly Stopwatch _time = Stopwatch.StartNew();

    public static Granularity ParseGranularity(string name) => name switch
    {
        "std" => Granularity.Standard,
        "all" => Granularity.All,
        _ => throw new InputException($"--granularity: there is no '{name}'; it is std or all"),
    };

    public int Compare(string folder, ModuleProfile profile, Granularity granularity)
    {
        Permit("--against", OutputFormat.Table, OutputFormat.Json);
        ContentionRecordings recordings = ContentionRecordings.Load(folder);
        using var progress = new PairProgress(terminal, recordings.Pairs.Count, format == OutputFormat.Json);
        ContentionResult result = ContentionComparison.Run(recordings, profile, Environment.ProcessorCount, granularity, progress.Done);
        progress.Dispose();
        if (format == OutputFormat.Json)
            ContentionJson.WriteComparison(terminal, profile, granularity, result, _time.Elapsed);
        else
            new ContentionText(terminal).WriteComparison(profile, folder, granularity, result, _time.Elapsed);
        return result.Differences.All(difference => StatedLimits.Explain(difference) is not null) ? ExitStatus.Held : ExitStatus.Broken;
    }

    public int Matrix(ModuleProfile profile)
    {
        Permit("--contention", OutputFormat.Table, OutputFormat.Markdown, OutputFormat.Csv, OutputFormat.Json);
        ContentionRecordings recordings = ContentionRecordings.BuiltIn();
        using var progress = new PairProgress(terminal, ContentionMatrix.Count(recordings), format == OutputFormat.Json);
        ContentionMatrix matrix = ContentionMatrix.Compute(recordings, profile, Environment.ProcessorCount, witnesses: true, progress.Done);
        progress.Dispose();
        switch (format)
        {
            case OutputFormat.Json:
                ContentionJson.WriteMatrix(terminal, matrix);
                break;
            case OutputFormat.Csv:
                ContentionCsv.WriteMatrix(terminal.Out, matrix);
                break;
            case OutputFormat.Markdown:
                ContentionMarkdown.WriteMatrix(terminal.Out, matrix);
                break;
            default:
                new ContentionText(terminal).WriteMatrix(matrix, _time.Elapsed);
                break;
        }

        return ExitStatus.Held;
    }

    public int Diff(ModuleProfile before, ModuleProfile after)
    {
        Permit("--diff", OutputFormat.Table, OutputFormat.Markdown, OutputFormat.Json);
        ContentionRecordings recordings = ContentionRecordings.BuiltIn();
        using var progress = new PairProgress(terminal, 2 * ContentionMatrix.Count(recordings), format == OutputFormat.Json);
        ContentionMatrix[] matrices =
            [.. new[] { before, after }.Select(profile => ContentionMatrix.Compute(recordings, profile, Environment.ProcessorCount, done: progress.Done))];
        progress.Dispose();
        ContentionDiff diff = ContentionDiff.Between(matrices[0], matrices[1]);
        if (format == OutputFormat.Json)
            ContentionJson.WriteDiff(terminal, diff);
        else if (format == OutputFormat.Markdown)
            ContentionMarkdown.WriteDiff(terminal.Out, diff);
        else
            new ContentionDiffText(terminal).Write(diff, _time.Elapsed);
        return ExitStatus.Held;
    }

    public int Pair(ModuleProfile profile, string a, string b, string? setup)
    {
        Permit("--pair", OutputFormat.Table, OutputFormat.Markdown, OutputFormat.Json, OutputFormat.Svg);
        ContentionRecordings recordings = ContentionRecordings.BuiltIn();
        LeafSet<BranchingState> leaves = LeafSet<BranchingState>.Of(profile);
        ContentionMatrix matrix = ContentionMatrix.Compute(recordings, leaves, 1, planned => IsWanted(planned, a, b, setup), witnesses: true);
        if (matrix.Pairs.Count == 0)
            throw new InputException(NoPair(recordings, a, b, setup));
        (ContentionPair Pair, IReadOnlyList<LaneDiagram> Lanes)[] told =
            [.. matrix.Pairs.Select(pair => (pair, (IReadOnlyList<LaneDiagram>)[.. pair.Result.Witnesses.Select(witness => PairStory.Tell(recordings, leaves, pair, witness))]))];
        switch (format)
        {
            case OutputFormat.Json:
                ContentionJson.WritePairs(terminal, profile, told);
                break;
            case OutputFormat.Markdown:
                ContentionMarkdown.WritePairs(terminal.Out, profile, told);
                break;
            case OutputFormat.Svg:
                WriteSvg(told);
                break;
            default:
                new PairText(terminal).Write(profile, told);
                break;
        }

        return ExitStatus.Held;
    }

    private static bool IsWanted(PlannedPair pair, string a, string b, string? setup) =>
        (setup is null || setup == pair.Scenario) && ((pair.A.Name == a && pair.B.Name == b) || (pair.A.Name == b && pair.B.Name == a));

    private static string NoPair(ContentionRecordings recordings, string a, string b, string? setup)
    {
        if (setup is not null && !recordings.Setups.ContainsKey(setup))
            return $"--setup: there is no prepared platform '{setup}'; it is {string.Join(", ", recordings.Setups.Keys)}";
        string[] known = [.. ContentionMatrix.Names(recordings, setup)];
        string[] unknown = [.. new[] { a, b }.Where(name => !known.Contains(name))];
        string where = setup is null ? "" : $" in the set-up {setup}";
        if (unknown.Length == 0)
            return $"--pair: '{a}' and '{b}' are not paired{where}: in no set-up are both there, or both need the same guest";
        string hint = ClosestName.Find(unknown[0], known) is { } closest ? $", did you mean '{closest}'?" : "";
        return $"--pair: there is no call '{unknown[0]}'{where}{hint}; explore --contention --format csv lists all";
    }

    private void WriteSvg((ContentionPair Pair, IReadOnlyList<LaneDiagram> Lanes)[] told)
    {
        LaneDiagram[] lanes = [.. told.SelectMany(pair => pair.Lanes)];
        if (lanes.Length == 0)
            throw new InputException("--format svg: there is nothing to draw: no interleaving of these calls is BUSY, halts the module, or is unlike some order of the two");
        terminal.Out.Write(LaneSvg.Write(lanes));
    }

    private void Permit(string what, params OutputFormat[] formats)
    {
        if (!formats.Contains(format))
        {
            throw new InputException(
                $"--format {format.ToString().ToLowerInvariant()}: not for {what}, which is written as {string.Join(", ", formats.Select(each => each.ToString().ToLowerInvariant()))}");
        }
    }
}
