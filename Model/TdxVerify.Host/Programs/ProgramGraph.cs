using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>Host programs as diagrams.</summary>
public static class ProgramGraph
{
    /// <summary>The diagram of a program.</summary>
    public static MachineGraph Of(HostProgram program)
    {
        Dictionary<string, string> names = [];
        foreach (ProgramState state in program.States)
            names.Add(state.Name, Identifier(state.Name, names.Values));
        return new MachineGraph(
            program.Name,
            [.. program.States.Select(state => new GraphNode(names[state.Name], [.. Notes(state)], true))],
            [
                new GraphEdge(null, names[program.States[0].Name], []),
                .. program.States.SelectMany(state => state.Transitions.GroupBy(transition => transition.To)
                    .Select(group => new GraphEdge(names[state.Name], names[group.Key], [.. group.Select(Label)]))),
                .. program.States.Where(state => state.Action.Result == ResultKind.Terminal).Select(state => new GraphEdge(names[state.Name], null, [])),
            ],
            []);
    }

    private static IEnumerable<string> Notes(ProgramState state)
    {
        yield return state.Action.Text;
        if (state.From.Length > 0)
            yield return state.From;
    }

    private static GraphLabel Label(ProgramTransition transition) =>
        new(transition.When.IsAnything ? "" : transition.When.Text, "");

    // A name that both languages take as it is.
    private static string Identifier(string name, IEnumerable<string> taken)
    {
        string identifier = string.Concat(name.Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '_'));
        if (char.IsAsciiDigit(identifier[0]))
            identifier = "_" + identifier;
        while (taken.Contains(identifier))
            identifier += "_";
        return identifier;
    }
}
