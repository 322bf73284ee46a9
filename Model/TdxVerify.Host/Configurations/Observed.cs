using TdxVerify.Abi;
using TdxVerify.Host.Kvm;

namespace TdxVerify.Host;

/// <summary>What the agents of a configuration, taken together, do to each other: what is not here nobody can observe.</summary>
internal sealed class Observed
{
    private readonly HashSet<string> _sharedLocks = [];
    private readonly HashSet<string> _requests = [];
    private readonly HashSet<string> _changed = [];
    private readonly HashSet<string> _tested = [];
    private readonly Configuration _configuration;

    public Observed(Configuration configuration)
    {
        _configuration = configuration;
        HostAction[][] actions = [.. configuration.Agents.Select(ActionsOf)];
        FindLocks(configuration, actions);
        foreach (HostAction action in actions.SelectMany(each => each))
            Note(action);
        EndsAtBug = configuration.Laws.HasFlag(HostLaws.NoHostBug);
        if (!EndsAtBug && actions.Any(each => each.Any(action => action is BugVmAction)))
        {
            _requests.Add(BugVmAction.VmDeadRequest);
            _changed.Add(BugVmAction.VmDead);
        }
    }

    /// <summary>Somebody waits for the readers of SRCU.</summary>
    public bool Synchronizes { get; private set; }

    /// <summary>Somebody sends IPIs: what a processor does with interrupts, and <c>vcpu->mode</c>, matter.</summary>
    public bool SendsIpis { get; private set; }

    /// <summary>A thread changes its processor.</summary>
    public bool Moves { get; private set; }

    /// <summary>Somebody opens the invalidation window.</summary>
    public bool Invalidates { get; private set; }

    /// <summary>A host BUG is a violation and ends a search, so what follows it needs no states.</summary>
    public bool EndsAtBug { get; }

    /// <summary>All S-EPT pages are there from the start, and none is added, split or removed.</summary>
    public bool HasAllTables => _configuration.Td.Gpas.All(gpa => gpa is { Level: SeptLevel.Page4K, HasTable: true });

    /// <summary>Two agents use the lock, and one of them exclusively.</summary>
    public bool IsContended(string name) => _sharedLocks.Contains(name);

    /// <summary>Somebody makes the request.</summary>
    public bool IsMade(string request) => _requests.Contains(request);

    /// <summary>Any request is made.</summary>
    public bool MakesRequests => _requests.Count > 0;

    /// <summary>The variable can have another value than at the start.</summary>
    public bool Changes(string variable) => _changed.Contains(variable);

    /// <summary>Somebody looks at the variable.</summary>
    public bool IsTested(string variable) => _tested.Contains(variable);

    /// <summary>What the configuration says about something that may happen or not.</summary>
    public bool MayHappen(string what) => what != Surroundings.EventPending || _configuration.Interrupts != InterruptMode.Absent;

    /// <summary>A test of what TDH.VP.ENTER returns can hold, as far as the guests decide it.</summary>
    public bool MayHappen(When test) => !ReferenceEquals(test, When.PendingViolation)
        || (_configuration.Td.SeptVeDisable && _configuration.Guests.Any(guest => guest.Instructions.Any(each => each.Op.Kind == GuestInstructionKind.Access)));

    /// <summary>The value of a variable at the start.</summary>
    public ulong StartOf(string variable) => _configuration.Variables.GetValueOrDefault(variable);

    private static HostAction[] ActionsOf(HostAgent agent) =>
        [.. agent.Program.WithCalled().SelectMany(program => program.States).Select(state => state.Action)];

    private void FindLocks(Configuration configuration, HostAction[][] actions)
    {
        var users = new Dictionary<string, (HashSet<int> Agents, bool Write)>();
        for (int agent = 0; agent < actions.Length; agent++)
        {
            foreach (TakeLockAction take in actions[agent].OfType<TakeLockAction>())
            {
                string name = take.Lock == KernelLocks.OwnVcpuMutex ? KernelLocks.VcpuMutex(configuration.Agents[agent].OwnVcpu) : take.Lock;
                (HashSet<int> agents, bool write) = users.GetValueOrDefault(name, ([], false));
                agents.Add(agent);
                users[name] = (agents, write || take.Write);
            }
        }

        _sharedLocks.UnionWith(users.Where(each => each.Value is { Agents.Count: > 1, Write: true }).Select(each => each.Key));
        if (configuration.Laws.HasFlag(HostLaws.MirrorAgrees))
            _sharedLocks.Add(KernelLocks.MmuLock);

        // Programs of different vCPUs stay the same program.
        if (_sharedLocks.Any(name => name.StartsWith(KernelLocks.OwnVcpuMutex, StringComparison.Ordinal)))
            _sharedLocks.UnionWith(users.Keys.Append(KernelLocks.OwnVcpuMutex).Where(name => name.StartsWith(KernelLocks.OwnVcpuMutex, StringComparison.Ordinal)));
    }

    private void Note(HostAction action)
    {
        Synchronizes |= action is SrcuSynchronizeAction;
        SendsIpis |= action is KickAction or SmpCallBeginAction;
        Moves |= action is MoveToAction or SetVcpuCpuAction { Here: false };
        Invalidates |= action is InvalidateBeginAction;
        switch (action)
        {
            case MakeRequestAction make:
                _requests.Add(make.Request);
                break;
            case KickAction { Request: { } request }:
                _requests.Add(request);
                break;
            case WriteVariableAction write when write.Value != StartOf(write.Variable):
                _changed.Add(write.Variable);
                break;
            case CountVariableAction count:
                _changed.Add(count.Variable);
                _tested.Add(count.Variable);
                break;
            case TestVariableAction test:
                _tested.Add(test.Variable);
                break;
            default:
                break;
        }
    }
}
