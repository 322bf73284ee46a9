using TdxVerify.Abi;

namespace TdxVerify.Host;

/// <summary>What makes a program well formed. Each fault has the place and the reason.</summary>
internal sealed class ProgramCheck
{
    // What a status can be, as far as hosts tell apart: the class of BUSY comes with operands, errors are of many classes.
    private static readonly (string Name, ulong Status)[] s_statuses =
    [
        ("TDX_SUCCESS", Status.TDX_SUCCESS),
        ("TDX_OPERAND_BUSY", Status.TDX_OPERAND_BUSY + (uint)OperandId.SEPT_TREE),
        ("TDX_OPERAND_BUSY of another operand", Status.TDX_OPERAND_BUSY + (uint)OperandId.TDR),
        ("an error other than TDX_OPERAND_BUSY", Status.TDX_EPT_WALK_FAILED),
    ];

    private readonly string _program;
    private readonly string _file;
    private readonly IReadOnlyList<ProgramState> _states;
    private readonly Dictionary<string, ProgramState> _byName = [];
    private readonly List<ProgramFault> _faults = [];

    private ProgramCheck(string program, string file, IReadOnlyList<ProgramState> states)
    {
        _program = program;
        _file = file;
        _states = states;
        foreach (ProgramState state in states)
            _byName.TryAdd(state.Name, state);
    }

    /// <summary>What is wrong with a program; nothing, if it is well formed.</summary>
    /// <param name="program">Its name.</param>
    /// <param name="file">The file that declares it.</param>
    /// <param name="line">The line where its declaration begins.</param>
    /// <param name="states">Its states.</param>
    public static IReadOnlyList<ProgramFault> Faults(string program, string file, int line, IReadOnlyList<ProgramState> states)
    {
        if (states.Count == 0)
            return [new ProgramFault(program, "has no state.", file, line)];
        var check = new ProgramCheck(program, file, states);
        foreach (IGrouping<string, ProgramState> twice in states.GroupBy(state => state.Name).Where(group => group.Count() > 1))
            check.Add(twice.Last().Line, $"state {twice.Key} is declared twice.");
        foreach (ProgramState state in states)
            check.CheckState(state);
        check.CheckReached();
        check.CheckEnds();
        check.CheckLoops();
        return check._faults;
    }

    private static string Place(ProgramState state) => $"state {state.Name} ({state.Action.Text})";

    private void Add(int line, string text, HostAction? action = null) =>
        _faults.Add(new ProgramFault(_program, text, _file, line) { Called = (action as CallAction)?.Program });

    private void CheckState(ProgramState state)
    {
        string place = Place(state);
        ResultKind kind = state.Action.Result;
        if (kind == ResultKind.Terminal)
        {
            if (state.Transitions.Length > 0)
                Add(state.Line, $"{place} goes nowhere, but has transitions.");
            return;
        }

        bool misses = true;
        foreach (ProgramTransition transition in state.Transitions)
        {
            if (!_byName.ContainsKey(transition.To))
                Add(transition.Line, $"{place} leads to {transition.To}, which is no state.");
            if (transition.When.Kinds.Contains(kind))
                continue;
            misses = false;
            Add(transition.Line, transition.When.IsAnything
                ? $"{place} ignores its result: test it with On(...) and Otherwise(...), or say Whatever(...)."
                : $"{place} cannot be tested for '{transition.When.Text}'.", state.Action);
        }

        if (misses && !IsComplete(state))
            Add(state.Line, $"{place} does not say what follows from every result{Missed(state)}: add {Missing(kind)}.", state.Action);
        if (state.Transitions.Any(transition => transition.TakesGpa) && kind != ResultKind.Status)
            Add(state.Line, $"{place} has no register with a GPA to take.");
        if (state.EntryProgress is not null && state.Action is not SeamcallAction { Leaf: HostLeaf.TDH_VP_ENTER })
            Add(state.Line, $"{place} does not enter a guest.");
        CheckOperands(state);
    }

