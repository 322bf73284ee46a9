using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// The reference: a bit-accurate software implementation of the TDX module behind <see cref="IPort"/>. It keeps real
/// S-EPT pages with 64-bit entries in simulated physical memory, the PAMT as arrays, and lock words changed by
/// interlocked instructions in the module's own order (facts/checks.md, facts/locks.csv, facts/lock-types.csv), so it
/// may be called from one thread for each logical processor. It shares nothing with the model but the vocabulary.
/// </summary>
/// <remarks>
/// Scope: TDs without L2 VMs and without migration. A leaf or a field of the real module that is not modelled gives
/// <see cref="PortResult.NotSupported"/>, with the registers as they were. Where the module would find one of its invariants
/// broken and halt, the call and all that follow give <see cref="PortResult.Died"/> until <see cref="Reset"/>.
/// </remarks>
public sealed class ReferencePort : IPort, IChoiceControl, IPausingPort
{
    private readonly TdxModule _module;
    private readonly HeldLocks _heldLocks;
    private bool _died;
    private int _disposed;

    /// <summary>A fresh platform.</summary>
    /// <param name="platform">Its size, its key ids, and in <see cref="PlatformInfo.Profile"/> the module version.</param>
    /// <exception cref="ArgumentException">A value is out of what can be simulated; the message says which.</exception>
    public ReferencePort(PlatformInfo platform)
        : this(platform, RemovedLock.None)
    {
    }

    /// <summary>A faulty one, for tests.</summary>
    internal ReferencePort(PlatformInfo platform, RemovedLock removed)
    {
        ArgumentNullException.ThrowIfNull(platform);
        PlatformLimits.Check(platform);
        _module = new TdxModule(platform, removed);
        _heldLocks = new HeldLocks(_module);
    }

    /// <inheritdoc/>
    public string Name => $"TdxVerify reference, module {Platform.Profile.Name()}";

    /// <inheritdoc/>
    public PlatformInfo Platform => _module.Platform;

    /// <inheritdoc/>
    public bool SupportsThreads => true;

    /// <inheritdoc/>
    public Action? Pause
    {
        get => _module.Pause;
        set => _module.Pause = value;
    }

