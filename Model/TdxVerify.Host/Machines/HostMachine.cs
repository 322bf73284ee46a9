using System.Collections.Concurrent;
using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>
/// A configuration as a system of agents: each host thread runs its program, one visible access at a time, and with it
/// the SEAMCALLs and the guests that it lets run.
/// </summary>
/// <remarks>Steps may be made by several workers at once: what they change is theirs alone.</remarks>
public sealed class HostMachine : ISystem<Thread>
{
    /// <summary>The state of a thread whose program is done for good.</summary>
    public const ushort Finished = ushort.MaxValue;

    // Above every status, with the number of a code below it.
    private const ulong CodeTag = 0x7C00_0000_0000_0000;

    private const int LocalStates = 1000;

    private readonly CompiledPrograms _programs;
    private readonly HostNames _names = new();
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
        _events = new HostEvents(configuration, Leaves);
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
        Begin(ref thread, agent);
        return thread;
    }

    /// <inheritdoc/>
    public ulong StartOf(Cell cell) => _start.GetValueOrDefault(cell);

    /// <inheritdoc/>
    public SystemStep Step(int agent, ref Thread local, ICells cells, IChooser chooser)
    {
        if (local.State == Finished)
            return new SystemStep(StepEnd.Done);
        if (!_workers.TryTake(out HostWorker? worker))
            worker = new HostWorker(this, _setUp.Module);
        worker.Cells.Begin(cells);
        SystemStep step = Step(worker, agent, ref local, chooser);
        _workers.Add(worker);
        return step;
    }

    /// <inheritdoc/>
    public void Normalize(ISystemState<Thread> state) => EpochAges.Advance(state, TdPages.Tdr, Configuration.Agents.Length);

    /// <summary>What the step that an agent is about to make does, in words.</summary>
    /// <param name="local">The agent's locals before the step.</param>
    public string Describe(in Thread local) => local.State == Finished ? "done" : _programs.States[local.State].State.Action.Describe(this, local);

    /// <summary>What a step did, in words.</summary>
    /// <param name="before">The agent's locals before the step.</param>
    /// <param name="step">What came of it.</param>
    public string Describe(in Thread before, SystemStep step)
    {
        IEnumerable<string> told = Events.Where((happened, i) => (step.Events >> i & 1) != 0 && happened.Kind != EventKind.Progress).Select(happened => happened.Name);
        string notes = string.Join("; ", told);
        return notes.Length == 0 ? Describe(before) : $"{Describe(before)} ({notes})";
    }

    /// <summary>The state of its program that a thread is in.</summary>
    public ProgramState? StateOf(in Thread local) => local.State == Finished ? null : _programs.States[local.State].State;

    /// <summary>The instruction that the guest of a thread is at; null: no guest runs there.</summary>
    public GuestInstruction? InstructionOf(in Thread local) =>
        local.Guest == 0 ? null : Configuration.GuestOf(VcpuOf(local)).Instructions[local.Guest - 1];

    /// <summary>The laws about the module's locks; null: they are not looked at.</summary>
    internal LockLaws? LockLaws { get; }

    /// <summary>What processors may still translate.</summary>
    internal StaleTranslations Stale => _setUp.Stale;

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

    private SystemStep Step(HostWorker worker, int agent, ref Thread local, IChooser chooser)
    {
        Thread before = local;
        var at = new HostStep(this, worker, ref local, chooser, agent);
        if (!Run(ref at))
        {
            local = before;
            return new SystemStep(StepEnd.Blocked);
        }

        _laws.Look(ref at);
        Forget(ref at);
        return new SystemStep(StepEnd.Moved, at.Events, worker.Cells.EpochWritten && !Configuration.AbsoluteEpochs);
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

    // True: something was done. Local work before the first access and after it joins it.
    private bool Run(ref HostStep at)
    {
        bool accessed = false;
        for (int i = 0; i < LocalStates; i++)
        {
            CompiledState state = _programs.States[at.Thread.State];
            HostAction action = state.State.Action;
            if (!action.IsLocal)
            {
                if (accessed)
                    return true;
                accessed = true;
            }

            switch (action)
            {
                case CallAction:
                    at.Thread.Callers[at.Thread.CallerCount++] = at.Thread.State;
                    at.Thread.State = (ushort)state.Callee;
                    break;
                case ReturnAction give:
                    Return(ref at, give);
                    break;
                case DoneAction:
                    End(ref at);
                    break;
                default:
                    ActionEnd end = action.Run(ref at);
                    if (end == ActionEnd.Wait)
                        return false;
                    if (end == ActionEnd.Again)
                        return true;
                    Leave(ref at, state);
                    break;
            }

            if (at.Thread.State == Finished)
                return true;
        }

        throw new ProgramException($"{at.Bound.Name}: goes on without an access to shared state.");
    }

    private void Leave(ref HostStep at, CompiledState state)
    {
        ref Thread thread = ref at.Thread;
        thread.Part = 0;
        if (state.State.Action.Result is ResultKind.Status)
            thread.Result = at.Answer.Status;
        Go(ref at, state);
    }

    private void Go(ref HostStep at, CompiledState state)
    {
        ref Thread thread = ref at.Thread;
        for (int i = 0; i < state.Next.Length; i++)
        {
            ProgramTransition transition = state.State.Transitions[i];
            if (!transition.When.Holds(at.Answer))
                continue;
            if (transition.TakesGpa)
                TakeGpa(ref at);
            at.Report(transition);
            thread.State = (ushort)state.Next[i];
            return;
        }

        throw new ProgramException($"{state.Program.Name}: state {state.State.Name} does not say what follows from {at.Answer.Code ?? StatusTable.NameOf(at.Answer.Status)}.");
    }

    private void Return(ref HostStep at, ReturnAction give)
    {
        ref Thread thread = ref at.Thread;
        if (thread.CallerCount == 0)
        {
            End(ref at);
            return;
        }

        if (!give.IsPlain)
        {
            if (give.Code is { } code)
                thread.Result = CodeTag | (uint)_names.CodeOf(code);
            at.Answer = (thread.Result & CodeTag) == CodeTag
                ? new Answer(default, _names.Code((int)(uint)thread.Result))
                : Answer.Of(thread.Result);
        }

        ref ushort caller = ref thread.Callers[--thread.CallerCount];
        CompiledState state = _programs.States[caller];
        caller = 0;
        Go(ref at, state);
    }

    private void End(ref HostStep at)
    {
        ref Thread thread = ref at.Thread;
        if (thread.Left != HostAgent.Endless && --thread.Left == 0)
            thread = new Thread { State = Finished };
        else
            Begin(ref thread, at.Agent);
    }

    private void Begin(ref Thread thread, int agent)
    {
        HostAgent bound = Configuration.Agents[agent];
        thread = new Thread { Left = thread.Left, State = (ushort)_programs.StartOf(bound.Program), Gpa = bound.FirstGpa, Lp = (byte)bound.Lp };
    }

    private void TakeGpa(ref HostStep at)
    {
        int gpa = Pages.GpaAt(at.Answer.Registers.R8);
        if (gpa < 0)
            throw new ProgramException($"{at.Bound.Name}: GPA {at.Answer.Registers.R8:x} is none of the configuration's.");
        at.Thread.Gpa = (byte)gpa;
    }

    // What no later step needs is cleared.
    private void Forget(ref HostStep at)
    {
        ref Thread thread = ref at.Thread;
        if (thread.State == Finished || Configuration.KeepsAll)
            return;
        if (thread.Agent.Phase != AgentPhase.Idle)
            at.Worker.Trimmer.Trim(ref thread.Agent);
        Remembered live = _programs.States[thread.State].Live;
        if (!live.HasFlag(Remembered.Result))
            thread.Result = 0;
        if (!live.HasFlag(Remembered.Page))
            thread.Page = 0;
        if (!live.HasFlag(Remembered.Gpa))
            thread.Gpa = at.Bound.FirstGpa;
        for (int counter = 0; counter < Counters.Count; counter++)
        {
            if (((int)live >> counter & (int)Remembered.FirstCounter) == 0)
                thread.Counters[counter] = 0;
        }

        if (thread.HasSnapshot == 0 || live.HasFlag(Remembered.Snapshot))
            return;
        thread.HasSnapshot = 0;
        Cell snapshots = HostCells.Of(HostCell.InvalidateSnapshots);
        at.Cells.Write(snapshots, at.Cells.Read(snapshots) & ~(1UL << at.Agent));
    }

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