    // A leaf can have an operand that no binding of an agent gives.
    private void CheckOperands(ProgramState state)
    {
        if (state.Action is not SeamcallAction call)
            return;
        if (!LeafNames.ModelledHost.Contains(call.Leaf))
        {
            Add(state.Line, $"state {state.Name}: {call.Leaf.Name() ?? $"leaf {(int)call.Leaf}"} is not modelled.");
            return;
        }

        try
        {
            _ = call.Reads;
        }
        catch (ProgramException missing)
        {
            Add(state.Line, $"state {state.Name}: {missing.Message}");
        }
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

    private static string Missed(ProgramState state)
    {
        if (state.Action.Result != ResultKind.Status || state.Transitions.IsEmpty)
            return "";
        (string Name, ulong)[] missed = [.. s_statuses.Where(each => !state.Transitions.Any(transition => transition.When.Holds(new Answer(new RegisterFile { Rax = each.Status }))))];
        return missed.Length == 0 ? "" : $", such as {missed[0].Name}";
    }

    private static string Missing(ResultKind kind) => kind switch
    {
        ResultKind.Nothing => "Next(...)",
        ResultKind.YesNo => "On(Yes, ...) and On(No, ...)",
        _ => "Otherwise(...)",
    };

    // Where a transition leads; a name that is no state leads nowhere.
    private IEnumerable<ProgramState> Next(ProgramState state) =>
        state.Transitions.Select(transition => _byName.GetValueOrDefault(transition.To)).OfType<ProgramState>();

    private void CheckReached()
    {
        HashSet<string> reached = [_states[0].Name];
        var left = new Stack<ProgramState>([_states[0]]);
        while (left.TryPop(out ProgramState? state))
        {
            foreach (ProgramState next in Next(state))
            {
                if (reached.Add(next.Name))
                    left.Push(next);
            }
        }

        // States that no line declares are told where they are named.
        foreach (ProgramState lost in _states.Where(state => !reached.Contains(state.Name) && !IsImplied(state)))
            Add(lost.Line, $"state {lost.Name} is never reached.");
    }

    private static bool IsImplied(ProgramState state) => state is { Line: 0, Action.Result: ResultKind.Terminal };

    // A state of which it is not known where it leads may well end.
    private void CheckEnds()
    {
        HashSet<string> ending = [.. _states
            .Where(state => state.Action.Result == ResultKind.Terminal || state.Transitions.IsEmpty || Next(state).Count() < state.Transitions.Length)
            .Select(state => state.Name)];
        while (_states.FirstOrDefault(state => !ending.Contains(state.Name) && Next(state).Any(next => ending.Contains(next.Name))) is { } one)
            ending.Add(one.Name);
        ProgramState[] endless = [.. _states.Where(state => !ending.Contains(state.Name)).DistinctBy(state => state.Name)];
        if (endless is [var first, ..])
        {
            string others = endless.Length > 1 ? $" (nor from {string.Join(", ", endless.Skip(1).Select(state => state.Name))})" : "";
            Add(first.Line, $"{Place(first)}: from there{others} no way leads back to the caller or to the end: {HostProgram.Return}, {HostProgram.Return} CODE, {HostProgram.ReturnStatus} or {HostProgram.Done}.");
        }
    }

    // Local work joins the access before it, so a loop without an access would never end.
    private void CheckLoops()
    {
        static bool CanLoop(ProgramState state) => state.Action.IsLocal && !IsBounded(state);
        foreach (ProgramState start in _states.Where(CanLoop))
        {
            if (ProgramLoops.ComesBack(start, state => Next(state).Where(CanLoop)))
                Add(start.Line, $"state {start.Name} comes back to itself without an access to shared state.");
        }
    }

    // A loop over GPAs or up to a counter's limit ends.
    private static bool IsBounded(ProgramState state) => state.Action is NextGpaAction or CountAction;
}
