using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>
/// Judges the calls of each event once, for all laws about calls: before the event it finds the first documented
/// reason that holds, after it what came out. A SEAMCALL of TDH.VP.ENTER is two calls: the entry, and what the guest does.
/// </summary>
internal sealed class CallJudge
{
    private HostRules? _rules;
    private long _foreseen = -1;
    private long _judged = -1;
    private int _vcpu;

    /// <summary>The SEAMCALL.</summary>
    public CallVerdict Host { get; } = new();

    /// <summary>The guest's TDCALL or memory access.</summary>
    public CallVerdict Guest { get; } = new();

    /// <summary>The vCPU that the guest verdict is about.</summary>
    public int Vcpu => _vcpu;

    /// <summary>A new sequence: its events may have the numbers of those before.</summary>
    public void Reset() => _foreseen = _judged = -1;

    /// <summary>Before the event.</summary>
    public void Foresee(Observation o)
    {
        if (_foreseen == o.Number)
            return;
        _foreseen = o.Number;
        Host.Clear();
        Guest.Clear();
        _vcpu = -1;
        if (o.Kind is not (TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit))
            return;
        _rules ??= new HostRules(o.Platform);
        try
        {
            if (o.Kind == TraceEventKind.Exit)
                _vcpu = (int)o.State.Lp(o.Lp, LpField.RunningVcpu) - 1;
            else
                ForeseeHost(o);
            if (_vcpu >= 0)
                ForeseeGuest(o);
        }
        catch (Exception e) when (e is IndexOutOfRangeException or NullReferenceException)
        {
            // A faulty model left a handle that leads nowhere. The law that says so is the one about reasons.
            Host.SetUnreadable();
            Guest.Clear();
        }
    }

    /// <summary>After the event.</summary>
    public void Judge(Observation o)
    {
        if (_judged == o.Number)
            return;
        _judged = o.Number;
        if (!o.IsModelled)
        {
            // Not modelled is a leaf or version that is let through; one that had to be refused by its RAX was carried out.
            Guest.Clear();
            if (Host.Expected is { Status: Status.TDX_OPERAND_INVALID })
                Host.Judge(Status.TDX_SUCCESS, CallEnd.Returned);
            else
                Host.Clear();
            return;
        }

        bool entered = o.Running || o.GuestRan;
        if (Host.Rules is not null)
        {
            bool emulated = !entered && o.Leaf == HostLeaf.TDH_VP_ENTER && o.Output.Rax == (ulong)ExitReason.EptViolation;
            Host.Judge(entered ? 0 : o.Output.Rax, emulated ? CallEnd.EmulatedEptViolation : CallEnd.Returned);
        }

        GuestOutcome guest = o.Guest;
        if (Guest.Rules is not null && guest.Vcpu == _vcpu && guest.Kind != GuestOperationKind.Idle)
            Guest.Judge(guest.End == CallEnd.Returned ? guest.Status : 0, guest.End);
    }

    private void ForeseeHost(Observation o)
    {
        if (o.State.Lp(o.Lp, LpField.RunningVcpu) != 0)
            return;
        Host.Facts.Begin(o, o.Input, o.Lp);
        LeafRules? rules = _rules!.IsRefused(o.Input.Rax) ? _rules.Dispatcher : _rules.Host(o.Input.Rax);
        if (rules is null || AsksForOtherField(o))
            return;
        Host.Foresee(rules, o);
        if (o.Kind == TraceEventKind.Seamcall && Host.First < 0 && o.Leaf == HostLeaf.TDH_VP_ENTER)
            _vcpu = Host.Facts.Vcpu;
    }

    private static bool AsksForOtherField(Observation o) =>
        o.Leaf is HostLeaf.TDH_MNG_RD or HostLeaf.TDH_VP_RD && !MetadataFields.IsCovered(o.Input.Rdx, o.Leaf == HostLeaf.TDH_VP_RD);

    private void ForeseeGuest(Observation o)
    {
        ref readonly GuestOperation operation = ref o.Model.Machine.OperationOf(_vcpu);
        LeafRules? rules = operation.Kind switch
        {
            GuestOperationKind.Access => _rules!.Access,
            GuestOperationKind.Tdcall => _rules!.Guest(operation.Registers.Rax),
            _ => null,
        };
        if (rules is null)
            return;
        Guest.Facts.BeginGuest(o, operation, o.Lp, _vcpu);
        Guest.Foresee(rules, o);
    }
}
