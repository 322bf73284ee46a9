using TdxVerify.Host;

namespace TdxVerify.Cli.Commands.Proposals;

/// <summary>A host program as a list of its states: what is done in each, and what follows from every result.</summary>
internal static class ProgramText
{
    public static void Write(Terminal terminal, HostProgram program)
    {
        terminal.Out.WriteLine($"{terminal.Bold(program.Name)}  {terminal.Faint(program.From)}");
        int column = program.States.Max(state => state.Name.Length);
        foreach (ProgramState state in program.States)
        {
            string from = state.From.Length > 0 ? $"  {terminal.Faint($"({state.From})")}" : "";
            string next = state.Transitions is [var only] ? $" {Follows(only)}" : "";
            Paragraph.Write(terminal, $"  {state.Name.PadRight(column)}  ", $"{state.Action.Text}{from}{next}");
            if (state.Transitions.Length < 2)
                continue;
            foreach (ProgramTransition transition in state.Transitions)
                Paragraph.Write(terminal, new string(' ', column + 6), $"{transition.When.Text} {Follows(transition)}");
        }

        terminal.Out.WriteLine();
    }

    private static string Follows(ProgramTransition transition)
    {
        string takes = transition.TakesGpa ? "; gpa = the faulting one" : "";
        string progress = transition.Progress is { } what ? $"; progress: {what}" : "";
        return $"-> {transition.To}{takes}{progress}";
    }
}
