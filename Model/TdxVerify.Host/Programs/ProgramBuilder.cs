using System.Runtime.CompilerServices;

namespace TdxVerify.Host;

/// <summary>
/// The declaration of a host program, state by state. A transition that leads to <c>done</c>, <c>return</c> or
/// <c>return CODE</c> needs no state of that name.
/// </summary>
/// <example>
/// <code>
/// HostProgram.Named("tdh_do_no_vcpus(TRACK)", "tdx.c, 6.19")
///     .State("N1", Seamcall(HostLeaf.TDH_MEM_TRACK))
///         .On(Busy, "N2")
///         .Otherwise("return status")
///     .State("N2", Set("wait_for_sept_zap"))
///         .Next("N3")
///     ...
///     .Build();
/// </code>
/// </example>
public sealed class ProgramBuilder
{
    private readonly string _name;
    private readonly string _from;
    private readonly string _file;
    private readonly int _line;
    private readonly List<ProgramState> _states = [];
    private readonly List<ProgramTransition> _transitions = [];

    internal ProgramBuilder(string name, string from, string file, int line)
    {
        // Programs that call each other in a circle would be built until the stack is full.
        RuntimeHelpers.EnsureSufficientExecutionStack();
        _name = name;
        _from = from;
        _file = file;
        _line = line;
    }

    /// <summary>The next state.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="action">What is done in it.</param>
    /// <param name="from">The kernel function and release that it stands for, where not the program's.</param>
    /// <param name="line">Left to the compiler: the line that declares it.</param>
    public ProgramBuilder State(string name, HostAction action, string from = "", [CallerLineNumber] int line = 0)
    {
        EndState();
        _states.Add(new ProgramState(name, action, from, []) { Line = line });
        return this;
    }

    /// <summary>If the test holds, and none before it: the program goes on there.</summary>
    public ProgramBuilder On(When test, string to, [CallerLineNumber] int line = 0)
    {
        _ = Last;
        _transitions.Add(new ProgramTransition(test, to) { Line = line });
        return this;
    }

    /// <summary>If no test holds, the program goes on there.</summary>
    public ProgramBuilder Otherwise(string to, [CallerLineNumber] int line = 0) => On(When.Anything, to, line);

    /// <summary>The program goes on there. Not for results that have to be looked at: see <see cref="Whatever"/>.</summary>
    public ProgramBuilder Next(string to, [CallerLineNumber] int line = 0) => On(When.Anything with { Kinds = [ResultKind.Nothing, ResultKind.Access] }, to, line);

    /// <summary>The program goes on there and ignores the result on purpose.</summary>
    public ProgramBuilder Whatever(string to, [CallerLineNumber] int line = 0) => Otherwise(to, line);

    /// <summary>The transition declared last is progress of the agent.</summary>
    public ProgramBuilder Progress(string text) => ChangeLast(last => last with { Progress = text });

    /// <summary>The transition declared last is a case that must occur for a verdict to mean something.</summary>
    public ProgramBuilder Sometimes(string text) => ChangeLast(last => last with { Sometimes = text });

    /// <summary>The transition declared last is a case worth telling that need not occur.</summary>
    public ProgramBuilder Noted(string text) => ChangeLast(last => last with { Noted = text });

    /// <summary>On the transition declared last the faulting GPA becomes the GPA that the program works on.</summary>
    public ProgramBuilder TakesGpa() => ChangeLast(last => last with { TakesGpa = true });

    /// <summary>TDH.VP.ENTER: that the guest runs is progress of the agent.</summary>
    public ProgramBuilder EntryIsProgress(string text = "entered the guest")
    {
        _states[^1] = Last with { EntryProgress = text };
        return this;
    }

    /// <summary>The program.</summary>
    /// <exception cref="ProgramException">It is not well formed; the message says where and why.</exception>
    public HostProgram Build()
    {
        EndState();
        AddImpliedStates();
        ProgramFaults.Report(ProgramCheck.Faults(_name, _file, _line, _states));
        return new HostProgram(_name, _from, [.. _states]) { File = _file, Line = _line };
    }

    private ProgramState Last => _states.Count > 0 ? _states[^1] : throw new ProgramException($"{_name}: says what follows before its first state.");

    private void EndState()
    {
        if (_states.Count == 0)
            return;
        _states[^1] = _states[^1] with { Transitions = [.. _transitions] };
        _transitions.Clear();
    }

    private void AddImpliedStates()
    {
        foreach (string name in _states.SelectMany(state => state.Transitions).Select(transition => transition.To).Distinct().ToArray())
        {
            if (_states.Exists(state => state.Name == name))
                continue;
            if (name == HostProgram.Done)
                _states.Add(new ProgramState(name, new DoneAction(), "", []));
            else if (ReturnAction.TryParse(name) is { } action)
                _states.Add(new ProgramState(name, action, "", []));
        }
    }

    private ProgramBuilder ChangeLast(Func<ProgramTransition, ProgramTransition> change)
    {
        if (_transitions.Count == 0)
            throw new ProgramException($"{_name}: state {_states.LastOrDefault()?.Name} has no transition yet to which this could apply.");
        _transitions[^1] = change(_transitions[^1]);
        return this;
    }
}
