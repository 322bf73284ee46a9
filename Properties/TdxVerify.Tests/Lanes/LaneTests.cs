using System.Xml.Linq;
using TdxVerify.Properties.Lanes;
using Xunit;

namespace TdxVerify.Tests.Lanes;

/// <summary>Lanes: time downwards, repeats folded, the loop of a lasso in a bracket; as text, Mermaid and SVG.</summary>
public sealed class LaneTests
{
    private static readonly LaneEvent s_fault = new(0, "reads GPA 0xe000", "EPT violation");
    private static readonly LaneEvent s_enter = new(0, "TDH.VP.ENTER");
    private static readonly LaneEvent s_busy = new(1, "= TDX_OPERAND_BUSY(RCX)", "refused", LaneTone.Refused);

    // Seven faults of one instruction, then a loop in which the mapper is refused for ever.
    private static readonly LaneDiagram s_lasso = new LaneDiagram(
        "the mapper starves",
        ["LP 0: v0", "LP 1: mapper"],
        [
            new LaneNote("start: zero-step"),
            .. Enumerable.Repeat<LaneItem[]>([s_enter, s_fault], 7).SelectMany(round => round),
            new LaneRepeat(LaneRepeat.ForEver, [s_enter, s_busy, s_busy]),
        ]).Folded();

    [Fact]
    public void What_happens_seven_times_is_drawn_once()
    {
        var rounds = Assert.IsType<LaneRepeat>(s_lasso.Items[1]);
        var loop = Assert.IsType<LaneRepeat>(s_lasso.Items[2]);

        Assert.Equal((7, 2), (rounds.Times, rounds.Items.Count));
        Assert.Equal("×7", rounds.Label);
        Assert.Equal("for ever", loop.Label);
        Assert.Equal(new LaneRepeat(2, [s_busy]), loop.Items[1]);
        Assert.Equal(4, s_lasso.EventCount);
    }

    [Fact]
    public void Events_that_differ_are_not_folded()
    {
        LaneItem[] items = [s_fault, s_fault with { Detail = "#VE" }, s_fault, s_fault with { Lane = 1 }];

        Assert.Equal(items, new LaneDiagram("", ["a", "b"], items).Folded().Items);
    }

    [Fact]
    public void Text_has_a_column_for_each_lane_and_a_bracket_for_each_repeat() => Assert.Equal(
        [
            "           LP 0: v0                        LP 1: mapper",
            "           ────────                        ────────────",
            "           ── start: zero-step",
            "╭ ×7       │                               │",
            "│          ● TDH.VP.ENTER                  │",
            "│          ● reads GPA 0xe000              │",
            "│          │ EPT violation                 │",
            "╰          │                               │",
            "╭ for ever │                               │",
            "│          ● TDH.VP.ENTER                  │",
            "│ ╭ ×2     │                               │",
            "│ │        │                               ! = TDX_OPERAND_BUSY(RCX)",
            "│ │        │                               │ refused",
            "│ ╰        │                               │",
            "╰↺         │                               │",
        ],
        LaneText.Lines(s_lasso, 73));

    [Theory]
    [InlineData(80)]
    [InlineData(160)]
    [InlineData(40)]
    public void No_line_is_wider_than_asked_for(int width) => Assert.All(LaneText.Lines(s_lasso, width), line => Assert.True(line.Length <= width, line));

    [Fact]
    public void Lanes_that_do_not_fit_are_named_in_each_line() =>
        Assert.Contains("● LP 0: v0: TDH.VP.ENTER", LaneText.Lines(s_lasso, 40).Select(line => line.TrimStart('│', ' ')));

    [Fact]
    public void Mermaid_draws_repeats_as_loops_and_keeps_what_it_would_read_as_syntax()
    {
        LaneDiagram diagram = s_lasso with { Items = [.. s_lasso.Items, new LaneEvent(1, "a; b # c", "<d>")] };
        string[] lines = LaneMermaid.Write(diagram).Split('\n');

        Assert.Equal("sequenceDiagram", lines[0]);
        Assert.Contains("    participant L1 as LP 1: mapper", lines);
        Assert.Contains("    Note over L0,L1: start: zero-step", lines);
        Assert.Contains("    loop ×7", lines);
        Assert.Contains("    loop for ever", lines);
        Assert.Contains("            Note over L1: ! = TDX_OPERAND_BUSY(RCX)<br/>refused", lines);
        Assert.Contains("    Note over L1: a#59; b #35; c<br/>#lt;d#gt;", lines);
        Assert.Equal(3, lines.Count(line => line.Trim() == "end"));
    }

    [Fact]
    public void Svg_is_well_formed_and_has_a_box_for_each_event()
    {
        XElement svg = XElement.Parse(LaneSvg.Write(s_lasso, s_lasso));
        XName rectangle = XName.Get("rect", "http://www.w3.org/2000/svg");

        Assert.Equal(2 * s_lasso.EventCount, svg.Elements(rectangle).Count(box => (string?)box.Attribute("class") == "box"));
        int height = (int)svg.Attribute("height")!;
        Assert.All(svg.Elements(rectangle), box => Assert.True((int?)box.Attribute("y") + (int)box.Attribute("height")! <= height || box.Attribute("y") is null));
    }
}