    /// <inheritdoc/>
    public PortResult Reset()
    {
        _module.Reset();
        _heldLocks.Reset();
        Volatile.Write(ref _died, false);
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult Seamcall(int lp, ref RegisterFile registers)
    {
        PortResult result = CheckProcessor(lp);
        if (result != PortResult.Ok)
            return result;
        ulong status = HostDispatcher.Check(_module, registers.Rax);
        if (status != Answer.Success)
        {
            registers.Rax = status;
            return PortResult.Ok;
        }

        return HostDispatcher.IsVpEnter(registers.Rax) ? Enter(lp, ref registers) : Run(lp, ref registers);
    }

    /// <inheritdoc/>
    public PortResult EnterBegin(int lp, ref RegisterFile registers, out bool running)
    {
        running = false;
        PortResult result = CheckProcessor(lp);
        if (result != PortResult.Ok)
            return result;
        if (!HostDispatcher.IsVpEnter(registers.Rax))
            return PortResult.Invalid;
        try
        {
            Begin(lp, ref registers, out running);
            return PortResult.Ok;
        }
        catch (ModuleHaltException)
        {
            return Die();
        }
    }

    /// <inheritdoc/>
    public PortResult EnterEnd(int lp, ref RegisterFile registers)
    {
        if (Volatile.Read(ref _died))
            return PortResult.Died;
        if ((uint)lp >= (uint)_module.Processors.Length || !_module.Processors[lp].Running)
            return PortResult.Invalid;
        try
        {
            GuestExecution.Run(_module, _module.Processors[lp], out registers);
            return PortResult.Ok;
        }
        catch (ModuleHaltException)
        {
            return Die();
        }
    }

    /// <inheritdoc/>
    public PortResult GuestSubmit(ulong tdvprHpa, in GuestOperation operation)
    {
        if (Volatile.Read(ref _died))
            return PortResult.Died;
        long page = _module.PageIndex(tdvprHpa);
        if (page < 0 || operation.Kind > GuestOperationKind.Tdcall)
            return PortResult.Invalid;
        if (operation.Kind == GuestOperationKind.Tdcall && Tdcall.IsUnmodelled(operation.Registers.Rax))
            return PortResult.NotSupported;
        _module.SubmitGuest(page, operation);
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult GuestResult(ulong tdvprHpa, out GuestResult result)
    {
        result = default;
        if (Volatile.Read(ref _died))
            return PortResult.Died;
        long page = _module.PageIndex(tdvprHpa);
        if (page < 0 || _module.Guests[page] is not { Submitted: true } program)
            return PortResult.Invalid;
        result = program.Result;
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// A page that the PAMT says is assigned cannot be written (<see cref="PortResult.Invalid"/>): on hardware that
    /// breaks the integrity of the TD, which is outside what is modelled.
    /// </remarks>
    public PortResult MemoryWrite(ulong hpa, ReadOnlySpan<byte> data)
    {
        if (Volatile.Read(ref _died))
            return PortResult.Died;
        if (!IsUnassigned(hpa, data.Length))
            return PortResult.Invalid;
        while (!data.IsEmpty)
        {
            int length = Math.Min(data.Length, Hpa.PageSize - (int)(hpa & (Hpa.PageSize - 1)));
            _module.Memory.Write(hpa, data[..length]);
            hpa += (ulong)length;
            data = data[length..];
        }

        return PortResult.Ok;
    }

    /// <inheritdoc/>
    /// <remarks>A page that the PAMT says is assigned reads as zero.</remarks>
    public PortResult MemoryRead(ulong hpa, Span<byte> data)
    {
        if (Volatile.Read(ref _died))
            return PortResult.Died;
        if (hpa >> Platform.HkidStartBit != 0)
            return PortResult.Invalid;
        while (!data.IsEmpty)
        {
            int length = Math.Min(data.Length, Hpa.PageSize - (int)(hpa & (Hpa.PageSize - 1)));
            if (_module.IsAssigned(hpa))
                data[..length].Clear();
            else
                _module.Memory.Read(hpa, data[..length]);
            hpa += (ulong)length;
            data = data[length..];
        }

        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult Interrupt(bool pending)
    {
        if (Volatile.Read(ref _died))
            return PortResult.Died;
        _module.InterruptPending = pending;
        return PortResult.Ok;
    }

    /// <inheritdoc/>
    public PortResult Lock(in LockOperation operation) =>
        Volatile.Read(ref _died) ? PortResult.Died : _heldLocks.Take(operation);

    /// <inheritdoc/>
    public PortResult Unlock(in LockOperation operation)
    {
        if (Volatile.Read(ref _died))
            return PortResult.Died;
        try
        {
            return _heldLocks.Drop(operation);
        }
        catch (ModuleHaltException)
        {
            return Die();
        }
    }

    /// <inheritdoc/>
    public void FailNext(ChoicePoint choice) => _module.Choices.FailNext(choice);

    /// <inheritdoc/>
    public void ClearChoices() => _module.Choices.Clear();

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            _module.Dispose();
    }

    // A processor on which a vCPU runs cannot make calls.
    private PortResult CheckProcessor(int lp)
    {
        if (Volatile.Read(ref _died))
            return PortResult.Died;
        return (uint)lp < (uint)_module.Processors.Length && !_module.Processors[lp].Running
            ? PortResult.Ok
            : PortResult.Invalid;
    }

    private PortResult Run(int lp, ref RegisterFile registers)
    {
        RegisterFile inputs = registers;
        ulong status;
        try
        {
            status = HostDispatcher.Run(_module, lp, ref registers);
        }
        catch (ModuleHaltException)
        {
            registers = inputs;
            return Die();
        }

        if (status == Answer.NotModelled)
        {
            registers = inputs;
            return PortResult.NotSupported;
        }

        registers.Rax = status;
        return PortResult.Ok;
    }

    private PortResult Enter(int lp, ref RegisterFile registers)
    {
        try
        {
            Begin(lp, ref registers, out bool running);
            if (running)
                GuestExecution.Run(_module, _module.Processors[lp], out registers);
            return PortResult.Ok;
        }
        catch (ModuleHaltException)
        {
            return Die();
        }
    }

    private void Begin(int lp, ref RegisterFile registers, out bool running)
    {
        ulong status = VpEnter.Begin(_module, _module.Processors[lp], ref registers, out running);
        if (!running)
            registers.Rax = status;
    }

    private bool IsUnassigned(ulong hpa, int length)
    {
        ulong end = hpa + (ulong)length;
        if (end < hpa || end >> Platform.HkidStartBit != 0)
            return false;
        for (ulong page = hpa & ~(Hpa.PageSize - 1UL); page < end; page += Hpa.PageSize)
        {
            if (_module.IsAssigned(page))
                return false;
        }

        return true;
    }

    private PortResult Die()
    {
        Volatile.Write(ref _died, true);
        return PortResult.Died;
    }
}
