using System.CommandLine;
using TdxVerify.Abi;
using TdxVerify.Host.Field;
using TdxVerify.Properties.Explain;
using TdxVerify.Properties.Proposals;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary><c>proposals field</c>: the bugs found in the field are found again, and their fixes proven.</summary>
internal static class ProposalsFieldCommand
{
    private const int NameWidth = 42;

    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("NAME") { Description = "one case, or its number: with the run that shows it", Arity = ArgumentArity.ZeroOrOne };
        Option<int> workers = ProposalsCommand.WorkersOption();
        Option<bool> json = CommonOptions.Json();
        var command = new CliCommand("field", "the bugs found in the field, each beside its fix: found again, and proven")
        {
            Details = "Exit status: 0 every case comes as expected: each bug is found, each fix is proven; 1 one does not; 2 it could not run.",
            Examples = [("", "all of them"), ("bad_accept_bugs_aug", "one of them, with its run"), ("13", "bug 13 and its fix")],
        };
        command.Add(name);
        command.Add(workers);
        command.Add(json);
        command.SetAction(parsed => Run(terminal, parsed.GetValue(name), ProposalsCommand.ParseWorkers(parsed.GetValue(workers)), parsed.GetValue(json)));
        return command;
    }

    private static int Run(Terminal terminal, string? name, int workers, bool asJson)
    {
        IReadOnlyList<FieldResult> results = FieldRun.Run(Find(name), workers, new SystemLimits());
        if (asJson)
            WriteJson(terminal, results);
        else
            Write(terminal, results, withRuns: name is not null);
        return results.All(result => result.IsAsExpected) ? ExitStatus.Held : ExitStatus.Broken;
    }

    private static IReadOnlyList<FieldCase> Find(string? name)
    {
        if (name is null)
            return FieldTable.All;
        if (int.TryParse(name, out int bug) && FieldTable.All.Where(field => field.Bug == bug).ToArray() is { Length: > 0 } pair)
            return pair;
        string[] known = [.. FieldTable.All.Select(field => field.Name)];
        return FieldTable.Find(name) is { } found
            ? [found]
            : throw new InputException(ClosestName.Find(name, known) is { } near
                ? $"there is no case '{name}', did you mean {near}?"
                : $"there is no case '{name}'; proposals field lists all");
    }

    private static void Write(Terminal terminal, IReadOnlyList<FieldResult> results, bool withRuns)
    {
        terminal.Out.WriteLine(terminal.Faint($"{"bug",5}  {"case",-NameWidth}{"found",-20}{"steps",5}  cause"));
        foreach (FieldResult result in results)
        {
            string mark = result.IsAsExpected ? terminal.Good("✓") : terminal.Bad("✗");
            terminal.Out.WriteLine($"{mark} {result.Case.Bug,3}  {result.Case.Name,-NameWidth}{result.VerdictName,-20}{(result.Run is { } run ? run.Steps : "."),5}  {result.CauseName}");
            if (!result.IsAsExpected)
                Paragraph.Write(terminal, "       ", terminal.Bad($"expected: {FieldResult.NameOf(result.Case.Expected)}, {FieldResult.NameOf(result.Case.Cause)}"));
            if (!withRuns)
                continue;
            Paragraph.Write(terminal, "       ", $"{result.Case.What}.");
            terminal.Out.WriteLine();
            if (result.Run is null)
                continue;
            LaneWriter.Write(terminal, result.Run.Lanes, "  ");
            terminal.Out.WriteLine();
        }

        terminal.Out.WriteLine();
        terminal.Out.WriteLine(
            $"{results.Count(result => result.IsAsExpected)} of {results.Count} as expected; {results.Sum(result => result.Result.States):N0} states");
    }

    private static void WriteJson(Terminal terminal, IReadOnlyList<FieldResult> results) => JsonOutput.Write(terminal, json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("cases");
        foreach (FieldResult result in results)
        {
            json.WriteStartObject();
            json.WriteString("name", result.Case.Name);
            json.WriteNumber("bug", result.Case.Bug);
            json.WriteString("expected", FieldResult.NameOf(result.Case.Expected));
            json.WriteString("found", result.VerdictName);
            json.WriteString("law", result.Law);
            if (result.Run is { } run)
                json.WriteNumber("events", run.Steps);
            else
                json.WriteNull("events");
            json.WriteString("cause", result.CauseName);
            json.WriteBoolean("asExpected", result.IsAsExpected);
            json.WriteNumber("states", result.Result.States);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });
}
