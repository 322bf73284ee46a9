using System.Text;

namespace TdxVerify.Model;

/// <summary>State machines as Mermaid state diagrams.</summary>
public static class MermaidWriter
{
    private const string LineBreak = "<br/>";

    /// <summary>One diagram with these machines; more than one are drawn each in a frame of its own.</summary>
    public static string Write(params ReadOnlySpan<MachineGraph> graphs)
    {
        var text = new StringBuilder("stateDiagram-v2\n    direction TB\n");
        if (graphs.Length == 1)
        {
            WriteBody(text, graphs[0], "    ");
            return text.ToString();
        }

        for (int i = 0; i < graphs.Length; i++)
        {
            text.Append($"    state \"{graphs[i].Title}\" as machine{i + 1} {{\n        direction TB\n");
            WriteBody(text, graphs[i], "        ");
            text.Append("    }\n");
        }

        return text.ToString();
    }

    private static void WriteBody(StringBuilder text, MachineGraph graph, string indent)
    {
        foreach (GraphNode node in graph.Nodes)
        {
            if (node.Inner is { } inner)
            {
                text.Append($"{indent}state {node.Name} {{\n{indent}    direction TB\n");
                WriteBody(text, inner, indent + "    ");
                text.Append($"{indent}}}\n");
            }
            else
            {
                text.Append($"{indent}{node.Name}\n");
            }
        }

        foreach (GraphEdge edge in graph.Edges)
        {
            text.Append($"{indent}{edge.From ?? "[*]"} --> {edge.To ?? "[*]"}");
            if (edge.Labels.Length > 0)
                text.Append($" : {string.Join(LineBreak, edge.Labels)}");
            text.Append('\n');
        }

        foreach (GraphNode node in graph.Nodes)
        {
            if (!node.IsReached)
                Note(text, indent, node.Name, ["never reached here", .. node.Notes]);
            else if (node.Notes.Length > 0)
                Note(text, indent, node.Name, node.Notes);
        }
    }

    private static void Note(StringBuilder text, string indent, string node, IEnumerable<string> lines)
    {
        text.Append($"{indent}note right of {node}\n");
        foreach (string line in lines)
            text.Append($"{indent}    {line}\n");
        text.Append($"{indent}end note\n");
    }
}
