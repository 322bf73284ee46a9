using System.Text;

namespace TdxVerify.Properties.Lanes;

/// <summary>Lanes as a Mermaid sequence diagram.</summary>
public static class LaneMermaid
{
    /// <summary>The diagram, without a code fence.</summary>
    public static string Write(LaneDiagram diagram)
    {
        var text = new StringBuilder("sequenceDiagram\n");
        for (int lane = 0; lane < diagram.Lanes.Count; lane++)
            text.Append($"    participant L{lane} as {Escaped(diagram.Lanes[lane])}\n");
        WriteItems(text, diagram, diagram.Items, "    ");
        return text.ToString();
    }

    private static void WriteItems(StringBuilder text, LaneDiagram diagram, IReadOnlyList<LaneItem> items, string indent)
    {
        foreach (LaneItem item in items)
        {
            switch (item)
            {
                case LaneEvent e:
                    string detail = e.Detail.Length > 0 ? $"<br/>{Escaped(e.Detail)}" : "";
                    text.Append($"{indent}Note over L{e.Lane}: {MarkOf(e.Tone)}{Escaped(e.Text)}{detail}\n");
                    break;
                case LaneNote note:
                    string over = diagram.Lanes.Count > 1 ? $"L0,L{diagram.Lanes.Count - 1}" : "L0";
                    text.Append($"{indent}Note over {over}: {Escaped(note.Text)}\n");
                    break;
                case LaneRepeat repeat:
                    text.Append($"{indent}loop {repeat.Label}\n");
                    WriteItems(text, diagram, repeat.Items, indent + "    ");
                    text.Append($"{indent}end\n");
                    break;
                default:
                    throw new ArgumentException($"No item of a lane: {item}.", nameof(items));
            }
        }
    }

    private static string MarkOf(LaneTone tone) => tone switch
    {
        LaneTone.Good => "✓ ",
        LaneTone.Refused => "! ",
        LaneTone.Bad => "✗ ",
        _ => "",
    };

    // A number sign begins an entity, a semicolon ends a statement.
    private static string Escaped(string text) => text
        .Replace("#", "#35\0", StringComparison.Ordinal).Replace(";", "#59;", StringComparison.Ordinal).Replace('\0', ';')
        .Replace("<", "#lt;", StringComparison.Ordinal).Replace(">", "#gt;", StringComparison.Ordinal);
}
