using System.Text;

namespace TdxVerify.Model;

/// <summary>State machines in the language of Graphviz.</summary>
public static class DotWriter
{
    private const string Grey = "#808080";
    private const string NotesFont = "point-size=\"9\" color=\"#505050\"";

    /// <summary>One digraph with these machines; more than one are drawn each in a frame of its own.</summary>
    public static string Write(params ReadOnlySpan<MachineGraph> graphs)
    {
        var text = new StringBuilder(
            """
            digraph machine {
                rankdir=TB; compound=true; nodesep=0.5; ranksep=0.7; fontname="Helvetica"; fontsize=12;
                node [shape=box, style="rounded,filled", fillcolor="#eef3fa", color="#3b6ea5", fontname="Helvetica", fontsize=12, margin="0.15,0.08"];
                edge [fontname="Helvetica", fontsize=9, color="#3b6ea5", arrowsize=0.7];

            """);
        for (int i = 0; i < graphs.Length; i++)
        {
            string indent = "    ";
            if (graphs.Length > 1)
            {
                text.Append($"    subgraph cluster_{i + 1} {{\n        label=\"{graphs[i].Title}\"; style=rounded; color=\"{Grey}\"; margin=16;\n");
                indent += "    ";
            }

            WriteBody(text, graphs[i], indent);
            if (graphs.Length > 1)
                text.Append("    }\n");
        }

        return text.Append("}\n").ToString();
    }

    private static void WriteBody(StringBuilder text, MachineGraph graph, string indent)
    {
        string id = Id(graph);
        foreach (GraphNode node in graph.Nodes)
        {
            if (node.Inner is { } inner)
            {
                text.Append($"{indent}subgraph cluster_{node.Name} {{\n{indent}    label={Label(node)}; labeljust=l; style=\"rounded,filled\"; fillcolor=\"#f7f9fc\"; color=\"#3b6ea5\"; margin=16;\n");
                WriteBody(text, inner, indent + "    ");
                text.Append($"{indent}}}\n");
            }
            else
            {
                text.Append($"{indent}{node.Name} [label={Label(node)}");
                if (!node.IsReached)
                    text.Append($", style=\"rounded,dashed\", color=\"{Grey}\", fontcolor=\"{Grey}\"");
                text.Append("];\n");
            }
        }

        if (graph.Edges.Any(edge => edge.From is null))
            text.Append($"{indent}{id}_start [shape=point, width=0.15, color=black, fillcolor=black, tooltip=\"comes into being\"];\n");
        if (graph.Edges.Any(edge => edge.To is null))
            text.Append($"{indent}{id}_end [shape=doublecircle, width=0.1, label=\"\", color=black, fillcolor=black, tooltip=\"is gone\"];\n");
        foreach (GraphEdge edge in graph.Edges)
        {
            text.Append($"{indent}{Anchor(graph, edge.From, ^1) ?? $"{id}_start"} -> {Anchor(graph, edge.To, 0) ?? $"{id}_end"} [");
            if (Inner(graph, edge.From) is not null)
                text.Append($"ltail=cluster_{edge.From}, ");
            if (Inner(graph, edge.To) is not null)
                text.Append($"lhead=cluster_{edge.To}, ");
            text.Append($"label=\"{string.Concat(edge.Labels.Select(Lines))}\"];\n");
        }
    }

    // An edge of a frame is one of a node inside, cut at the border.
    private static string? Anchor(MachineGraph graph, string? node, Index inside) => Inner(graph, node)?.Nodes[inside].Name ?? node;

    private static MachineGraph? Inner(MachineGraph graph, string? node) => graph.Nodes.FirstOrDefault(each => each.Name == node)?.Inner;

    private static string Id(MachineGraph graph) => string.Concat(graph.Title.Where(char.IsAsciiLetterOrDigit));

    private static string Label(GraphNode node)
    {
        var label = new StringBuilder($"<<b>{node.Name}</b>");
        if (!node.IsReached)
            label.Append($"<br/><font {NotesFont}>never reached here</font>");
        if (node.Notes.Length > 0)
            label.Append($"<br/><font {NotesFont}>{string.Concat(node.Notes.Select(line => $"{Xml(line)}<br align=\"left\"/>"))}</font>");
        return label.Append('>').ToString();
    }

    private static string Lines(GraphLabel label) => $" {Escape(label.Trigger)}\\l" + (label.Guard.Length > 0 ? $"   [{Escape(label.Guard)}]\\l" : "");

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);

    private static string Xml(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
}
