using TdxVerify.Host;
using TdxVerify.Properties.Exploration;
using TdxVerify.Properties.Exploration.Manifest;
using TdxVerify.Properties.Exploration.Reports;
using TdxVerify.Properties.Lanes;
using Xunit;

namespace TdxVerify.Tests.Exploration;

/// <summary>
/// The named scenarios against their manifest. Those that it calls large are left out here, as one of them would take
/// longer than all other tests: <c>./run-props.sh explore --check --all</c> explores them too.
/// </summary>
public sealed class ScenarioTests
{
    private const int MostEvents = 12;

    public static TheoryData<string> Small => [.. ScenarioManifest.All.Where(pin => !pin.IsLarge).Select(pin => pin.Name)];

    /// <summary>The three contentions of TDX calls, each with the call that is refused.</summary>
    public static TheoryData<string, string> Contentions => new()
    {
        { "track-vs-enter", "TDH.VP.ENTER: TDX_OPERAND_BUSY(TD_EPOCH)" },
        { "track-vs-enter", "TDH.MEM.TRACK: TDX_OPERAND_BUSY(TD_EPOCH)" },
        { "zero-step-vs-aug", "TDH.VP.ENTER: TDX_OPERAND_BUSY(SEPT_TREE)" },
        { "zero-step-vs-aug", "TDH.MEM.PAGE.AUG: TDX_OPERAND_BUSY(SEPT_TREE)" },
        { "accept-vs-aug", "TDG.MEM.PAGE.ACCEPT: TDX_OPERAND_BUSY(RCX)" },
        { "accept-vs-aug", "TDH.MEM.PAGE.AUG: TDX_OPERAND_BUSY(RCX)" },
    };

    [Theory]
    [MemberData(nameof(Small))]
    public void Verdict_and_counts_are_those_of_the_manifest_whatever_reductions_are_on(string name)
    {
        ScenarioCheck check = ScenarioCheck.Run(ScenarioTable.Find(name)!, new SearchOptions { Workers = 2 });

        Assert.Empty(check.Missing);
        Assert.Equal(check.Pin, check.Found);
    }

    [Fact]
    public void The_manifest_has_a_row_for_each_scenario() =>
        Assert.Equal(ScenarioTable.All.Select(scenario => scenario.Name), ScenarioManifest.All.Select(pin => pin.Name));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Counts_do_not_depend_on_the_number_of_workers(int workers)
    {
        foreach (string name in (string[])["track-vs-enter", "attr-vs-block", "zero-step-pending"])
        {
            ScenarioPin pin = ScenarioManifest.Find(name)!;
            ExploreReport report = Explorer.Run(ScenarioTable.Find(name)!.Configuration, new SearchOptions { Workers = workers });
            Assert.Equal(
                (name, pin.Verdict, pin.States, pin.Transitions, pin.Depth),
                (name, report.Verdict, report.Search.States, report.Search.Transitions, report.Search.Depth));
        }
    }

    [Theory]
    [MemberData(nameof(Contentions))]
    public void Each_contention_has_a_short_witness(string name, string answer)
    {
        ExploreReport report = Explorer.Run(ScenarioTable.Find(name)!.Configuration, new SearchOptions { Workers = 2 }, witnesses: true);
        LaneDiagram lanes = report.Sometimes.Single(sometimes => sometimes.Name == answer).Witness!.Lanes;

        Assert.InRange(lanes.EventCount, 1, MostEvents);
        Assert.Contains(lanes.Items, item => item is LaneEvent { Tone: LaneTone.Refused });
    }

    [Fact]
    public void A_lane_names_an_error_at_which_nobody_looks_and_the_rule_that_decided()
    {
        Configuration configuration = ScenarioTable.Find("zero-step-vs-aug")!.Configuration with { JoinsUnseenSteps = true, JoinsGuardedSteps = true, ForgetsUnread = true };
        ExploreReport report = Explorer.Run(configuration, new SearchOptions { Workers = 2 }, witnesses: true);
        LaneDiagram lanes = report.Sometimes.Single(sometimes => sometimes.Name == "TDH.VP.ENTER: TDX_OPERAND_BUSY(SEPT_TREE)").Witness!.Lanes;

        LaneEvent refused = lanes.Items.OfType<LaneEvent>().Single(item => item.Tone == LaneTone.Refused);
        Assert.EndsWith("TDX_OPERAND_BUSY(SEPT_TREE)", refused.Text, StringComparison.Ordinal);
        Assert.Contains("refused: if the list of faulting GPAs is not empty: S-EPT tree EXCLUSIVE", refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Seven_violations_at_one_instruction_are_drawn_once()
    {
        ExploreReport report = Explorer.Run(ScenarioTable.Find("zero-step-pending")!.Configuration, new SearchOptions { Workers = 2 });
        LaneDiagram lanes = report.Liveness.First(finding => finding.IsLivelock).Run.Lanes;

        LaneRepeat violations = Assert.IsType<LaneRepeat>(lanes.Items[0]);
        Assert.Equal("×7", violations.Label);
        Assert.Equal(new LaneEvent(0, "TDH.VP.ENTER = EPT violation gpa0", "guest: read gpa0"), Assert.Single(violations.Items));
        Assert.Equal(LaneRepeat.ForEver, Assert.IsType<LaneRepeat>(lanes.Items[^1]).Times);
    }

    [Fact]
    public void A_search_that_ends_early_says_what_it_covered()
    {
        ExploreReport report = Explorer.Run(ScenarioTable.Find("track-vs-enter")!.Configuration, new SearchOptions { Workers = 1, DepthLimit = 20 });

        Assert.Equal((Verdict.Incomplete, 20), (report.Verdict, report.Search.Depth));
        Assert.Equal("all runs of up to 20 steps were explored, as --depth asked", report.StoppedBy);
        Assert.Equal("not everything was explored", report.LivenessNotJudged);
    }

    [Fact]
    public void A_search_stops_at_its_memory_limit()
    {
        ExploreReport report = Explorer.Run(ScenarioTable.Find("zero-step-vs-aug-2")!.Configuration, new SearchOptions { Workers = 2, MemoryLimit = 32 << 20 });

        Assert.Equal(Verdict.Incomplete, report.Verdict);
        Assert.StartsWith("states and table reached the limit", report.StoppedBy, StringComparison.Ordinal);
        Assert.InRange(report.Search.States, 1000, ScenarioManifest.Find("zero-step-vs-aug-2")!.States!.Value - 1);
    }
}
