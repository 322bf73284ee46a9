using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// The model behind the same interface as every implementation: the oracle. Told the answer seen elsewhere
/// (<see cref="Observe"/>), it takes the branch of a choice point that gives this answer.
/// </summary>
/// <typeparam name="S">The layout of the state.</typeparam>
public sealed class ModelPort<S> : IPort, IChoiceOracle, IChoiceControl
    where S : struct, IPlatformState
{
    private readonly HeldLocks<S> _locks = new();

    /// <summary>A model over a fresh state, with the profile's leaves or others, for example with one step changed.</summary>
    public ModelPort(S state, LeafSet<S> leaves)
    {
        Platform = state.Platform;
        Machine = new Machine<S>(state, leaves);
    }

    /// <inheritdoc/>
    public string Name => $"model of TDX module {Platform.Profile.Name()}";

    /// <inheritdoc/>
    public PlatformInfo Platform { get; }

    /// <inheritdoc/>
    public bool SupportsThreads => false;

    /// <summary>The machine behind the port.</summary>
    public Machine<S> Machine { get; }

    /// <summary>Locks that a test holds now.</summary>
    public IEnumerable<LockOperation> HeldLocks => _locks.Held;

    /// <inheritdoc/>
    public void Observe(ulong rax) => Machine.Choices = ChoiceStatuses.SetOf(rax);

    /// <inheritdoc/>
    public void FailNext(ChoicePoint choice) => Machine.Choices |= 1u << (int)choice;

    /// <inheritdoc/>
    public void ClearChoices() => Machine.Choices = 0;

    /// <inheritdoc/>
    public PortResult Reset()
    {
        Machine.State.Reset();
        Machine.ForgetPrograms();
        _locks.Clear();
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult Seamcall(int lp, ref RegisterFile registers) =>
        IsBusyLp(lp) ? PortResult.Invalid : Modelled(Machine.Seamcall(lp, ref registers));

    /// <inheritdoc/>
    public PortResult GuestSubmit(ulong tdvprHpa, in GuestOperation operation) =>
        Machine.GuestSubmit(tdvprHpa, operation) ? PortResult.Ok : PortResult.Invalid;

    /// <inheritdoc/>
    public PortResult GuestResult(ulong tdvprHpa, out GuestResult result) =>
        Machine.GuestResult(tdvprHpa, out result, out _) ? PortResult.Ok : PortResult.Invalid;

    /// <inheritdoc/>
    public PortResult MemoryWrite(ulong hpa, ReadOnlySpan<byte> data)
    {
        Machine.State.WriteMemory(hpa, data);
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult MemoryRead(ulong hpa, Span<byte> data)
    {
        Machine.State.ReadMemory(hpa, data);
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult EnterBegin(int lp, ref RegisterFile registers, out bool running)
    {
        running = false;
        return IsBusyLp(lp) ? PortResult.Invalid : Modelled(Machine.EnterBegin(lp, ref registers, out running));
    }

    /// <inheritdoc/>
    public PortResult EnterEnd(int lp, ref RegisterFile registers) =>
        !IsLp(lp) || Machine.State.Lp(lp, LpField.RunningVcpu) == 0
            ? PortResult.Invalid
            : Modelled(Machine.EnterEnd(lp, ref registers));

    /// <inheritdoc/>
    public PortResult Interrupt(bool pending)
    {
        Machine.State.SetGlobal(GlobalField.InterruptPending, pending ? 1UL : 0);
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult Lock(in LockOperation operation) => _locks.Lock(ref Machine.State, operation);

    /// <inheritdoc/>
    public PortResult Unlock(in LockOperation operation) => _locks.Unlock(ref Machine.State, operation);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static PortResult Modelled(bool modelled) => modelled ? PortResult.Ok : PortResult.NotSupported;

    private bool IsLp(int lp) => lp >= 0 && lp < Platform.LpCount;

    private bool IsBusyLp(int lp) => !IsLp(lp) || Machine.State.Lp(lp, LpField.RunningVcpu) != 0;
}
