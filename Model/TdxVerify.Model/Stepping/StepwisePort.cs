using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// The model as a port that carries out each call visible step by visible step, with nothing in between. It answers as
/// <see cref="ModelPort{S}"/> does: tests replay all recordings on it.
/// </summary>
/// <typeparam name="S">The layout of the state.</typeparam>
public sealed class StepwisePort<S> : IPort, IChoiceOracle
    where S : struct, IPlatformState
{
    private readonly HeldLocks<S> _locks = new();
    private readonly Agent[] _agents;
    private readonly CallTrimmer<S>? _trimmer;
    private uint _choices;
    private S _state;

    /// <summary>A model over a fresh state.</summary>
    /// <param name="state">The state.</param>
    /// <param name="leaves">The leaves.</param>
    /// <param name="trims">Between two steps, what the call no longer needs is cleared (<see cref="CallTrimmer{S}"/>).</param>
    public StepwisePort(S state, LeafSet<S> leaves, bool trims = false)
    {
        _state = state;
        Platform = state.Platform;
        Machine = new AgentMachine<S>(leaves);
        _trimmer = trims ? new CallTrimmer<S>(leaves) : null;
        _agents = new Agent[Platform.LpCount];
    }

    /// <inheritdoc/>
    public string Name => $"model of TDX module {Platform.Profile.Name()}, stepwise";

    /// <inheritdoc/>
    public PlatformInfo Platform { get; }

    /// <inheritdoc/>
    public bool SupportsThreads => false;

    /// <summary>The machine behind the port.</summary>
    public AgentMachine<S> Machine { get; }

    /// <summary>The state.</summary>
    public ref S State => ref _state;

    /// <inheritdoc/>
    public void Observe(ulong rax) => _choices = ChoiceStatuses.SetOf(rax);

    /// <inheritdoc/>
    public PortResult Reset()
    {
        _state.Reset();
        Array.Clear(Machine.Programs);
        Array.Clear(_agents);
        _locks.Clear();
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult Seamcall(int lp, ref RegisterFile registers)
    {
        PortResult begun = EnterBegin(lp, ref registers, out bool running);
        return begun == PortResult.Ok && running ? EnterEnd(lp, ref registers) : begun;
    }

    /// <inheritdoc/>
    public PortResult EnterBegin(int lp, ref RegisterFile registers, out bool running)
    {
        running = false;
        if (lp < 0 || lp >= _agents.Length || _agents[lp].IsBusy)
            return PortResult.Invalid;
        ref Agent agent = ref _agents[lp];
        Machine.Begin(ref _state, ref agent, lp, registers, _choices);
        while (agent.CanStep && agent.Phase != AgentPhase.InGuest)
            Step(ref agent);
        running = agent.Phase == AgentPhase.InGuest;
        return running ? PortResult.Ok : End(agent, ref registers);
    }

    /// <inheritdoc/>
    public PortResult EnterEnd(int lp, ref RegisterFile registers)
    {
        if (lp < 0 || lp >= _agents.Length || _agents[lp].Phase != AgentPhase.InGuest)
            return PortResult.Invalid;
        ref Agent agent = ref _agents[lp];
        while (agent.CanStep)
            Step(ref agent);
        return End(agent, ref registers);
    }

    /// <inheritdoc/>
    public PortResult GuestSubmit(ulong tdvprHpa, in GuestOperation operation)
    {
        if (!TryFindVcpu(tdvprHpa, out int vcpu))
            return PortResult.Invalid;
        Machine.Program(vcpu).Submit(operation);
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult GuestResult(ulong tdvprHpa, out GuestResult result)
    {
        result = default;
        if (!TryFindVcpu(tdvprHpa, out int vcpu) || !Machine.Program(vcpu).WasSubmitted)
            return PortResult.Invalid;
        result = Machine.Program(vcpu).Result;
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult MemoryWrite(ulong hpa, ReadOnlySpan<byte> data)
    {
        _state.WriteMemory(hpa, data);
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult MemoryRead(ulong hpa, Span<byte> data)
    {
        _state.ReadMemory(hpa, data);
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult Interrupt(bool pending)
    {
        _state.SetGlobal(GlobalField.InterruptPending, pending ? 1UL : 0);
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult Lock(in LockOperation operation) => _locks.Lock(ref _state, operation);

    /// <inheritdoc/>
    public PortResult Unlock(in LockOperation operation) => _locks.Unlock(ref _state, operation);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void Step(ref Agent agent)
    {
        Machine.Step(ref _state, ref agent);
        _trimmer?.Trim(ref agent);
    }

    private PortResult End(in Agent agent, ref RegisterFile registers)
    {
        _choices = 0;
        if (agent.Phase != AgentPhase.Ended)
            return agent.Phase == AgentPhase.Halted ? PortResult.Died : PortResult.NotSupported;
        registers = agent.Answer;
        return PortResult.Ok;
    }

    private bool TryFindVcpu(ulong tdvprHpa, out int vcpu) => VcpuLookup<S>.TryFind(ref _state, tdvprHpa, out vcpu);
}
