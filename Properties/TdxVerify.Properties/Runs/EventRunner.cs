using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Laws;

namespace TdxVerify.Properties.Runs;

/// <summary>
/// Carries out events one by one on a port under test and on the model, and checks the laws after each. Without a port
/// the model itself is under test: then its laws are checked alone.
/// </summary>
public sealed class EventRunner
{
    private readonly IPort? _port;
    private readonly IChoiceControl? _portChoices;
    private readonly Law[] _laws;
    private readonly Observation _observation;
    private readonly RegisterFile[] _enterInputs;
    private readonly byte[] _page = new byte[Hpa.PageSize];

    /// <summary>A runner over these laws.</summary>
    public EventRunner(ModelPort<ObservedState> model, IPort? port, IReadOnlyList<Law> laws)
    {
        Model = model;
        _port = port;
        _portChoices = port as IChoiceControl;
        _laws = [.. laws];
        _observation = new Observation(model);
        _enterInputs = new RegisterFile[model.Platform.LpCount];
    }

    /// <summary>The model.</summary>
    public ModelPort<ObservedState> Model { get; }

    /// <summary>The laws.</summary>
    public IReadOnlyList<Law> Laws => _laws;

    /// <summary>What there was to see of the last event.</summary>
    public Observation Last => _observation;

    /// <summary>
    /// What became of the guest's operation after the last event, as the port under test tells it (the model, where
    /// there is none); null where the event has no guest-result.
    /// </summary>
    public TraceEvent? LastGuestResult { get; private set; }

    /// <summary>SEAMCALLs, entries and exits carried out.</summary>
    public long Calls { get; private set; }

    /// <summary>Sequences begun.</summary>
    public long Sequences { get; private set; }

    /// <summary>A fresh platform on both sides.</summary>
    public void Reset()
    {
        Sequences++;
        Model.Reset();
        _port?.Reset();
        _portChoices?.ClearChoices();
        foreach (Law law in _laws)
            law.Reset();
    }

    /// <summary>
    /// Carries out one event. Its outputs are filled in: those of the port under test, or of the model. Null: every law
    /// holds.
    /// </summary>
    public RunFailure? Step(ref TraceEvent e, ChoicePoint choice, int operation)
    {
        bool choicesAreAsked = _port is null || _portChoices is not null;
        // A port that decides by itself was never told what to fail.
        if (!choicesAreAsked)
            choice = ChoicePoint.None;
        _observation.Begin(e, choice, choicesAreAsked);
        LastGuestResult = null;
        foreach (Law law in _laws)
            law.Foresee(_observation);
        string? wrong = e.Kind switch
        {
            TraceEventKind.Seamcall => Seamcall(ref e, choice),
            TraceEventKind.Enter => Enter(ref e, choice),
            TraceEventKind.Exit => Exit(ref e),
            TraceEventKind.Guest => Submit(e),
            TraceEventKind.Write => Write(e),
            TraceEventKind.Interrupt => Same(Model.Interrupt(e.Pending), _port?.Interrupt(e.Pending)),
            TraceEventKind.Lock => Lock(ref e),
            TraceEventKind.Unlock => Same(Model.Unlock(e.Lock), _port?.Unlock(e.Lock)),
            _ => null,
        };
        if (wrong is not null)
            return Failure(LawBook.Conformance, wrong, operation);
        foreach (Law law in _laws)
        {
            if (law.Verify(_observation) is { } broken)
                return Failure(law.Name, broken, operation);
        }

        return null;
    }

    private RunFailure Failure(string law, string reason, int operation) => new(law, reason, operation, CallName());

