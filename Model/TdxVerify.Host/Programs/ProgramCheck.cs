namespace TdxVerify.Host;

/// <summary>What makes a program well formed. Each fault is refused with the place and the reason.</summary>
internal static class ProgramCheck
{
    public static void Check(string program, IReadOnlyList<ProgramState> states)
    {
        if (states.Count == 0)
            throw new ProgramException($"{program}: has no state.");
        if (states.GroupBy(state => state.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ProgramException($"{program}: state {twice.Key} is declared twice.");
        foreach (ProgramState state in states)
            CheckState(program, state, states);
        CheckReached(program, states);
        CheckLoops(program, states);
    }

    private static void CheckState(string program, ProgramState state, IReadOnlyList<ProgramState> states)
    {
        string place = $"{program}: state {state.Name} ({state.Action.Text})";
        ResultKind kind = state.Action.Result;
        if (kind == ResultKind.Terminal)
        {
            if (state.Transitions.Length > 0)
                throw new ProgramException($"{place} goes nowhere, but has transitions.");
            return;
        }

        foreach (ProgramTransition transition in state.Transitions)
        {
            if (states.All(other => other.Name != transition.To))
                throw new ProgramException($"{place} leads to {transition.To}, which is no state.");
            if (transition.When.Kinds.Contains(kind))
                continue;
            throw new ProgramException(ReferenceEquals(transition.When.Holds, When.Anything.Holds)
                ? $"{place} ignores its result: test it with On(...) and Otherwise(...), or say Whatever(...)."
                : $"{place} cannot be tested for '{transition.When.Text}'.");
        }

        if (!IsComplete(state))
            throw new ProgramException($"{place} does not say what follows from every result: add {Missing(kind)}.");
        if (state.Transitions.Any(transition => transition.TakesGpa) && kind != ResultKind.Status)
            throw new ProgramException($"{place} has no register with a GPA to take.");
        if (state.EntryProgress is not null && state.Action is not SeamcallAction { Leaf: Abi.HostLeaf.TDH_VP_ENTER })
            throw new ProgramException($"{place} does not enter a guest.");
    }

    private static bool IsComplete(ProgramState state)
    {
        bool Has(When test) => state.Transitions.Any(transition => ReferenceEquals(transition.When.Holds, test.Holds));
        return Has(When.Anything) || state.Action.Result switch
        {
            ResultKind.YesNo => Has(When.Yes) && Has(When.No),
            ResultKind.Spte => Has(When.IsNone) && Has(When.IsFrozen) && Has(When.IsPresent),
            ResultKind.Access => Has(When.AccessDone) && Has(When.VirtualizationException) && Has(When.PageFault),
            ResultKind.Returned => state.Action is CallAction call && call.Program.States
                .Select(each => each.Action).OfType<ReturnAction>()
                .All(action => action.Code is { } code && state.Transitions.Any(transition => transition.When.Holds(new Answer(default, code)))),
            _ => false,
        };
    }

    private static string Missing(ResultKind kind) => kind switch
    {
        ResultKind.Nothing => "Next(...)",
        ResultKind.YesNo => "On(Yes, ...) and On(No, ...)",
        _ => "Otherwise(...)",
    };

    private static void CheckReached(string program, IReadOnlyList<ProgramState> states)
    {
        HashSet<string> reached = [states[0].Name];
        var left = new Stack<ProgramState>([states[0]]);
        while (left.TryPop(out ProgramState? state))
        {
            foreach (ProgramTransition transition in state.Transitions)
            {
                if (reached.Add(transition.To))
                    left.Push(states.First(other => other.Name == transition.To));
            }
        }

        if (states.FirstOrDefault(state => !reached.Contains(state.Name)) is { } lost)
            throw new ProgramException($"{program}: state {lost.Name} is never reached.");
    }

    // Local work joins the access before it, so a loop without an access would never end.
    private static void CheckLoops(string program, IReadOnlyList<ProgramState> states)
    {
        foreach (ProgramState start in states.Where(state => state.Action.IsLocal))
        {
            HashSet<string> seen = [];
            var left = new Stack<ProgramState>([start]);
            while (left.TryPop(out ProgramState? state))
            {
                foreach (ProgramState next in state.Transitions.Select(transition => states.First(other => other.Name == transition.To)))
                {
                    if (next == start && !IsBounded(start))
                        throw new ProgramException($"{program}: state {start.Name} comes back to itself without an access to shared state.");
                    if (next.Action.IsLocal && !IsBounded(next) && seen.Add(next.Name))
                        left.Push(next);
                }
            }
        }
    }

    // A loop over GPAs or up to a counter's limit ends.
    private static bool IsBounded(ProgramState state) => state.Action is NextGpaAction or CountAction;
}
