using TdxVerify.Abi;
using TdxVerify.Properties.Contention;
using TdxVerify.Properties.Lanes;

namespace TdxVerify.Cli.Commands;

/// <summary>One pair of calls for a reader: how it can end, and a shortest schedule for what is worth one.</summary>
internal sealed class PairText(Terminal terminal)
{
    public void Write(ModuleProfile profile, IReadOnlyList<(ContentionPair Pair, IReadOnlyList<LaneDiagram> Lanes)> told)
    {
        foreach ((ContentionPair pair, IReadOnlyList<LaneDiagram> lanes) in told)
        {
            terminal.Out.WriteLine($"{terminal.Bold("contention")}  {pair.A.Name} and {pair.B.Name}, set-up {pair.Scenario}, model of TDX module {profile.Name()}");
            terminal.Out.WriteLine();
            terminal.Out.WriteLine(terminal.Bold($"Outcomes of all interleavings ({pair.Result.States:#,0} states)"));
            foreach (string outcome in pair.Result.Outcomes)
                terminal.Out.WriteLine($"  {outcome}");
            terminal.Out.WriteLine();
            for (int i = 0; i < lanes.Count; i++)
                Write(pair.Result.Witnesses[i], lanes[i]);
        }
    }

    private void Write(PairWitness witness, LaneDiagram diagram)
    {
        string switches = witness.ContextSwitches == 1 ? "1 context switch" : $"{witness.ContextSwitches} context switches";
        Paragraph.Write(terminal, "", terminal.Bold(diagram.Title));
        terminal.Out.WriteLine(terminal.Faint($"  shortest: {switches}, {witness.Steps} visible steps"));
        LaneWriter.Write(terminal, diagram, "  ");
        terminal.Out.WriteLine();
    }
}
