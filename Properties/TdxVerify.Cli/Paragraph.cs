using System.Text;

namespace TdxVerify.Cli;

/// <summary>Text broken into lines.</summary>
internal static class Paragraph
{
    // Longer lines are hard to read, however wide the terminal is.
    private const int MaxWidth = 100;

    // What is left beside a long label is used even where the terminal is too narrow for it.
    private const int MinRoom = 20;

    private const char NoBreak = '\u00a0';

    /// <summary>A name of several words that stay on one line.</summary>
    public static string Unbroken(string text) => text.Replace(' ', NoBreak);

    /// <summary>Writes <paramref name="text"/> after <paramref name="start"/>, further lines aligned below its first word.</summary>
    public static void Write(Terminal terminal, string start, string text)
    {
        int indent = VisibleLength(start);
        int room = Math.Max(Math.Min(terminal.Width, MaxWidth) - indent, MinRoom);
        var line = new StringBuilder(start);
        int used = 0;
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            int length = VisibleLength(word);
            if (used > 0 && used + 1 + length > room)
            {
                terminal.Out.WriteLine(line);
                line.Clear().Append(' ', indent);
                used = 0;
            }

            if (used > 0)
                line.Append(' ');
            line.Append(word.Replace(NoBreak, ' '));
            used += length + (used > 0 ? 1 : 0);
        }

        terminal.Out.WriteLine(line);
    }

    /// <summary>Writes rows of a label and its text, the texts aligned; a row without text is its label alone.</summary>
    public static void WriteRows(Terminal terminal, string indent, IReadOnlyCollection<(string Label, string Text)> rows)
    {
        int column = rows.Where(row => row.Text.Length > 0).Select(row => row.Label.Length).DefaultIfEmpty(0).Max();
        foreach ((string label, string text) in rows)
        {
            if (text.Length == 0)
                Write(terminal, indent, label);
            else
                Write(terminal, $"{indent}{label.PadRight(column)}  ", text);
        }
    }

    // Escape sequences that Terminal's styles write take no room.
    private static int VisibleLength(string text)
    {
        int length = 0;
        for (int at = 0; at < text.Length; at++)
        {
            if (text[at] != '\e')
                length++;
            else
                at = text.IndexOf('m', at);
        }

        return length;
    }
}
