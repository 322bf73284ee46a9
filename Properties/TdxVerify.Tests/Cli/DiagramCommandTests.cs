using TdxVerify.Model;
using TdxVerify.Tests.Hardware;
using Xunit;

namespace TdxVerify.Tests.Cli;

public sealed class DiagramCommandTests
{
    [Theory]
    [InlineData("sept", "stateDiagram-v2\n")]
    [InlineData("td", "stateDiagram-v2\n")]
    [InlineData("vcpu", "stateDiagram-v2\n")]
    [InlineData("locks", "# Locks\n")]
    [InlineData("checks", "# Steps of every leaf\n")]
    public void A_diagram_is_printed(string name, string start)
    {
        CliRun run = CliRun.Of("diagram", name);

        Assert.Equal((0, ""), (run.Status, run.Error));
        Assert.StartsWith(start, run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Graphviz_is_an_alternative()
    {
        Assert.StartsWith("digraph machine {\n", CliRun.Of("diagram", "sept", "--format", "dot").Out, StringComparison.Ordinal);
        Assert.Equal(CliRun.Of("diagram", "sept").Out, CliRun.Of("diagram", "sept", "--format", "mermaid").Out);
    }

    [Fact]
    public void All_documents_are_written_into_a_folder()
    {
        using var folder = new TemporaryFolder();
        CliRun run = CliRun.Of("diagram", "all", "--output", folder.Path);

        Assert.Equal(0, run.Status);
        Assert.All(ModelDocuments.All, document => Assert.Equal(document.Markdown(), File.ReadAllText(Path.Combine(folder.Path, document.FileName))));
    }

    [Theory]
    [InlineData("did you mean sept?", "sep")]
    [InlineData("there are sept, td, vcpu, locks, checks, all", "pamt-table")]
    [InlineData("say where with --output", "all")]
    [InlineData("--format is for sept, td, vcpu", "locks", "--format", "dot")]
    [InlineData("only mermaid and dot", "td", "--format", "svg")]
    [InlineData("does not go with --format", "td", "--format", "dot", "--output", "x")]
    public void What_cannot_be_shown_is_said_in_one_line(string expected, params string[] arguments)
    {
        CliRun run = CliRun.Of(["diagram", .. arguments]);

        Assert.Equal((2, ""), (run.Status, run.Out));
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Equal(1, run.Error.Count(character => character == '\n'));
    }
}
