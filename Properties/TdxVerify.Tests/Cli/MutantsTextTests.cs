using TdxVerify.Cli;
using TdxVerify.Cli.Commands;
using TdxVerify.Model.Mutants;
using TdxVerify.Properties.Mutants;
using Xunit;

namespace TdxVerify.Tests.Cli;

/// <summary>The report of <c>mutants</c>: a page of scores, with every survivor by its name.</summary>
public sealed class MutantsTextTests
{
    private static readonly Kill s_byAnswer = new(KilledBy.RandomSequence, "");
    private static readonly Kill s_byLaw = new(KilledBy.Law, "", "zero-step");

    private static readonly MutantVerdict[] s_verdicts =
    [
        new("TDH.MEM.PAGE.AUG step 3 check dropped: the third", "TDH.MEM.PAGE.AUG", MutantKind.CheckDropped, 9, s_byAnswer, s_byLaw),
        new("TDH.MEM.PAGE.ADD step 4 check dropped: the fourth", "TDH.MEM.PAGE.ADD", MutantKind.CheckDropped, 9, s_byAnswer, Kill.None),
        new("TDH.MEM.PAGE.ADD step 5 status altered to TDX_TD_FATAL: the fifth", "TDH.MEM.PAGE.ADD", MutantKind.StatusAltered, 9, s_byAnswer, Kill.None),
        new("TDH.VP.FLUSH step 6 lock dropped: the sixth", "TDH.VP.FLUSH", MutantKind.LockDropped, 0, Kill.None, Kill.None),
        new("TDH.VP.FLUSH step 7 check dropped: the seventh", "TDH.VP.FLUSH", MutantKind.CheckDropped, 9, Kill.None, Kill.None) { Shadow = new Shadow("its step 2: the second", 12) },
    ];

    [Fact]
    public void Every_survivor_is_named()
    {
        string text = Show(isFull: false);

        Assert.Contains("Survived conformance: 1\n  no sequence gets to where it could be told:\n    TDH.VP.FLUSH step 6 lock dropped: the sixth\n", text, StringComparison.Ordinal);
        Assert.Contains("Told by no law, though by conformance: 2\n  TDH.MEM.PAGE.ADD\n    step 4 check dropped; step 5 status altered to TDX_TD_FATAL\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Leaves_are_counted_by_family_and_equivalent_mutants_by_what_shadows_them()
    {
        string text = Show(isFull: false);

        Assert.Contains("  TDH.MEM.PAGE.*                             3           .         3         1\n", text, StringComparison.Ordinal);
        Assert.Contains("  TDH.VP.*                                   2           1         0         0\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("the seventh", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_full_report_has_each_leaf_and_each_equivalent_mutant()
    {
        string text = Show(isFull: true);

        Assert.Contains("  TDH.VP.FLUSH                               2           1         0         0\n", text, StringComparison.Ordinal);
        Assert.Contains("     1  its step: the second\n        TDH.VP.FLUSH step 7 check dropped: the seventh, in 12 runs\n", text, StringComparison.Ordinal);
        Assert.Contains("    step 4 check dropped: the fourth\n", text, StringComparison.Ordinal);
    }

    private static string Show(bool isFull)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var terminal = new Terminal(TextReader.Null, output, TextWriter.Null);
        new MutantsText(terminal, new MutantsOptions(), isFull).Write(new MutantsResult
        {
            Of = 5, Verdicts = s_verdicts, Sequences = 1, Sweeps = 1, BrokenByModel = [], Recordings = 1, Seconds = 1,
        });
        return output.ToString();
    }
}
