using System.Text;

namespace TdxVerify.Model;

/// <summary>A state machine as a document: its diagram, and all transitions as a table.</summary>
public sealed record MachineDocument(string Title, string Text, IReadOnlyList<MachineGraph> Graphs, IReadOnlyList<string> Tables)
{
    /// <summary>The S-EPT entry.</summary>
    public static MachineDocument Sept { get; } = new(
        "States of an S-EPT entry",
        "REMOVED and the states of a migration (BLOCKEDW, EXPORTED_* and their PENDING forms) are left out: without migration no leaf leads to them.\n"
            + "*Above*: of the entry one level up, which points to the S-EPT page of this entry. *Tracked*: in a RUNNABLE TD only, the entry\n"
            + "is blocked, and no translation of before can be cached any more (TDH.MEM.TRACK, then the exit of all older vCPUs).\n"
            + "*INITIALIZED*: the OP_STATE in which nothing runs yet.",
        [MachineGraph.Of(SeptMachine.Declared)],
        [Table(SeptMachine.Declared)]);

    /// <summary>The TD.</summary>
    public static MachineDocument Td { get; } = new(
        "Life of a TD",
        "OP_STATE is looked at only while the lifecycle is TD_KEYS_CONFIGURED. The OP_STATEs of a migration (LIVE_EXPORT to FAILED_IMPORT) are left out:\n"
            + "without migration no leaf leads to them. TDR.FATAL is apart from both; no modelled step sets it.",
        [MachineGraph.Of(TdMachine.Lifecycle).With(TdMachine.Operating.ToString(), MachineGraph.Of(TdMachine.OpStates)), MachineGraph.Of(TdMachine.Key)],
        [Table(TdMachine.Lifecycle), Table(TdMachine.OpStates), Table(TdMachine.Key)]);

    /// <summary>The vCPU.</summary>
    public static MachineDocument Vcpu { get; } = new(
        "States of a vCPU",
        "VCPU_DISABLED is never reached: no modelled TD exit is non-recoverable for its vCPU alone. VCPU_IMPORT belongs to migration and is left out.",
        [MachineGraph.Of(VcpuMachine.Declared)],
        [Table(VcpuMachine.Declared)]);

    /// <summary>The diagram in Mermaid.</summary>
    public string Mermaid => MermaidWriter.Write([.. Graphs]);

    /// <summary>The diagram in the language of Graphviz.</summary>
    public string Dot => DotWriter.Write([.. Graphs]);

    /// <summary>The document.</summary>
    public string Markdown
    {
        get
        {
            var text = new StringBuilder($"# {Title}\n\n{Text}\n\n```mermaid\n{Mermaid}```\n");
            foreach (GraphLabel ending in Graphs.SelectMany(graph => graph.FromAnyState))
                text.Append($"\nNot drawn: from every state, {ending} ends it.\n");
            foreach (string table in Tables)
                text.Append($"\n{table}");
            return text.ToString();
        }
    }

    private static string Table<TState>(StateMachine<TState, Trigger> machine)
        where TState : struct, Enum
    {
        var text = new StringBuilder($"## {machine.Name}\n\n");
        Model.Markdown.Header(text, "from", "by", "to", "if");
        foreach (Transition<TState, Trigger> transition in machine.Transitions)
            Model.Markdown.Row(text, $"{transition.From}", transition.Trigger.DisplayName(), $"{transition.To}", transition.Guard?.Text ?? "");
        return text.ToString();
    }
}
