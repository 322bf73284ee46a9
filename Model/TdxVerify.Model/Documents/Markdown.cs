using System.Text;

namespace TdxVerify.Model;

/// <summary>Tables in Markdown.</summary>
internal static class Markdown
{
    public static void Header(StringBuilder text, params ReadOnlySpan<string> cells)
    {
        Row(text, cells);
        text.Append('|');
        foreach (string _ in cells)
            text.Append("---|");
        text.Append('\n');
    }

    public static void Row(StringBuilder text, params ReadOnlySpan<string> cells)
    {
        text.Append('|');
        foreach (string cell in cells)
            text.Append(' ').Append(cell.Replace("|", "\\|", StringComparison.Ordinal)).Append(" |");
        text.Append('\n');
    }

    public static string Code(string text) => text.Length == 0 ? "" : $"`{text}`";
}
