using TdxVerify.Properties.Lanes;

namespace TdxVerify.Cli.Commands;

/// <summary>Lanes at a terminal.</summary>
internal static class LaneWriter
{
    /// <summary>Writes the lanes of a diagram, indented, in the width of the terminal.</summary>
    public static void Write(Terminal terminal, LaneDiagram diagram, string indent)
    {
        foreach (IReadOnlyList<LaneSpan> line in LaneText.Spans(diagram, terminal.Width - indent.Length))
        {
            string plain = string.Concat(line.Select(span => span.Text)).TrimEnd();
            terminal.Out.WriteLine(indent + (terminal.HasColours ? string.Concat(line.Select(span => Styled(terminal, span))) : plain));
        }
    }

    private static string Styled(Terminal terminal, LaneSpan span) => span switch
    {
        { IsDetail: true } => terminal.Faint(span.Text),
        { Tone: LaneTone.Good } => terminal.Good(span.Text),
        { Tone: LaneTone.Bad or LaneTone.Refused } => terminal.Bad(span.Text),
        _ => span.Text,
    };
}
