using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.State;

namespace TdxVerify.Properties.Traces;

/// <summary>
/// The model beside a recording, to be looked at: events are replayed one by one, each with what it changed and with
/// the step that decided.
/// </summary>
internal sealed class ModelReplay
{
    private readonly ModelPort<ObservedState> _port;
    private readonly PortReplayer _replayer;
    private readonly Dictionary<ulong, TraceEvent> _guests = [];

    public ModelReplay(PlatformInfo platform)
    {
        _port = ModelPorts.Observed(platform);
        _replayer = new PortReplayer(_port);
    }

    /// <summary>The state around an event, before it is replayed.</summary>
    public IReadOnlyList<StateLine> Around(in TraceEvent e) => StateAround.Lines(_port.Machine.State, _port.HeldLocks, e, GuestOf(e));

    /// <summary>Replays an event; null where the model answers as recorded.</summary>
    public ReplayStop? Step(in TraceEvent e)
    {
        _port.Machine.State.Journal.Clear();
        if (e.Kind == TraceEventKind.Guest)
            _guests[e.Hpa] = e;
        else if (e.Kind == TraceEventKind.Reset)
            _guests.Clear();
        return _replayer.Step(e);
    }

    /// <summary>What the event replayed last changed.</summary>
    public IReadOnlyList<string> Changes() => StateDifference.Lines(_port.Machine.State);

    /// <summary>The step that decided how the call replayed last ended; null where that event is no call.</summary>
    public DecidingStep? Deciding(in TraceEvent e) =>
        e.Kind is TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit or TraceEventKind.GuestResult
        && _port.Machine.Deciding is (Leaf<ObservedState> leaf, int step)
            ? DecidingStep.Of(leaf, step)
            : null;

    /// <summary>
    /// Brings an LP to where the recording says it is, after the model decided otherwise on an entry: the events that
    /// follow then still mean something.
    /// </summary>
    public void FollowRecording(in TraceEvent e)
    {
        bool isInGuest = _port.Machine.State.Lp(e.Lp, LpField.RunningVcpu) != 0;
        if (e.Kind == TraceEventKind.Enter && isInGuest && !e.Running)
        {
            RegisterFile registers = e.Input;
            _port.EnterEnd(e.Lp, ref registers);
        }
    }

    /// <summary>Why the model cannot answer an event, in words.</summary>
    public string Unmodelled(in TraceEvent e)
    {
        if (e.Kind is TraceEventKind.Begin or TraceEventKind.End)
            return "calls overlap here (begin and end); only recordings of one call after the other are judged";
        if (e.Kind is TraceEventKind.Seamcall or TraceEventKind.Enter && _port.Machine.Leaves.Host(e.Input.Rax) is null)
            return $"{CallText.HostLeafName(e.Input.Rax)} is not modelled";
        if (GuestOf(e) is { Operation: GuestOperationKind.Tdcall } guest && _port.Machine.Leaves.Guest(guest.Input.Rax) is null)
            return $"the vCPU calls {CallText.GuestLeafName(guest.Input.Rax)}, which is not modelled";
        return $"{TraceEventText.Describe(e)}: this operand is not modelled";
    }

    // What the vCPU of a TDH.VP.ENTER was told to do.
    private TraceEvent? GuestOf(in TraceEvent e)
    {
        if (e.Kind is not (TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit)
            || (HostLeaf)LeafNames.Number(e.Input.Rax) != HostLeaf.TDH_VP_ENTER)
            return null;
        ulong vcpu = LeafOperands.Of(HostLeaf.TDH_VP_ENTER)[0].PageOf(e.Input)!.Value;
        return _guests.TryGetValue(vcpu, out TraceEvent guest) ? guest : null;
    }
}
