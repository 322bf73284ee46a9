namespace TdxVerify.Properties.Lanes;

/// <summary>A piece of a line that is shown in one style.</summary>
/// <param name="Text">The characters.</param>
/// <param name="Tone">The tone of the event; null: a lifeline, a bracket, a heading.</param>
/// <param name="IsDetail">It is less important than what stands above it.</param>
public readonly record struct LaneSpan(string Text, LaneTone? Tone = null, bool IsDetail = false);

/// <summary>
/// Lanes as lines of text of a given width: lifelines, one mark for each event, a bracket at the left of what repeats.
/// Where the lanes do not fit side by side, each event is a line that names its lane.
/// </summary>
/// <remarks>Marks: <c>●</c> something happens, <c>✓</c> it went well, <c>!</c> it was refused, <c>✗</c> it should not be possible.</remarks>
public sealed class LaneText
{
    private const int MinLaneWidth = 20;
    private const int MaxLaneWidth = 56;
    private const int Gap = 2;
    private const int BracketWidth = 2;
    private const string Mark = "● ";
    private const string Lifeline = "│ ";

    private readonly LaneDiagram _diagram;
    private readonly int _width;
    private readonly int _margin;
    private readonly int _laneWidth;
    private readonly List<IReadOnlyList<LaneSpan>> _lines = [];

    private LaneText(LaneDiagram diagram, int width)
    {
        _diagram = diagram;
        _width = width;
        _margin = MarginOf(diagram.Items);
        _laneWidth = Math.Min(((width - _margin + Gap) / Math.Max(diagram.Lanes.Count, 1)) - Gap, MaxLaneWidth);
    }

    private bool IsSideBySide => _laneWidth >= MinLaneWidth;

    /// <summary>The lines, each as spans that a terminal may colour.</summary>
    /// <param name="diagram">What to draw; its title is not part of it.</param>
    /// <param name="width">Columns.</param>
    public static IReadOnlyList<IReadOnlyList<LaneSpan>> Spans(LaneDiagram diagram, int width)
    {
        var text = new LaneText(diagram, width);
        text.Draw();
        return text._lines;
    }

    /// <summary>The lines without style.</summary>
    public static IEnumerable<string> Lines(LaneDiagram diagram, int width) =>
        Spans(diagram, width).Select(line => string.Concat(line.Select(span => span.Text)).TrimEnd());

    private static int MarginOf(IEnumerable<LaneItem> items) => items.OfType<LaneRepeat>()
        .Select(repeat => BracketWidth + Math.Max(repeat.Label.Length + 1, MarginOf(repeat.Items)))
        .DefaultIfEmpty(0).Max();

    private static string MarkOf(LaneTone tone) => tone switch
    {
        LaneTone.Good => "✓ ",
        LaneTone.Refused => "! ",
        LaneTone.Bad => "✗ ",
        _ => Mark,
    };

    private void Draw()
    {
        if (IsSideBySide)
            DrawHeadings();
        DrawItems(_diagram.Items, "");
    }

    private void DrawHeadings()
    {
        string[][] headings = [.. _diagram.Lanes.Select(lane => LaneWrap.Lines(lane, _laneWidth).ToArray())];
        for (int row = 0; row < headings.Max(lines => lines.Length); row++)
            _lines.Add([new LaneSpan((new string(' ', _margin) + Columns(lane => row < headings[lane].Length ? headings[lane][row] : "")).TrimEnd())]);
        _lines.Add([new LaneSpan((new string(' ', _margin) + Columns(lane => new string('─', headings[lane].Max(line => line.Length)))).TrimEnd())]);
    }

    private void DrawItems(IReadOnlyList<LaneItem> items, string brackets)
    {
        foreach (LaneItem item in items)
        {
            switch (item)
            {
                case LaneEvent e:
                    DrawEvent(e, brackets);
                    break;
                case LaneNote note:
                    DrawNote(note, brackets);
                    break;
                case LaneRepeat repeat:
                    DrawRepeat(repeat, brackets);
                    break;
                default:
                    throw new ArgumentException($"No item of a lane: {item}.", nameof(items));
            }
        }
    }

    private void DrawRepeat(LaneRepeat repeat, string brackets)
    {
        AddRow($"{brackets}╭ {repeat.Label}");
        DrawItems(repeat.Items, $"{brackets}│ ");
        AddRow($"{brackets}╰{(repeat.Times == LaneRepeat.ForEver ? "↺" : "")}");
    }

    private void DrawNote(LaneNote note, string brackets)
    {
        foreach (string line in LaneWrap.Lines(note.Text, _width - _margin - 4))
            _lines.Add([new LaneSpan($"{brackets.PadRight(_margin)}── {line}", null, IsDetail: true)]);
    }

    private void DrawEvent(LaneEvent e, string brackets)
    {
        if (!IsSideBySide)
        {
            DrawAlone(e, brackets);
            return;
        }

        int room = _laneWidth - Mark.Length;
        bool isFirst = true;
        foreach (string line in LaneWrap.Lines(e.Text, room))
        {
            AddLane(e, (isFirst ? MarkOf(e.Tone) : Lifeline) + line, isDetail: false, brackets);
            isFirst = false;
        }

        foreach (string line in LaneWrap.Lines(e.Detail, room))
            AddLane(e, Lifeline + line, isDetail: true, brackets);
    }

    private void DrawAlone(LaneEvent e, string brackets)
    {
        string margin = brackets.PadRight(_margin);
        int room = Math.Max(_width - _margin - Mark.Length, MinLaneWidth);
        string mark = MarkOf(e.Tone);
        foreach (string line in LaneWrap.Lines($"{_diagram.Lanes[e.Lane]}: {e.Text}", room))
        {
            _lines.Add([new LaneSpan(margin), new LaneSpan(mark + line, e.Tone)]);
            mark = new string(' ', Mark.Length);
        }

        foreach (string line in LaneWrap.Lines(e.Detail, room))
            _lines.Add([new LaneSpan(margin), new LaneSpan(mark + line, e.Tone, IsDetail: true)]);
    }

    private void AddRow(string margin)
    {
        string lifelines = IsSideBySide ? Columns(_ => Lifeline) : "";
        _lines.Add([new LaneSpan((margin.PadRight(_margin) + lifelines).TrimEnd())]);
    }

    private void AddLane(LaneEvent e, string text, bool isDetail, string brackets) => _lines.Add(
    [
        new LaneSpan(brackets.PadRight(_margin) + Columns(_ => Lifeline, 0, e.Lane)),
        new LaneSpan(e.Lane == _diagram.Lanes.Count - 1 ? text : text.PadRight(_laneWidth + Gap), e.Tone, isDetail),
        new LaneSpan(Columns(_ => Lifeline, e.Lane + 1, _diagram.Lanes.Count).TrimEnd()),
    ]);

    private string Columns(Func<int, string> text) => Columns(text, 0, _diagram.Lanes.Count);

    private string Columns(Func<int, string> text, int from, int to) =>
        string.Concat(Enumerable.Range(from, to - from).Select(lane => text(lane).PadRight(_laneWidth) + new string(' ', Gap)));
}
