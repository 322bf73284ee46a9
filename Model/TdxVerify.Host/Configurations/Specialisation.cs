using TdxVerify.Abi;

namespace TdxVerify.Host;

/// <summary>
/// Programs as a configuration needs them: an action that no other agent can observe becomes a goto, a test whose answer
/// the configuration settles becomes its answer, and what is never reached then is left out.
/// </summary>
/// <remarks>
/// Why: programs are written as the whole of KVM's path, but a lock that one thread alone takes, a flag that nobody sets or
/// SRCU that nobody waits for would still cost a state at each of their accesses. Such an access commutes with every step
/// of the others and changes nothing that they see, so leaving it out keeps every law and every event of the others.
/// </remarks>
internal static class Specialisation
{
    /// <summary>The configuration with programs cut to what can be observed.</summary>
    public static Configuration Of(Configuration configuration)
    {
        Configuration cut = configuration;
        int before;
        do
        {
            before = CountStates(cut);
            var observed = new Observed(cut);
            Dictionary<HostProgram, HostProgram> done = [];
            cut = cut with { Agents = [.. cut.Agents.Select(agent => agent with { Program = Cut(agent.Program, observed, done) })] };
        }
        while (CountStates(cut) < before);
        return WithUsedVariables(cut);
    }

    /// <summary>The configuration without values for variables that none of its programs uses.</summary>
    public static Configuration WithUsedVariables(Configuration configuration)
    {
        var observed = new Observed(configuration);
        return configuration with
        {
            Variables = configuration.Variables.RemoveRange(configuration.Variables.Keys.Where(name => !observed.IsTested(name) && !observed.Changes(name))),
        };
    }

    private static int CountStates(Configuration configuration) => configuration.Agents
        .SelectMany(agent => agent.Program.WithCalled()).Distinct().Sum(program => program.States.Count(state => !state.Action.IsLocal) + program.States.Length);

    private static HostProgram Cut(HostProgram program, Observed observed, Dictionary<HostProgram, HostProgram> done)
    {
        if (done.TryGetValue(program, out HostProgram? known))
            return known;
        ProgramState[] states = [.. program.States.Select(state => Cut(state, observed, done))];
        var cut = new HostProgram(program.Name, program.From, [.. Reached(states)]);
        done.Add(program, cut);
        return cut;
    }

    private static ProgramState Cut(ProgramState state, Observed observed, Dictionary<HostProgram, HostProgram> done)
    {
        if (state.Action is CallAction call)
        {
            call = new CallAction(Cut(call.Program, observed, done));
            return state with { Action = call, Transitions = [.. Possible(state, call)] };
        }

        if (state.Action is SeamcallAction)
            return state with { Transitions = [.. state.Transitions.Where(transition => observed.MayHappen(transition.When))] };
        if (IsSettled(state.Action, observed) is { } answer)
        {
            ProgramTransition taken = state.Transitions.First(transition => transition.When.Holds(answer));
            return state with { Action = Do.Goto, Transitions = [taken with { When = When.Anything }] };
        }

        return IsUnobserved(state.Action, observed)
            ? state with { Action = Do.Goto, Transitions = [state.Transitions[0] with { When = When.Anything }] }
            : state;
    }

    // Codes that the called program does not return lead nowhere.
    private static IEnumerable<ProgramTransition> Possible(ProgramState state, CallAction call)
    {
        if (call.Result != ResultKind.Returned || Codes(call.Program) is not { } codes)
            return state.Transitions;
        return state.Transitions.Where(transition => codes.Any(code =>
            state.Transitions.First(first => first.When.Holds(new Answer(default, code))) == transition));
    }

    // What a program can return; null: also statuses. "return status" gives on what a program called before it returned.
    private static HashSet<string>? Codes(HostProgram program)
    {
        HashSet<string> codes = [];
        foreach (ReturnAction action in program.States.Select(state => state.Action).OfType<ReturnAction>().Where(action => !action.IsPlain))
        {
            if (action.Code is { } code)
            {
                codes.Add(code);
                continue;
            }

            if (program.States.Any(state => state.Action is SeamcallAction))
                return null;
            foreach (HostProgram called in program.Calls)
            {
                if (Codes(called) is not { } returned)
                    return null;
                codes.UnionWith(returned);
            }
        }

        return codes;
    }

    private static bool IsUnobserved(HostAction action, Observed observed) => action switch
    {
        TakeLockAction take => !observed.IsContended(take.Lock) && !IsOwnMutexContended(take.Lock, observed),
        DropLockAction drop => !observed.IsContended(drop.Lock) && !IsOwnMutexContended(drop.Lock, observed),
        SrcuLockAction or SrcuUnlockAction => !observed.Synchronizes,
        SetModeAction or IrqOffAction or IrqOnAction => !observed.SendsIpis,
        SetVcpuCpuAction { Here: true } => !observed.Moves,
        SnapshotAction => !observed.Invalidates,
        WriteVariableAction write => !observed.IsTested(write.Variable) || !observed.Changes(write.Variable),
        _ => false,
    };

    private static bool IsOwnMutexContended(string name, Observed observed) =>
        name == KernelLocks.OwnVcpuMutex && observed.IsContended(KernelLocks.OwnVcpuMutex);

    // The answer that the configuration settles; null: it depends on the state.
    private static Answer? IsSettled(HostAction action, Observed observed) => action switch
    {
        IsContendedAction test when !observed.IsContended(test.Lock) => Answer.Of(false),
        TestModeAction { Mode: VcpuMode.EXITING_GUEST_MODE } when !observed.SendsIpis => Answer.Of(false),
        CheckRequestAction check when !observed.IsMade(check.Request) => Answer.Of(false),
        AnyRequestAction when !observed.MakesRequests => Answer.Of(false),
        TestVariableAction test when !observed.Changes(test.Variable) => Answer.Of(observed.StartOf(test.Variable) == test.Value),
        InvalidateRetryAction when !observed.Invalidates => Answer.Of(false),
        TestVcpuCpuAction when !observed.Moves => Answer.Of(true),
        ReadSpteAction { Level: SeptLevel.Page2M } when observed.HasAllTables => Answer.Of(MirrorSpte.FirstPresent),
        ChoiceAction choice when !observed.MayHappen(choice.What) => Answer.Of(false),
        _ => null,
    };

    private static IEnumerable<ProgramState> Reached(ProgramState[] states)
    {
        HashSet<string> reached = [states[0].Name];
        var left = new Stack<string>([states[0].Name]);
        while (left.TryPop(out string? name))
        {
            foreach (ProgramTransition transition in states.First(state => state.Name == name).Transitions)
            {
                if (reached.Add(transition.To))
                    left.Push(transition.To);
            }
        }

        return states.Where(state => reached.Contains(state.Name));
    }
}
