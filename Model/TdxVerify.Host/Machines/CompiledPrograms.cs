namespace TdxVerify.Host;

/// <summary>A state with its transitions by number.</summary>
internal sealed record CompiledState(HostProgram Program, ProgramState State, int[] Next)
{
    /// <summary>For a call: the state that it begins with.</summary>
    public int Callee { get; set; } = -1;

    /// <summary>What is looked at of the answer of its SEAMCALL.</summary>
    public LooksAt LooksAt { get; } = UnusedAnswers.LookedAt(State);

    /// <summary>What is still needed of what the thread remembers, when it is about to do this state's action.</summary>
    public Remembered Live { get; set; }
}

/// <summary>
/// The programs of a configuration as one table of states, each with what a thread must still remember there: the rest
/// is cleared, so that threads that will behave alike are equal.
/// </summary>
internal sealed class CompiledPrograms
{
    private readonly List<CompiledState> _states = [];
    private readonly Dictionary<HostProgram, int> _starts = [];
    private readonly List<string> _counters = [];

    public CompiledPrograms(IEnumerable<HostProgram> programs)
    {
        foreach (HostProgram program in programs.SelectMany(WithCalled).Distinct())
            Add(program);
        foreach (CompiledState state in _states)
        {
            if (state.State.Action is CallAction call)
                state.Callee = _starts[call.Program];
        }

        FindLive();
    }

    public IReadOnlyList<CompiledState> States => _states;

    public int StartOf(HostProgram program) => _starts[program];

    public int CounterOf(string name)
    {
        int number = _counters.IndexOf(name);
        return number >= 0 ? number : throw new ProgramException($"counter {name} is never set.");
    }

    // Programs that call each other in a circle would never end to be listed.
    private static IEnumerable<HostProgram> WithCalled(HostProgram program)
    {
        Check(program, []);
        return program.WithCalled();
    }

    private static void Check(HostProgram program, HostProgram[] callers)
    {
        if (callers.Length > Callers.Depth)
            throw new ProgramException($"{callers[0].Name}: programs call each other more than {Callers.Depth} deep: {string.Join(", ", callers.Select(caller => caller.Name))}.");
        foreach (HostProgram called in program.Calls)
            Check(called, [.. callers, program]);
    }

    private void Add(HostProgram program)
    {
        int start = _states.Count;
        _starts.Add(program, start);
        foreach (ProgramState state in program.States)
        {
            int[] next = [.. state.Transitions.Select(transition => start + IndexOf(program, transition.To))];
            _states.Add(new CompiledState(program, state, next));
            foreach (string counter in state.Action.CountersRead.Append(state.Action.CounterSet).OfType<string>())
            {
                if (!_counters.Contains(counter))
                    _counters.Add(counter);
            }
        }

        if (_counters.Count > Counters.Count)
            throw new ProgramException($"{program.Name}: more than {Counters.Count} counters.");
    }

    private static int IndexOf(HostProgram program, string name)
    {
        int index = 0;
        while (program.States[index].Name != name)
            index++;
        return index;
    }

    private void FindLive()
    {
        bool changed = true;
        while (changed)
        {
            changed = false;
            for (int i = _states.Count - 1; i >= 0; i--)
            {
                Remembered live = LiveAt(_states[i]);
                changed |= live != _states[i].Live;
                _states[i].Live = live;
            }
        }
    }

    private Remembered LiveAt(CompiledState state)
    {
        HostAction action = state.State.Action;
        Remembered after = action switch
        {
            CallAction => _states[state.Callee].Live,
            ReturnAction => _states.Where(caller => caller.State.Action is CallAction call && call.Program == state.Program)
                .Aggregate(Remembered.None, (all, caller) => all | LiveAfter(caller)) & ~Remembered.Result,
            _ => LiveAfter(state),
        };
        Remembered written = action.Writes | (action.CounterSet is { } set ? Bit(set) : Remembered.None);
        if (action.Result == ResultKind.Status)
            written |= Remembered.Result;
        return action.CountersRead.Aggregate((after & ~written) | action.Reads, (all, counter) => all | Bit(counter));
    }

    private Remembered LiveAfter(CompiledState state)
    {
        var live = Remembered.None;
        for (int i = 0; i < state.Next.Length; i++)
        {
            Remembered next = _states[state.Next[i]].Live;
            live |= state.State.Transitions[i].TakesGpa ? next & ~Remembered.Gpa : next;
        }

        return live;
    }

    private Remembered Bit(string counter) => (Remembered)((int)Remembered.FirstCounter << CounterOf(counter));
}
