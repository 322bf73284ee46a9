using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>What the steps of a configuration can report.</summary>
public sealed class HostEvents
{
    /// <summary>A law: the module does not halt.</summary>
    public const string ModuleHalt = "the module never halts";

    /// <summary>A law: no call does what the model does not have.</summary>
    public const string NotModelled = "every call is modelled";

    /// <summary>A law: calls release what they lock.</summary>
    public const string LockLeaks = "no lock acquired by a call outlives it";

    /// <summary>A law: no processor can translate to a page that the host has back.</summary>
    public const string PageExposed = "a page handed back to the host is not exposed";

    /// <summary>A law: no KVM_BUG_ON.</summary>
    public const string HostBug = "the host never bugs the VM";

    /// <summary>A law: whoever is told BUSY meets a holder, or host priority.</summary>
    public const string BusyUnjustified = "every BUSY is justified";

    /// <summary>A law: locks keep apart what they should.</summary>
    public const string SectionsConflict = "no two agents are in conflicting sections";

    /// <summary>A law: while nobody changes them, the two agree.</summary>
    public const string MirrorDisagrees = "the mirror SPTE agrees with the S-EPT entry";

    /// <summary>A case worth telling: host priority is lost.</summary>
    public const string PriorityErased = "a guest call takes away host priority that nobody has used";

    private const int Maximum = 64;

    // The class of statuses that say that a resource is busy (facts/status.csv).
    private const byte BusyClass = 2;

    private readonly List<SystemEvent> _events = [];
    private readonly Dictionary<string, int> _numbers = [];

    internal HostEvents(Configuration configuration, LeafSet<CellState> leaves)
    {
        Add(ModuleHalt, EventKind.Violation, endsRun: true);
        Add(NotModelled, EventKind.Violation, endsRun: true);
        Add(LockLeaks, EventKind.Violation);
        Add(PageExposed, EventKind.Violation);
        if (configuration.Laws.HasFlag(HostLaws.NoHostBug))
            Add(HostBug, EventKind.Violation, endsRun: true);
        if (configuration.Laws.HasFlag(HostLaws.MirrorAgrees))
            Add(MirrorDisagrees, EventKind.Violation);
        if (configuration.Laws.HasFlag(HostLaws.Locks))
        {
            Add(BusyUnjustified, EventKind.Violation);
            Add(SectionsConflict, EventKind.Violation);
        }

        for (int agent = 0; agent < configuration.Agents.Length; agent++)
            AddAgent(configuration, agent);
        if (_events.Count > Maximum)
            throw new ProgramException($"{configuration.Name}: its programs report more than {Maximum} things.");
        AddBusy(configuration, leaves);
        if (_events.Count < Maximum)
            AddNoted(configuration, PriorityErased);
        if (configuration.MustOccur.FirstOrDefault(name => !_numbers.ContainsKey(name)) is { } lost)
            throw new ProgramException($"{configuration.Name}: '{lost}' must occur, but is nothing that its programs could report.");
    }

    internal IReadOnlyList<SystemEvent> All => _events;

    /// <summary>A guest that runs on is progress of its vCPU's thread.</summary>
    internal static string GuestRuns(HostAgent agent) => ProgressOf(agent, "the guest runs");

    internal static string ProgressOf(HostAgent agent, string text) => $"{agent.Name}: {text}";

    internal static string BusyOf(string leaf, ulong status) => $"{leaf}: {StatusTable.NameOf(status)}";

    internal static bool IsBusy(ulong status) => new StatusCode(status) is { IsError: true, Class: BusyClass };

    internal int this[string name] => _numbers.GetValueOrDefault(name, -1);

    private static IEnumerable<ProgramTransition> Transitions(Configuration configuration, HostAgent agent) =>
        agent.Program.WithCalled().SelectMany(program => program.States).SelectMany(state => state.Transitions)
            .Concat(Enters(agent) ? configuration.GuestOf(agent.OwnVcpu).Instructions.SelectMany(instruction => instruction.Transitions) : []);

    private static bool Enters(HostAgent agent) => Calls(agent).Any(call => call.Leaf == HostLeaf.TDH_VP_ENTER);

    private static IEnumerable<SeamcallAction> Calls(HostAgent agent) =>
        agent.Program.WithCalled().SelectMany(program => program.States).Select(state => state.Action).OfType<SeamcallAction>();

    private void AddAgent(Configuration configuration, int number)
    {
        HostAgent agent = configuration.Agents[number];
        foreach (ProgramTransition transition in Transitions(configuration, agent))
        {
            if (transition.Progress is { } progress)
                Add(ProgressOf(agent, progress), EventKind.Progress, number);
            if (transition.Sometimes is { } sometimes)
                Add(sometimes, EventKind.Sometimes);
            if (transition.Noted is { } noted)
                Add(noted, EventKind.Noted);
        }

        foreach (string entry in agent.Program.WithCalled().SelectMany(program => program.States).Select(state => state.EntryProgress).OfType<string>())
            Add(ProgressOf(agent, entry), EventKind.Progress, number);
        if (Enters(agent) && configuration.GuestOf(agent.OwnVcpu).Instructions.Any(instruction => instruction.Op.Kind == GuestInstructionKind.Spin))
            Add(GuestRuns(agent), EventKind.Progress, number);
    }

    // Each busy status that a call or a TDCALL of the configuration can answer, as far as there is room.
    private void AddBusy(Configuration configuration, LeafSet<CellState> leaves)
    {
        IEnumerable<Leaf<CellState>> called = configuration.Agents.SelectMany(Calls).Select(call => leaves.Host((ulong)call.Leaf | ((ulong)call.Version << 16)))
            .Concat(configuration.Agents.Where(Enters).SelectMany(agent => configuration.GuestOf(agent.OwnVcpu).Instructions)
                .Where(instruction => instruction.Op.Kind == GuestInstructionKind.Tdcall).Select(instruction => leaves.Guest((ulong)instruction.Op.Leaf)))
            .OfType<Leaf<CellState>>().Distinct();
        foreach (Leaf<CellState> leaf in called)
        {
            foreach (ulong status in leaf.Steps.Select(step => step.Failure.Status).Where(IsBusy).Distinct())
            {
                if (_events.Count < Maximum)
                    AddNoted(configuration, BusyOf(leaf.Id.Name, status));
            }
        }
    }

    private void AddNoted(Configuration configuration, string name) =>
        Add(name, configuration.MustOccur.Contains(name) ? EventKind.Sometimes : EventKind.Noted);

    private void Add(string name, EventKind kind, int agent = -1, bool endsRun = false)
    {
        if (!_numbers.TryAdd(name, _events.Count))
            return;
        _events.Add(new SystemEvent(name, kind, agent, endsRun));
    }
}
