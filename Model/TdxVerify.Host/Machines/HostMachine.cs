using System.Collections.Concurrent;
using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>
/// A configuration as a system of agents: each host thread runs its program, one visible access at a time, and with it
/// the SEAMCALLs and the guests that it lets run.
/// </summary>
/// <remarks>Steps may be made by several workers at once: what they change is theirs alone.</remarks>
public sealed class HostMachine : INarratedSystem<Thread>
{
    /// <summary>The state of a thread whose program is done for good.</summary>
    public const ushort Finished = ushort.MaxValue;

    /// <summary>An error of which nobody looks at more than that it is one (<see cref="Configuration.ForgetsUnread"/>), in words.</summary>
    public const string ForgottenError = "an error that nobody looks at";

    // Where an attempt's number has the place of the guest and the GPA, above the state of the program.
    private const int GuestShift = 16;
    private const int GpaShift = 24;

    private readonly CompiledPrograms _programs;
    private readonly HostNames _names = new();
    private readonly ProgramRun _run;
    private readonly HostEvents _events;
    private readonly HostLawsWatch _laws;
    private readonly Dictionary<Cell, ulong> _start;
    private readonly HostStart _setUp;
    private readonly ConcurrentBag<HostWorker> _workers = [];

    /// <summary>The system of a configuration: its TD is set up by the calls that a host makes.</summary>
    /// <exception cref="ProgramException">The configuration is not well formed; the message says where and why.</exception>
    public HostMachine(Configuration configuration)
    {
        Configuration = configuration;
        LpCount = Math.Max(configuration.Td.Vcpus, configuration.Agents.Max(agent => agent.Lp) + 1);
        var platform = new PlatformInfo { LpCount = LpCount, Profile = configuration.Profile };
        Leaves = configuration.Leaves ?? LeafSet<CellState>.Of(configuration.Profile);
        Pages = new TdPages(platform, configuration.Td);
        _programs = new CompiledPrograms(configuration.Agents.Select(agent => agent.Program));
        CheckBindings();
        _names.Add(_programs.States.Select(state => state.State.Action));
        HasSmpCalls = _programs.States.Any(state => state.State.Action is SmpCallBeginAction);
        _run = new ProgramRun(this, _programs, _names);
        _events = new HostEvents(configuration, Leaves);
        if (configuration.JoinsUnseenSteps)
            UnseenSteps = new UnseenSteps(configuration, Leaves, _programs.States.Select(state => state.State.Action).OfType<SeamcallAction>());
        if (configuration.JoinsGuardedSteps)
            GuardedSteps = new GuardedSteps(configuration, Leaves);
        ForgetsLockBits = configuration.ForgetsUnread && configuration.OnlyMapsAndZaps();
        ForgetsEpochsOfVcpus = configuration.ForgetsUnread && configuration.MapsNothing();
        _setUp = HostStart.Of(this, platform);
        _start = _setUp.Cells.Values.ToDictionary();
        _laws = new HostLawsWatch(this, _setUp.Stale);
        LockLaws = configuration.Laws.HasFlag(HostLaws.Locks) ? new LockLaws(this) : null;
        Agents = [.. configuration.Agents.Select(agent => agent.Name)];
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Agents { get; }

    /// <inheritdoc/>
    public IReadOnlyList<SystemEvent> Events => _events.All;

    /// <summary>The configuration.</summary>
    public Configuration Configuration { get; }

    /// <summary>The module's leaves.</summary>
    public LeafSet<CellState> Leaves { get; }

    /// <summary>What pages are for.</summary>
    public TdPages Pages { get; }

    /// <summary>Logical processors.</summary>
    public int LpCount { get; }

    /// <inheritdoc/>
    public Thread StartOf(int agent)
    {
        var thread = new Thread { Left = (byte)Configuration.Agents[agent].Repeat };
        _run.Begin(ref thread, agent);
        return thread;
    }

    /// <inheritdoc/>
    public ulong StartOf(Cell cell) => _start.GetValueOrDefault(cell);

    /// <inheritdoc/>
    public SystemStep Step(int agent, ref Thread local, ICells cells, IChooser chooser) => StepTold(agent, ref local, cells, chooser, null);

    /// <inheritdoc/>
    public SystemStep Step(int agent, ref Thread local, ICells cells, IChooser chooser, ICollection<string> told)
    {
        var lines = new List<StepLine>();
        SystemStep step = StepTold(agent, ref local, cells, chooser, lines);
        foreach (StepLine line in lines)
            told.Add(line.ToString());
        return step;
    }

    /// <summary>The same, and tells what was done, a line for each state of the program.</summary>
    public SystemStep Step(int agent, ref Thread local, ICells cells, IChooser chooser, ICollection<StepLine> told) =>
        StepTold(agent, ref local, cells, chooser, told);

    /// <summary>A SEAMCALL that a thread is about to begin or in the middle of, with what it works on.</summary>
    public string CallOf(in Thread local) => StateOf(local)?.Action is SeamcallAction action ? CallText.NameOf(this, action, local) : "";

    /// <summary>The step of the module that a thread's call is about to make; empty: it runs in the guest, or no call is under way.</summary>
    public string NextStepOf(in Thread local) => local.Agent.CanStep && local.Agent.Phase != AgentPhase.InGuest
        ? Leaves.All[local.Agent.List].Steps[local.Agent.Step].Text
        : "";

    /// <inheritdoc/>
    public Cell Normal(Cell cell) => EpochAges.AgedCell(cell, TdPages.Tdr);

    /// <inheritdoc/>
    public ulong Normal(Cell cell, ulong value) => EpochAges.AgedValue(cell, value);

    /// <inheritdoc/>
    public void Normalize(ref Thread local) => EpochAges.Age(ref local.Agent.Call);

    /// <summary>The state of its program that a thread is in.</summary>
    public ProgramState? StateOf(in Thread local) => local.State == Finished ? null : _programs.States[local.State].State;

    /// <summary>The state of its program in which an attempt is made (<see cref="SystemStep.Attempt"/>), and whether its guest runs there.</summary>
    public (ProgramState State, bool InGuest) StateOfAttempt(int attempt) =>
        (_programs.States[attempt & ushort.MaxValue].State, (attempt >> GuestShift & byte.MaxValue) != 0);

    /// <summary>The instruction that the guest of a thread is at; null: no guest runs there.</summary>
    public GuestInstruction? InstructionOf(in Thread local) =>
        local.Guest == 0 ? null : Configuration.GuestOf(VcpuOf(local)).Instructions[local.Guest - 1];

    /// <summary>The status for which a SEAMCALL in flight has been refused; empty: it has not been, or is none.</summary>
    public static string RefusalOf(in Thread local) =>
        local.Agent is { Phase: AgentPhase.HostLeaf or AgentPhase.HostDispatch, Call: { FailedStep: not 0, End: CallEnd.Returned } } ? CallText.NameOf(local.Agent.Call.Status) : "";

    /// <summary>The laws about the module's locks; null: they are not looked at.</summary>
    internal LockLaws? LockLaws { get; }

    /// <summary>Accesses that join the step before them; null: none.</summary>
    internal UnseenSteps? UnseenSteps { get; }

    /// <summary>Further ones, which a lock in the hands of the call guards; null: none.</summary>
    internal GuardedSteps? GuardedSteps { get; }

    /// <summary>No host call makes use of the lock bits of an entry that it has read.</summary>
    internal bool ForgetsLockBits { get; }

    /// <summary>Whether a vCPU that enters has to flush its processor's TLB does not matter: there is nothing in it.</summary>
    internal bool ForgetsEpochsOfVcpus { get; }

    /// <summary>Some thread sends functions to other processors.</summary>
    internal bool HasSmpCalls { get; }

    /// <summary>What processors may still translate.</summary>
    internal StaleTranslations Stale => _setUp.Stale;

    /// <summary>What a thread's program looks at of the answer of the SEAMCALL that it is at.</summary>
    internal LooksAt LooksAt(in Thread local) => local.State == Finished ? Host.LooksAt.Nothing : _programs.States[local.State].LooksAt;

    internal int LockOf(string name) => _names.LockOf(name);

    internal int RenameLock(int number, Func<int, int> vcpu) => _names.RenameLock(number, vcpu);

    internal int VariableOf(string name) => _names.VariableOf(name);

    internal ulong RequestBit(string name) => _names.RequestBit(name);

    internal int CounterOf(string name) => _programs.CounterOf(name);

    internal int PageFor(int gpa, int level) => level == SeptLevel.Page4K || level == Configuration.Td.Gpas[gpa].Level ? Pages.PageOf(gpa) : Pages.TableOf(gpa, level);

    internal Cell SpteCell(int gpa, int level) => level == Configuration.Td.Gpas[gpa].Level
        ? HostCells.Spte(gpa, 0)
        : HostCells.Spte(Pages.Region(gpa), level);

    internal int EventOf(string name) => _events[name];

    internal int EntryEventOf(int agent, int state) => _programs.States[state].State.EntryProgress is { } text
        ? _events[HostEvents.ProgressOf(Configuration.Agents[agent], text)]
        : -1;

    internal int BusyEventOf(in Agent agent) =>
        HostEvents.IsBusy(agent.Call.Status) ? _events[HostEvents.BusyOf(Leaves.All[agent.List].Id.Name, agent.Call.Status)] : -1;

    private SystemStep StepTold(int agent, ref Thread local, ICells cells, IChooser chooser, ICollection<StepLine>? told)
    {
        if (local.State == Finished)
            return new SystemStep(StepEnd.Done);
        if (!_workers.TryTake(out HostWorker? worker))
            worker = new HostWorker(this, _setUp.Module);
        worker.Cells.Begin(cells);
        SystemStep step = Step(worker, agent, ref local, chooser, told);
        _workers.Add(worker);
        return step;
    }

    private SystemStep Step(HostWorker worker, int agent, ref Thread local, IChooser chooser, ICollection<StepLine>? told)
    {
        Thread before = local;
        var at = new HostStep(this, worker, ref local, chooser, agent) { Told = told };
        if (!_run.Run(ref at))
        {
            local = before;
            return new SystemStep(StepEnd.Blocked);
        }

        _laws.Look(ref at);
        _run.Forget(ref at);
        if (worker.Cells.EpochWritten && !Configuration.AbsoluteEpochs && EpochAges.HasAdvanced(worker.Cells, TdPages.Tdr))
            at.Traits |= StepTraits.Normalizes;
        return new SystemStep(StepEnd.Moved, at.Events, at.Traits, AttemptOf(before));
    }

    private void CheckBindings()
    {
        foreach (HostAgent agent in Configuration.Agents)
        {
            foreach (ProgramState state in agent.Program.WithCalled().SelectMany(program => program.States))
            {
                if (state.Action.NeedsVcpu && agent.Vcpu is null)
                    throw new ProgramException($"{Configuration.Name}: {agent.Name}: state {state.Name} ({state.Action.Text}) needs a vCPU; give the agent one with Vcpu = ...");
            }

            if (agent.Gpas.IsEmpty && _programs.States[_programs.StartOf(agent.Program)].Live.HasFlag(Remembered.Gpa))
                throw new ProgramException($"{Configuration.Name}: {agent.Name}: its program needs a GPA; give the agent one with Gpas = [...]");
        }
    }

    // The same action on the same GPA, or the same instruction of the guest.
    private static int AttemptOf(in Thread thread) => thread.State | (thread.Guest << GuestShift) | (thread.Gpa << GpaShift);

    private int VcpuOf(in Thread local)
    {
        int handle = local.Agent.Call.Vcpu;
        for (int vcpu = 0; vcpu < Configuration.Td.Vcpus; vcpu++)
        {
            if (TdPages.Tdvpr(vcpu) == handle)
                return vcpu;
        }

        return 0;
    }
}