    private string CallName()
    {
        if (!_observation.IsHostCall && _observation.Kind != TraceEventKind.Exit)
            return _observation.Kind.ToString();
        HostLeaf host = _observation.IsHostCall ? _observation.Leaf : HostLeaf.TDH_VP_ENTER;
        string name = host.Name() ?? "unknown leaf";
        if (!_observation.GuestRan || _observation.Guest.Kind != GuestOperationKind.Tdcall)
            return name;
        var guest = (GuestLeaf)LeafNames.Number(Model.Machine.OperationOf(_observation.Guest.Vcpu).Registers.Rax);
        return $"{name} with {guest.Name() ?? "unknown TDCALL"}";
    }

    // What is asked about an object that does not exist is no event (Hardware/README.md): each port may answer as it likes.
    private string? Submit(in TraceEvent e)
    {
        PortResult modelled = Model.GuestSubmit(e.Hpa, e.GuestOperation);
        _observation.Happened = modelled != PortResult.Invalid;
        return _observation.Happened ? Same(modelled, _port?.GuestSubmit(e.Hpa, e.GuestOperation)) : null;
    }

    // A host that writes a page of a TD breaks its integrity, which is not modelled.
    private string? Write(in TraceEvent e)
    {
        _observation.Happened = !IsAssigned(e.Hpa);
        return _observation.Happened ? Same(Model.MemoryWrite(e.Hpa, e.BytesIn(_page)), _port?.MemoryWrite(e.Hpa, e.BytesIn(_page))) : null;
    }

    private bool IsAssigned(ulong hpa)
    {
        ulong page = (hpa - Model.Platform.PageBase) >> Hpa.PageShift;
        if (page >= (ulong)Model.Platform.PageCount)
            return false;
        for (int size = 0; size < 3; size++)
        {
            if ((PageType)Model.Machine.State.Pamt(PamtRef.Of(size, (int)page), PamtField.Type) != PageType.PT_NDA)
                return true;
        }

        return false;
    }

    private static string? Same(PortResult model, PortResult? port) =>
        port is null || port == model ? null : $"the port {Text(port.Value)}, the model {Text(model)}";

    private static string Text(PortResult result) => result switch
    {
        PortResult.Ok => "carries it out",
        PortResult.NotSupported => "does not support it (-ENOSYS)",
        PortResult.Busy => "refuses (-EBUSY)",
        PortResult.Died => "died (-EIO)",
        _ => "knows no such logical processor, page or object (-EINVAL)",
    };

    private string? Seamcall(ref TraceEvent e, ChoicePoint choice)
    {
        Calls++;
        _observation.Answer = e.Input;
        PortResult? ported = null;
        if (_port is not null)
        {
            if (choice != ChoicePoint.None)
                _portChoices?.FailNext(choice);
            ported = _port.Seamcall(e.Lp, ref _observation.Answer);
            _portChoices?.ClearChoices();
            Model.Observe(_observation.Answer.Rax);
        }
        else if (choice != ChoicePoint.None)
        {
            Model.FailNext(choice);
        }

        _observation.Output = e.Input;
        PortResult modelled = Model.Seamcall(e.Lp, ref _observation.Output);
        Model.ClearChoices();
        _observation.IsModelled = modelled == PortResult.Ok;
        if (Same(modelled, ported) is { } different)
            return different;
        Answered(ref e);
        return _observation.GuestRan || IsEmulatedViolation() ? CompareGuest(e.Input.Rcx & 0x000F_FFFF_FFFF_F000) : null;
    }

    private bool IsEmulatedViolation() => _observation.Leaf == HostLeaf.TDH_VP_ENTER && !_observation.Status.IsError;

