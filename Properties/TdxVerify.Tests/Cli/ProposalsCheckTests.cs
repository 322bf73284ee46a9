using System.Text.Json;
using TdxVerify.Properties.UserProposals;
using TdxVerify.Tests.Proposals;
using Xunit;

namespace TdxVerify.Tests.Cli;

/// <summary><c>proposals new</c> and <c>proposals check</c>.</summary>
public sealed class ProposalsCheckTests
{
    private const string Kicks = ".State(\"kick\", Kick()).Next(\"return\")";

    [Fact]
    public void New_writes_a_file_that_check_takes_as_it_is_and_overwrites_nothing_unasked()
    {
        string folder = Directory.CreateTempSubdirectory("tdxverify-test").FullName;
        string file = Path.Combine(folder, "later.cs");
        try
        {
            CliRun written = CliRun.Of("proposals", "new", "kick-later", "--output", file);
            CliRun again = CliRun.Of("proposals", "new", "kick-later", "--output", file);
            File.WriteAllText(file, "edited");
            CliRun forced = CliRun.Of("proposals", "new", "kick-later", "--output", file, "--force");
            CliRun check = CliRun.Of("proposals", "check", file, "--configuration", "fault", "fault-and-zap");

            Assert.Equal((0, ""), (written.Status, written.Error));
            Assert.EndsWith($"tdxverify proposals check {file}\n", written.Out, StringComparison.Ordinal);
            Assert.Equal((2, $"tdxverify: {file} exists already; --force overwrites it, --output FILE writes another\n"), (again.Status, again.Error));
            Assert.Equal(0, forced.Status);
            Assert.Equal((0, ""), (check.Status, check.Error));
            Assert.Contains("bounds fault-and-zap                       repeats 4, there 1", check.Out, StringComparison.Ordinal);
            Assert.Contains("\nsafe  kick-later: 0 cells better than upstream-6.19, 0 worse", check.Out, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("retry-16", "retry-16 is the name of a built-in proposal; choose another")]
    [InlineData("a/b", "'a/b' is no name: a name is made of letters")]
    public void New_takes_names_that_are_free(string name, string error)
    {
        CliRun run = CliRun.Of("proposals", "new", name);

        Assert.Equal((2, ""), (run.Status, run.Out));
        Assert.StartsWith($"tdxverify: {error}", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_proposal_that_is_refuted_is_told_at_once_compared_and_shown_with_a_shortest_run_and_its_cause()
    {
        using UserFile file = UserFile.WithRemoval(Kicks);

        CliRun run = CliRun.Of("proposals", "check", file.Path, "--configuration", "fault-and-zap");

        Assert.Equal((1, ""), (run.Status, run.Error));
        Assert.Matches(@"^mine  1 configuration, small ones first\n  ✗ not mirror agrees +fault-and-zap, \d+ steps \(", run.Out);
        Assert.Matches(@"\n  mirror agrees +✗ +✓\n", run.Out);
        Assert.Matches(@"\n  worse  fault-and-zap +mirror agrees is refuted here, holds there, \d+ steps\n", run.Out);
        Assert.Contains("not mirror agrees: the shortest run that refutes it", run.Out, StringComparison.Ordinal);
        Assert.Contains("Cause: host program; upstream-6.19 has no fault here on the same module.", run.Out, StringComparison.Ordinal);
        Assert.Matches(@"\nunsafe  mine: 0 cells better than upstream-6.19, 1 worse; ", run.Out);
    }

    [Fact]
    public void Json_is_that_of_proposals_with_one_element_and_what_it_is_compared_with()
    {
        using UserFile file = UserFile.WithRemoval(Kicks);

        CliRun run = CliRun.Of("proposals", "check", file.Path, "--configuration", "fault-and-zap", "--json");
        using JsonDocument document = JsonDocument.Parse(run.Out);
        JsonElement comparison = document.RootElement.GetProperty("comparedWith");

        Assert.Equal((1, ""), (run.Status, run.Error));
        Assert.Equal(["proposals", "comparedWith", "seconds"], document.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal(("mine", "unsafe"), (document.RootElement.GetProperty("proposals")[0].GetProperty("name").GetString(), document.RootElement.GetProperty("proposals")[0].GetProperty("verdict").GetString()));
        Assert.Equal(
            ["name", "source", "verdict", "bugFree", "tlbSafe", "mirrorAgrees", "livelockFree", "starvationFree", "guestCannotBug", "bounds", "cells", "boundCells"],
            comparison.EnumerateObject().Select(property => property.Name));
        Assert.Equal(("upstream-6.19", "safe", true), (comparison.GetProperty("name").GetString(), comparison.GetProperty("verdict").GetString(), comparison.GetProperty("mirrorAgrees").GetBoolean()));
        JsonElement cell = comparison.GetProperty("cells").EnumerateArray().Single();
        Assert.Equal(
            ("fault-and-zap", "mirrorAgrees", "held", "refuted"),
            (cell.GetProperty("configuration").GetString(), cell.GetProperty("property").GetString(), cell.GetProperty("there").GetString(), cell.GetProperty("here").GetString()));
        Assert.True(cell.GetProperty("steps").GetInt32() > 0);
        Assert.Equal(("1", "0"), Bound(comparison, "seamcallRepeats"));
    }

    [Fact]
    public void What_is_not_decided_in_time_is_status_2()
    {
        // It is refuted nowhere here, so nothing can be told before all is explored: millions of states.
        using UserFile file = UserFile.Of(ProposalTemplate.Of("mine", "mine.cs", new DateOnly(2026, 1, 1)));

        CliRun run = CliRun.Of("proposals", "check", file.Path, "--configuration", "three-vcpus-zap-and-invalidation", "--time", "0.01s");

        Assert.Equal((2, ""), (run.Status, run.Error));
        Assert.Contains("\nundecided  mine", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_refused_is_shown_with_its_lines_on_stderr()
    {
        using UserFile file = UserFile.WithMembers("    static HostProgram Remove() => HostProgram.Named(\"remove\").State(\"a\", Kik()).Next(\"return\").Build();\nstatic int X = ;");

        CliRun run = CliRun.Of("proposals", "check", file.Path, "--json");

        Assert.Equal((2, ""), (run.Status, run.Out));
        Assert.Equal(
            $"""
            {file.Path}:2:75: error CS0103: The name 'Kik' does not exist in the current context (did you mean Kick?)
                static HostProgram Remove() => HostProgram.Named("remove").State("a", Kik()).Next("return").Build();
                                                                                      ^
            {file.Path}:3:16: error CS1525: Invalid expression term ';'
                static int X = ;
                               ^
            tdxverify: {file.Path} is refused for 2 reasons; nothing was explored

            """,
            run.Error);
    }

    [Fact]
    public void Many_reasons_are_counted()
    {
        using UserFile file = UserFile.WithMembers(string.Concat(Enumerable.Range(0, 30).Select(number => $"static int X{number} = Y;\n")));

        CliRun run = CliRun.Of("proposals", "check", file.Path);

        Assert.Contains("\n... and 11 more\ntdxverify: ", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("is refused for 31 reasons; nothing was explored\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_only_shows_while_it_is_explored_is_one_line()
    {
        using UserFile file = UserFile.WithRemoval("""
            .State("read", ReadSpte()).On(IsNone, "lock").Otherwise("unlock")
            .State("unlock", UnlockMmu).Next("lock")
            .State("lock", WriteLockMmu).Next("return")
            """);

        CliRun run = CliRun.Of("proposals", "check", file.Path, "--configuration", "fault-and-zap", "--json");

        Assert.Equal((2, ""), (run.Status, run.Out));
        Assert.Equal($"tdxverify: {file.Path}: it cannot be explored to the end: agent 1 takes a lock that it holds.\n", run.Error);
    }

    [Theory]
    [InlineData("there is no file nowhere.cs; tdxverify proposals new NAME writes a template", "nowhere.cs")]
    [InlineData("check needs FILE, for example: tdxverify proposals check kick-later.cs")]
    [InlineData("--time: 'soon' is no time; times are written 30s, 4m or 2h", "nowhere.cs", "--time", "soon")]
    public void A_mistake_is_one_line_and_status_2(string expected, params string[] arguments)
    {
        CliRun run = CliRun.Of(["proposals", "check", .. arguments]);

        Assert.Equal((2, "", $"tdxverify: {expected}\n"), (run.Status, run.Out, run.Error));
    }

    private static (string?, string?) Bound(JsonElement comparison, string name)
    {
        JsonElement bound = comparison.GetProperty("boundCells").EnumerateArray().Single(each => each.GetProperty("bound").GetString() == name);
        return (bound.GetProperty("there").GetString(), bound.GetProperty("here").GetString());
    }
}
