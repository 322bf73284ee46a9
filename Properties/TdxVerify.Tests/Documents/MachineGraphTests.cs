using System.Text.RegularExpressions;
using TdxVerify.Model;
using Xunit;

namespace TdxVerify.Tests.Documents;

/// <summary>Diagrams show every declared transition once, as an edge, beside its state, or below the diagram.</summary>
public sealed partial class MachineGraphTests
{
    public static TheoryData<string> Machines => ["sept", "td", "vcpu"];

    [Fact]
    public void Transitions_between_the_same_states_are_one_edge()
    {
        GraphEdge edge = Assert.Single(MachineGraph.Of(SeptMachine.Declared).Edges, edge => edge is { From: "BLOCKED", To: "MAPPED" });

        Assert.Equal(["TDH.MEM.RANGE.UNBLOCK [level 0..2, tracked]", "TDH.MEM.PAGE.RELOCATE [level 0, tracked]"], edge.Labels.Select(label => label.ToString()));
    }

    [Fact]
    public void Every_transition_is_shown()
    {
        Shows(SeptMachine.Declared);
        Shows(TdMachine.Lifecycle);
        Shows(TdMachine.OpStates);
        Shows(TdMachine.Key);
        Shows(VcpuMachine.Declared);

        static void Shows<TState>(StateMachine<TState, Trigger> machine)
            where TState : struct, Enum
        {
            MachineGraph graph = MachineGraph.Of(machine);
            int lines = graph.Edges.Sum(edge => edge.Labels.Length) + graph.Nodes.Sum(node => node.Notes.Count(note => note.StartsWith("- ", StringComparison.Ordinal)));
            Assert.Equal(machine.Transitions.Length, lines + (graph.FromAnyState.Length * machine.States.Length));
        }
    }

    [Fact]
    public void States_that_are_never_reached_are_marked() =>
        Assert.Equal(["VCPU_DISABLED"], MachineGraph.Of(VcpuMachine.Declared).Nodes.Where(node => !node.IsReached).Select(node => node.Name));

    [Fact]
    public void The_initial_state_is_marked()
    {
        Assert.Contains("    [*] --> FREE : ", MachineDocument.Sept.Mermaid, StringComparison.Ordinal);
        Assert.Contains("        [*] --> HKID_FREE\n", MachineDocument.Td.Mermaid, StringComparison.Ordinal);
        Assert.Contains("SEPTentry_start -> FREE", MachineDocument.Sept.Dot, StringComparison.Ordinal);
    }

    [Fact]
    public void OP_STATE_is_drawn_inside_the_lifecycle_that_has_one()
    {
        Assert.Contains("state TD_KEYS_CONFIGURED {", MachineDocument.Td.Mermaid, StringComparison.Ordinal);
        Assert.Contains("subgraph cluster_TD_KEYS_CONFIGURED {", MachineDocument.Td.Dot, StringComparison.Ordinal);
        Assert.Contains("lhead=cluster_TD_KEYS_CONFIGURED", MachineDocument.Td.Dot, StringComparison.Ordinal);
        Assert.Contains("ltail=cluster_TD_KEYS_CONFIGURED", MachineDocument.Td.Dot, StringComparison.Ordinal);
    }

    // Mermaid ends a label at a colon or semicolon, and takes < as markup.
    [Theory]
    [MemberData(nameof(Machines))]
    public void Mermaid_labels_hold_no_character_with_a_meaning(string name)
    {
        string[] lines = Machine(name).Mermaid.Split('\n');

        Assert.All(lines.Where(line => line.Contains("-->", StringComparison.Ordinal)), line =>
        {
            int label = line.IndexOf(" : ", StringComparison.Ordinal);
            if (label >= 0)
                Assert.DoesNotMatch(Meaningful(), line[(label + 3)..].Replace("<br/>", "", StringComparison.Ordinal));
        });
        Assert.Equal(lines.Count(line => line.EndsWith('{')), lines.Count(line => line.Trim() == "}"));
    }

    [Theory]
    [MemberData(nameof(Machines))]
    public void Dot_is_balanced_and_its_edges_name_nodes(string name)
    {
        string dot = Machine(name).Dot;
        HashSet<string> nodes = [.. Node().Matches(dot).Select(match => match.Groups[1].Value)];

        Assert.Equal(dot.Count(character => character == '{'), dot.Count(character => character == '}'));
        Assert.All(Edge().Matches(dot), match =>
        {
            Assert.Contains(match.Groups[1].Value, nodes);
            Assert.Contains(match.Groups[2].Value, nodes);
        });
    }

    private static MachineDocument Machine(string name) => ModelDocuments.All.Single(document => document.Name == name).Machine!;

    [GeneratedRegex("[:;<>{}]")]
    private static partial Regex Meaningful();

    [GeneratedRegex(@"^\s+(\w+) \[(?:label|shape)=", RegexOptions.Multiline)]
    private static partial Regex Node();

    [GeneratedRegex(@"^\s+(\w+) -> (\w+) \[", RegexOptions.Multiline)]
    private static partial Regex Edge();
}