    private string? Enter(ref TraceEvent e, ChoicePoint choice)
    {
        Calls++;
        _observation.Answer = e.Input;
        bool portRunning = false;
        PortResult? ported = null;
        if (_port is not null)
        {
            if (choice != ChoicePoint.None)
                _portChoices?.FailNext(choice);
            ported = _port.EnterBegin(e.Lp, ref _observation.Answer, out portRunning);
            _portChoices?.ClearChoices();
            Model.Observe(portRunning ? 0 : _observation.Answer.Rax);
        }
        else if (choice != ChoicePoint.None)
        {
            Model.FailNext(choice);
        }

        _observation.Output = e.Input;
        PortResult modelled = Model.EnterBegin(e.Lp, ref _observation.Output, out bool running);
        Model.ClearChoices();
        _observation.Running = running;
        _observation.IsModelled = modelled == PortResult.Ok;
        if (Same(modelled, ported) is { } different)
            return different;
        if (_port is not null && running != portRunning)
            return $"the port {(portRunning ? "entered" : "did not enter")} the guest, the model {(running ? "did" : "did not")}";
        if (running)
        {
            _enterInputs[e.Lp] = e.Input;
            e.Run();
            return null;
        }

        if (_port is null)
            _observation.Answer = _observation.Output;
        e.Running = false;
        e.Answer(_observation.Answer);
        return IsEmulatedViolation() ? CompareGuest(e.Input.Rcx & 0x000F_FFFF_FFFF_F000) : null;
    }

    private string? Exit(ref TraceEvent e)
    {
        Calls++;
        _observation.Answer = default;
        _observation.Output = default;
        PortResult? ported = _port?.EnterEnd(e.Lp, ref _observation.Answer);
        PortResult modelled = Model.EnterEnd(e.Lp, ref _observation.Output);
        _observation.IsModelled = modelled == PortResult.Ok;
        if (Same(modelled, ported) is { } different)
            return different;
        if (modelled != PortResult.Ok)
            return null;
        if (_port is null)
            _observation.Answer = _observation.Output;

        // A trace lists what differs from the registers of the enter.
        e.Input = _enterInputs[e.Lp];
        e.Answer(_observation.Answer);
        return CompareGuest(_enterInputs[e.Lp].Rcx & 0x000F_FFFF_FFFF_F000);
    }

    private string? Lock(ref TraceEvent e)
    {
        PortResult modelled = Model.Lock(e.Lock);
        e.Ok = modelled == PortResult.Ok;
        _observation.LockGranted = e.Ok;
        _observation.Happened = modelled != PortResult.Invalid;
        return _observation.Happened ? Same(modelled, _port?.Lock(e.Lock)) : null;
    }

    private void Answered(ref TraceEvent e)
    {
        if (_port is null)
            _observation.Answer = _observation.Output;
        e.Answer(_observation.Answer);
    }

    private string? CompareGuest(ulong tdvpr)
    {
        if (!Model.Machine.GuestResult(tdvpr, out GuestResult modelled, out bool returned))
            return null;
        GuestResult ported = modelled;
        if (_port is not null && _port.GuestResult(tdvpr, out ported) != PortResult.Ok)
            return "the port does not know what became of the guest's operation";
        LastGuestResult = returned
            ? TraceEvent.OfGuestResult(tdvpr, TdcallInput(tdvpr), ported)
            : TraceEvent.OfGuestResult(tdvpr, ported.Completed, ported.VirtualizationException);
        if (ported.Completed != modelled.Completed || ported.VirtualizationException != modelled.VirtualizationException)
        {
            return $"the guest's operation: port completed {ported.Completed}, #VE {ported.VirtualizationException}; "
                + $"model completed {modelled.Completed}, #VE {modelled.VirtualizationException}";
        }

        if (!returned || ported.Registers == modelled.Registers)
            return null;
        foreach (Register register in RegisterFile.All)
        {
            if (ported.Registers[register] != modelled.Registers[register])
            {
                return $"the guest sees {TraceEventText.Name(register)} = {ConformanceLaw.Text(register, ported.Registers[register])}, "
                    + $"the model says {ConformanceLaw.Text(register, modelled.Registers[register])}";
            }
        }

        return null;
    }

    private RegisterFile TdcallInput(ulong tdvpr)
    {
        ref ObservedState s = ref Model.Machine.State;
        int page = (int)((tdvpr - s.Platform.PageBase) >> Hpa.PageShift);
        return Model.Machine.OperationOf(s.Holder(page)).Registers;
    }
}
