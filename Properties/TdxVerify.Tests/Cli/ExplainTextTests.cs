using TdxVerify.Abi;
using TdxVerify.Cli;
using TdxVerify.Cli.Commands;
using TdxVerify.Properties.Explain;
using Xunit;

namespace TdxVerify.Tests.Cli;

/// <summary>How the steps that return a status are shown.</summary>
public sealed class ExplainTextTests
{
    [Fact]
    public void Steps_are_grouped_by_leaf_with_their_registers() =>
        Assert.EndsWith(
            """
              TDH.MEM.TRACK
                step  8, lock: TD epoch, exclusive
              TDH.VP.ENTER
                step  9, lock: TD epoch, shared; RCX=0
                step 10, lock: TD epoch, shared; RCX=0

            """,
            Show(
                null,
                new StatusOrigin("TDH.MEM.TRACK", 8, "lock", "TD epoch, exclusive", Busy, ""),
                new StatusOrigin("TDH.VP.ENTER", 9, "lock", "TD epoch, shared", Busy, "RCX=0"),
                new StatusOrigin("TDH.VP.ENTER", 10, "lock", "TD epoch, shared", Busy, "RCX=0")),
            StringComparison.Ordinal);

    [Fact]
    public void A_status_of_many_steps_says_how_many_it_left_out()
    {
        string text = Show(null, [.. Enumerable.Range(1, 20).Select(step => new StatusOrigin("TDH.MEM.TRACK", step, "lock", "x", Busy, ""))]);

        Assert.Contains("step 16", text, StringComparison.Ordinal);
        Assert.DoesNotContain("step 17", text, StringComparison.Ordinal);
        Assert.EndsWith("  and 4 more steps; --leaf NAME shows those of one leaf, --json all\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_modelled_leaf_that_cannot_return_a_status_is_named() =>
        Assert.EndsWith("  No step of TDH.MEM.RANGE.BLOCK returns this.\n", Show("TDH.MEM.RANGE.BLOCK"), StringComparison.Ordinal);

    private const ulong Busy = Status.TDX_OPERAND_BUSY | (ulong)OperandId.TD_EPOCH;

    private static string Show(string? leaf, params StatusOrigin[] steps)
    {
        var query = new StatusQuery(new StatusCode(Busy));
        StatusExplanation explanation = StatusExplainer.Explain(query, leaf, new Steps(steps));
        using var output = new StringWriter { NewLine = "\n" };
        ExplainText.Write(
            new Terminal(TextReader.Null, output, TextWriter.Null),
            [new ExplainedFinding(new LogFinding(query, leaf, null, null, null, "", []), explanation)]);
        return output.ToString();
    }

    private sealed class Steps(StatusOrigin[] steps) : IStatusOrigins
    {
        public IReadOnlyCollection<string> Leaves => ["TDH.MEM.TRACK", "TDH.VP.ENTER", "TDH.MEM.RANGE.BLOCK"];

        public IReadOnlyList<StatusOrigin> Find(StatusQuery query, string? leaf) => steps;
    }
}
