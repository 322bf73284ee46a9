using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws;

/// <summary>What there is to see of one event: the call, its answers, and what it changed. One object for a whole run.</summary>
public sealed class Observation(ModelPort<ObservedState> model)
{
    private readonly List<Change> _net = [];
    private bool _hasNet;

    /// <summary>The model, after the event.</summary>
    public ModelPort<ObservedState> Model { get; } = model;

    /// <summary>The state, after the event.</summary>
    public ref ObservedState State => ref Model.Machine.State;

    /// <summary>The platform.</summary>
    public PlatformInfo Platform => Model.Platform;

    /// <summary>Events so far, this one included: it tells one event from another.</summary>
    public long Number { get; private set; }

    /// <summary>The choice point that was asked to fail in this call.</summary>
    public ChoicePoint Choice { get; private set; }

    /// <summary>No choice point fails unless asked to: false for a port that decides by itself.</summary>
    public bool ChoicesAreAsked { get; private set; }

    /// <summary>The call was within what is modelled; else nothing is known of its outputs.</summary>
    public bool IsModelled { get; internal set; }

    /// <summary>What kind of event.</summary>
    public TraceEventKind Kind { get; private set; }

    /// <summary>The logical processor of a call.</summary>
    public int Lp { get; private set; }

    /// <summary>The registers of a call.</summary>
    public RegisterFile Input;

    /// <summary>What the model answered.</summary>
    public RegisterFile Output;

    /// <summary>What the port under test answered; equal to <see cref="Output"/> where none is tested.</summary>
    public RegisterFile Answer;

    /// <summary>The lock of a lock or unlock event.</summary>
    public LockOperation Lock { get; private set; }

    /// <summary>lock, guest, write: there is such an object, or memory that the host may write; else nothing happened.</summary>
    public bool Happened { get; internal set; }

    /// <summary>lock, unlock: it was granted.</summary>
    public bool LockGranted { get; internal set; }

    /// <summary>enter: the vCPU is in the guest.</summary>
    public bool Running { get; internal set; }

    /// <summary>The event is a SEAMCALL, whole or its first half.</summary>
    public bool IsHostCall => Kind is TraceEventKind.Seamcall or TraceEventKind.Enter;

    /// <summary>The event ended a guest's stay: a whole TDH.VP.ENTER that got there, or an exit.</summary>
    public bool GuestRan => Guest.Vcpu >= 0;

    /// <summary>The event is a SEAMCALL that returned to its caller without entering the guest.</summary>
    public bool ReturnedToHost => IsHostCall && !GuestRan && !Running;

    /// <summary>The leaf of a SEAMCALL.</summary>
    public HostLeaf Leaf => (HostLeaf)LeafNames.Number(Input.Rax);

    /// <summary>The status of a SEAMCALL.</summary>
    public StatusCode Status => new(Output.Rax);

    /// <summary>What the guest did.</summary>
    public GuestOutcome Guest => Model.Machine.LastGuest;

    /// <summary>Every write of the event, in order.</summary>
    public ReadOnlySpan<Change> Changes => State.Journal.Changes;

    /// <summary>What the event changed in all: one change a cell.</summary>
    public List<Change> Net
    {
        get
        {
            if (!_hasNet)
                State.Journal.CollectNet(_net);
            _hasNet = true;
            return _net;
        }
    }

    /// <summary>The list of steps that decided, and the step.</summary>
    public (Leaf<ObservedState>? Leaf, int Step) Deciding => Model.Machine.Deciding;

    internal void Begin(in TraceEvent e, ChoicePoint choice, bool choicesAreAsked)
    {
        Number++;
        Choice = choice;
        ChoicesAreAsked = choicesAreAsked;
        IsModelled = true;
        Kind = e.Kind;
        Lp = e.Lp;
        Input = e.Input;
        Lock = e.Lock;
        Running = false;
        Happened = true;
        LockGranted = false;
        _hasNet = false;
        State.Journal.Clear();
    }

    /// <summary>A field of a PAMT entry before the event.</summary>
    public ulong PamtBefore(PamtRef at, PamtField field) =>
        FindFirst(ChangeKind.Pamt, at.Index, Change.PamtPosition(at.Size, field), out ulong old) ? old : State.Pamt(at, field);

    /// <summary>A field of a TD before the event.</summary>
    public ulong TdBefore(int td, TdField field) =>
        FindFirst(ChangeKind.Td, td, (int)field, out ulong old) ? old : State.Td(td, field);

    /// <summary>A field of a vCPU before the event.</summary>
    public ulong VcpuBefore(int vcpu, VcpuField field) =>
        FindFirst(ChangeKind.Vcpu, vcpu, (int)field, out ulong old) ? old : State.Vcpu(vcpu, field);

    /// <summary>A field of a logical processor before the event.</summary>
    public ulong LpBefore(int lp, LpField field) =>
        FindFirst(ChangeKind.Lp, lp, (int)field, out ulong old) ? old : State.Lp(lp, field);

    /// <summary>A field of a key before the event.</summary>
    public ulong KeyBefore(int hkid, KeyField field) =>
        FindFirst(ChangeKind.Key, hkid, (int)field, out ulong old) ? old : State.Key(hkid, field);

    /// <summary>A field of the platform before the event.</summary>
    public ulong GlobalBefore(GlobalField field) =>
        FindFirst(ChangeKind.Global, 0, (int)field, out ulong old) ? old : State.Global(field);

    /// <summary>An S-EPT entry before the event.</summary>
    public SeptEntry EntryBefore(EntryRef at) =>
        FindFirst(ChangeKind.Entry, at.Table, at.Index, out ulong old) ? new SeptEntry(old) : State.Entry(at);

    private bool FindFirst(ChangeKind kind, int target, int position, out ulong old)
    {
        foreach (ref readonly Change change in Changes)
        {
            if (change.Kind == kind && change.Object == target && change.Position == position)
            {
                old = change.Old;
                return true;
            }
        }

        old = 0;
        return false;
    }
}
