using System.Text.Json;
using TdxVerify.Abi;
using TdxVerify.Cli;
using TdxVerify.Cli.Commands;
using TdxVerify.Model;
using TdxVerify.Properties.Contention;
using Xunit;

namespace TdxVerify.Tests.Cli;

/// <summary>The contention matrix and its differences in each format.</summary>
public sealed class ContentionFormatTests
{
    private static readonly ContentionRecordings s_recordings = ContentionRecordings.BuiltIn();
    private static readonly ContentionMatrix s_matrix = Explore(ModuleProfile.V1_5_01);
    private static readonly ContentionDiff s_diff = ContentionDiff.Between(s_matrix, Explore(ModuleProfile.NoFreeEntryLock));

    [Fact]
    public void Csv_has_a_line_for_each_pair_and_no_field_breaks_it()
    {
        string[] lines = Written(terminal => ContentionCsv.WriteMatrix(terminal.Out, s_matrix)).TrimEnd('\n').Split('\n');

        Assert.Equal(s_matrix.Pairs.Count + 1, lines.Length);
        Assert.All(lines, line => Assert.Equal(11, line[1..^1].Split("\",\"").Length));
        Assert.StartsWith("\"1.5.01\",\"run\",\"PAGE.AUG 3000/0\",\"PAGE.REMOVE 3000/0\",\"same-GPA\",\"RCX\",\"RCX\",\"yes\",\"yes\",", lines.Single(line => line.Contains("PAGE.REMOVE", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_has_what_the_matrix_has_with_the_schedules()
    {
        using JsonDocument json = JsonDocument.Parse(Written(terminal => ContentionJson.WriteMatrix(terminal, s_matrix)));
        JsonElement pair = json.RootElement.GetProperty("pairs").EnumerateArray().Single(pair => pair.GetProperty("b").GetString() == "PAGE.REMOVE 3000/0");

        Assert.Equal("1.5.01", json.RootElement.GetProperty("profile").GetString());
        Assert.Equal(["RCX"], pair.GetProperty("aBusy").EnumerateArray().Select(operand => operand.GetString()));
        Assert.True(pair.GetProperty("moduleHalts").GetBoolean() && pair.GetProperty("serializable").GetBoolean());
        Assert.Equal(["aBusy", "bBusy", "moduleHalts"], pair.GetProperty("witnesses").EnumerateArray().Select(witness => witness.GetProperty("of").GetString()));
    }

    [Fact]
    public void Markdown_and_the_table_say_who_makes_whom_busy_what_halts_and_what_no_order_gives()
    {
        string markdown = Written(terminal => ContentionMarkdown.WriteMatrix(terminal.Out, s_matrix));
        string table = Written(terminal => new ContentionText(terminal).WriteMatrix(s_matrix, TimeSpan.Zero));

        Assert.Contains("| PAGE.AUG | RCX | PAGE.REMOVE, TDG.ACCEPT |\n", markdown, StringComparison.Ordinal);
        Assert.Contains("## Halts the module\n\n- run: PAGE.AUG 3000/0 and PAGE.REMOVE 3000/0\n", markdown, StringComparison.Ordinal);
        Assert.Contains("PAGE.AUG     RCX       PAGE.REMOVE, TDG.ACCEPT\n", table, StringComparison.Ordinal);
        Assert.All([markdown, table], text => Assert.Contains("TDX_SUCCESS|exit77[TDX_PAGE_SIZE_MISMATCH(level0)]|nonser", text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_difference_says_what_is_new_and_what_is_gone()
    {
        string text = Written(terminal => new ContentionDiffText(terminal).Write(s_diff, TimeSpan.Zero));
        string markdown = Written(terminal => ContentionMarkdown.WriteDiff(terminal.Out, s_diff));
        using JsonDocument json = JsonDocument.Parse(Written(terminal => ContentionJson.WriteDiff(terminal, s_diff)));
        JsonElement pair = Assert.Single(json.RootElement.GetProperty("pairs").EnumerateArray());

        Assert.StartsWith("contention  what no-free-entry-lock changes for calls that overlap, compared with 1.5.01\n\nNew BUSY: none\n\nBUSY that is gone\n", text, StringComparison.Ordinal);
        Assert.Contains("  TDG.ACCEPT  RCX  PAGE.AUG\n", text, StringComparison.Ordinal);
        Assert.Contains("    TDX_SUCCESS|exit77[TDX_PAGE_SIZE_MISMATCH(level0)]|nonser\n", text, StringComparison.Ordinal);
        Assert.Contains("## New BUSY\n\nNone.\n", markdown, StringComparison.Ordinal);
        Assert.Contains("| PAGE.AUG | RCX | TDG.ACCEPT | 1 (all) | run: PAGE.AUG 3000/0 and TDG.ACCEPT 3000/0 v0 (in guest) |\n", markdown, StringComparison.Ordinal);
        Assert.Equal(("1.5.01", "no-free-entry-lock"), (json.RootElement.GetProperty("before").GetString(), json.RootElement.GetProperty("after").GetString()));
        Assert.Equal(["RCX"], pair.GetProperty("aGoneBusy").EnumerateArray().Select(operand => operand.GetString()));
        Assert.Empty(pair.GetProperty("aNewBusy").EnumerateArray());
    }

    private static ContentionMatrix Explore(ModuleProfile profile) => ContentionMatrix.Compute(
        s_recordings, LeafSet<BranchingState>.Of(profile), 1,
        pair => pair.Scenario == "run" && pair.A.Name == "PAGE.AUG 3000/0" && pair.B.Name is "PAGE.REMOVE 3000/0" or "TDG.ACCEPT 3000/0 v0 (in guest)", witnesses: true);

    private static string Written(Action<Terminal> write)
    {
        using var output = new StringWriter { NewLine = "\n" };
        write(new Terminal(TextReader.Null, output, TextWriter.Null));
        return output.ToString();
    }
}
