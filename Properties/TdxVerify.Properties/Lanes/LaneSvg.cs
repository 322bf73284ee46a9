using System.Globalization;
using System.Security;
using System.Text;

namespace TdxVerify.Properties.Lanes;

/// <summary>Lanes as a picture: SVG 1.1 without script or external font, one or several diagrams below each other.</summary>
public sealed class LaneSvg
{
    private const int LaneWidth = 340;
    private const int Gap = 24;
    private const int Border = 24;
    private const int BracketWidth = 20;
    private const int LineHeight = 17;
    private const int Padding = 7;
    private const int EventGap = 9;
    private const int Characters = 39;
    private const int TitleHeight = 34;

    private readonly StringBuilder _lifelines = new();
    private readonly StringBuilder _boxes = new();
    private int _y = Border;

    private LaneSvg()
    {
    }

    /// <summary>The picture.</summary>
    public static string Write(params IReadOnlyList<LaneDiagram> diagrams)
    {
        var svg = new LaneSvg();
        foreach (LaneDiagram diagram in diagrams)
            svg.Draw(diagram);
        int width = diagrams.Max(diagram => Left(diagram, diagram.Lanes.Count)) - Gap + Border;
        return string.Create(CultureInfo.InvariantCulture, $$"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{{width}}" height="{{svg._y}}" viewBox="0 0 {{width}} {{svg._y}}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13">
            <style>
            .title { font-weight: bold; font-size: 15px; } .heading { font-weight: bold; } .detail { fill: #57606a; }
            .life { stroke: #afb8c1; stroke-dasharray: 3 3; } .bracket { stroke: #57606a; fill: none; stroke-width: 1.5; }
            .box { fill: #f6f8fa; stroke: #d0d7de; }
            .plain { fill: #57606a; } .good { fill: #1a7f37; } .refused { fill: #bf8700; } .bad { fill: #cf222e; }
            </style>
            <rect width="{{width}}" height="{{svg._y}}" fill="#ffffff"/>
            {{svg._lifelines}}{{svg._boxes}}</svg>

            """);
    }

    private static int Left(LaneDiagram diagram, int lane) => Border + (Depth(diagram.Items) * BracketWidth) + (lane * (LaneWidth + Gap));

    private static int Depth(IEnumerable<LaneItem> items) => items.OfType<LaneRepeat>().Select(repeat => 1 + Depth(repeat.Items)).DefaultIfEmpty(0).Max();

    private void Draw(LaneDiagram diagram)
    {
        Text("title", Border, _y + LineHeight, diagram.Title);
        _y += TitleHeight;
        string[][] headings = [.. diagram.Lanes.Select(lane => LaneWrap.Lines(lane, Characters).ToArray())];
        for (int lane = 0; lane < headings.Length; lane++)
        {
            for (int row = 0; row < headings[lane].Length; row++)
                Text("heading", Left(diagram, lane), _y + ((row + 1) * LineHeight), headings[lane][row]);
        }

        _y += (headings.Max(lines => lines.Length) * LineHeight) + Padding;
        int top = _y;
        DrawItems(diagram, diagram.Items, 0);
        for (int lane = 0; lane < diagram.Lanes.Count; lane++)
            _lifelines.Append(CultureInfo.InvariantCulture, $"<line class=\"life\" x1=\"{Left(diagram, lane) + 3}\" y1=\"{top}\" x2=\"{Left(diagram, lane) + 3}\" y2=\"{_y}\"/>\n");
        _y += Border;
    }

    private void DrawItems(LaneDiagram diagram, IReadOnlyList<LaneItem> items, int depth)
    {
        foreach (LaneItem item in items)
        {
            switch (item)
            {
                case LaneEvent e:
                    DrawBox(Left(diagram, e.Lane), LaneWidth, e.Text, e.Detail, e.Tone);
                    break;
                case LaneNote note:
                    DrawNote(diagram, note);
                    break;
                case LaneRepeat repeat:
                    DrawRepeat(diagram, repeat, depth);
                    break;
                default:
                    throw new ArgumentException($"No item of a lane: {item}.", nameof(items));
            }
        }
    }

    private void DrawRepeat(LaneDiagram diagram, LaneRepeat repeat, int depth)
    {
        int x = Border + (depth * BracketWidth);
        int top = _y;
        Text("detail", x + 6, top + 12, repeat.Label);
        _y += LineHeight;
        DrawItems(diagram, repeat.Items, depth + 1);
        _boxes.Append(CultureInfo.InvariantCulture, $"<path class=\"bracket\" d=\"M{x + 12} {top + LineHeight} H{x} V{_y - EventGap} H{x + 12}\"/>\n");
    }

    private void DrawNote(LaneDiagram diagram, LaneNote note)
    {
        int width = Left(diagram, diagram.Lanes.Count) - Gap - Left(diagram, 0);
        foreach (string line in LaneWrap.Lines(note.Text, Characters * width / LaneWidth))
        {
            _y += LineHeight;
            Text("detail", Left(diagram, 0) + 12, _y - 4, line);
        }

        _y += EventGap;
    }

    private void DrawBox(int x, int width, string text, string detail, LaneTone tone)
    {
        string[] lines = [.. LaneWrap.Lines(text, Characters)];
        string[] details = [.. LaneWrap.Lines(detail, Characters)];
        int height = ((lines.Length + details.Length) * LineHeight) + (2 * Padding);
        _boxes.Append(CultureInfo.InvariantCulture, $"<rect class=\"box\" x=\"{x}\" y=\"{_y}\" width=\"{width}\" height=\"{height}\" rx=\"3\"/>\n");
        _boxes.Append(CultureInfo.InvariantCulture, $"<rect class=\"{ClassOf(tone)}\" x=\"{x}\" y=\"{_y}\" width=\"6\" height=\"{height}\" rx=\"3\"/>\n");
        int baseline = _y + Padding - 4;
        foreach (string line in lines)
            Text(tone == LaneTone.Plain ? "" : ClassOf(tone), x + 14, baseline += LineHeight, line);
        foreach (string line in details)
            Text("detail", x + 14, baseline += LineHeight, line);
        _y += height + EventGap;
    }

    private void Text(string style, int x, int y, string text) =>
        _boxes.Append(CultureInfo.InvariantCulture, $"<text{(style.Length > 0 ? $" class=\"{style}\"" : "")} x=\"{x}\" y=\"{y}\">{SecurityElement.Escape(text)}</text>\n");

    private static string ClassOf(LaneTone tone) => tone.ToString().ToLowerInvariant();
}
