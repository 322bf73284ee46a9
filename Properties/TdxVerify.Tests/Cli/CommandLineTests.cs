using System.CommandLine;
using TdxVerify.Cli;
using Xunit;

namespace TdxVerify.Tests.Cli;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("", "no command given; the commands are: ")]
    [InlineData("explian 0x1", "unknown command 'explian', did you mean 'explain'?")]
    [InlineData("--jsn", "unknown option '--jsn'")]
    [InlineData("explain", "explain needs CODE, for example: tdxverify explain 0x8000020000000092")]
    [InlineData("explain --jsn 0x1", "unknown option '--jsn', did you mean '--json'?")]
    [InlineData("explain 0x1 --leaf", "--leaf")]
    [InlineData("explain 0x1 --leaf TDH.MEM.PAGE.UAG", "did you mean TDH.MEM.PAGE.AUG?")]
    [InlineData("explain 0x1 --leaf x --leaf y", "--leaf")]
    [InlineData("explain TDX_OPERAND_BUZY", "did you mean TDX_OPERAND_BUSY?")]
    [InlineData("explain TDX_OPERAND_BUSY(SEPT_TRE)", "did you mean SEPT_TREE?")]
    [InlineData("explain 0xzz", "'0xzz' is no hexadecimal number")]
    [InlineData("explain - 0x1", "explain takes either - or codes, not both")]
    [InlineData("explain hello world", "there is no TDX status in this text")]
    [InlineData("explain -", "there is no TDX status in standard input (0 lines)")]
    [InlineData("explain @nothing", "'@nothing' is no TDX status")]
    public void Bad_input_is_one_line_on_stderr_and_status_2(string line, string expected)
    {
        CliRun run = CliRun.Of(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal((2, ""), (run.Status, run.Out));
        Assert.StartsWith("tdxverify: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Equal(run.Error.Length - 1, run.Error.IndexOf('\n', StringComparison.Ordinal));
    }

    [Fact]
    public void A_bug_is_one_line_that_says_where_and_status_2()
    {
        using var input = new BrokenReader(new InvalidOperationException("two\nlines"));
        CliRun run = CliRun.With(input, "explain", "-");

        Assert.Equal(2, run.Status);
        Assert.Matches(
            @"^tdxverify: this is a bug in tdxverify: InvalidOperationException in TdxVerify\.Tests\.Cli\.\S+BrokenReader\.ReadLine.*: two lines \(TDXVERIFY_DEBUG=1 shows the whole trace\)\n$",
            run.Error);
    }

    [Fact]
    public void An_unreadable_input_is_no_bug()
    {
        using var input = new BrokenReader(new IOException("Input/output error"));

        Assert.Equal("tdxverify: Input/output error\n", CliRun.With(input, "explain", "-").Error);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("explain --help")]
    [InlineData("explain 0x1 --jsn --help")]
    [InlineData("--version")]
    public void Help_and_version_go_to_stdout_without_escape_codes(string line)
    {
        CliRun run = CliRun.Of(line.Split(' '));

        Assert.Equal((0, ""), (run.Status, run.Error));
        Assert.DoesNotContain('\e', run.Out);
    }

    [Fact]
    public void Help_lists_every_command_and_describes_every_argument_and_option()
    {
        using var empty = new StringReader("");
        foreach (Command command in CommandTable.Create(new Terminal(empty, TextWriter.Null, TextWriter.Null)))
        {
            Assert.Contains($"\n  {command.Name} ", CliRun.Of("--help").Out, StringComparison.Ordinal);
            Assert.All(All(command), symbol => Assert.False(string.IsNullOrWhiteSpace(symbol.Description), $"{command.Name} {symbol.Name} has no description"));
        }

        static IEnumerable<Symbol> All(Command command) =>
            [command, .. command.Arguments, .. command.Options, .. command.Subcommands.SelectMany(All)];
    }

    /// <summary>A reader that fails.</summary>
    private sealed class BrokenReader(Exception failure) : TextReader
    {
        public override string? ReadLine() => throw failure;
    }
}
