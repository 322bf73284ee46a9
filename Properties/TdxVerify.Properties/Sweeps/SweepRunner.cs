using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Generation;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Sweeps;

/// <summary>Carries out the events of a sweep one by one; after a broken law it does nothing any more.</summary>
internal sealed class SweepRunner(EventRunner events, List<PlannedEvent> record)
{
    private int _count;

    /// <summary>The first broken law.</summary>
    public RunFailure? Failure { get; private set; }

    /// <summary>The platform.</summary>
    public PlatformInfo Platform => events.Model.Platform;

    /// <summary>The model's state.</summary>
    public ref ObservedState State => ref events.Model.Machine.State;

    /// <summary>The last call changed the type of a page.</summary>
    public bool ChangedPages
    {
        get
        {
            foreach (ref readonly Change change in events.Last.Changes)
            {
                if (change.Kind == ChangeKind.Pamt && change.PamtField == PamtField.Type)
                    return true;
            }

            return false;
        }
    }

    /// <summary>A SEAMCALL; returns its status.</summary>
    public StatusCode Call(in RegisterFile registers, int lp = 0, ChoicePoint choice = ChoicePoint.None, ChoicePoint alsoFails = ChoicePoint.None)
    {
        Carry(TraceEvent.OfSeamcall(lp, registers, registers), choice, alsoFails);
        return events.Last.Status;
    }

    /// <summary>A SEAMCALL that must succeed.</summary>
    /// <exception cref="InvalidOperationException">It failed: the script is wrong.</exception>
    public void Must(HostLeaf leaf, ulong rcx = 0, ulong rdx = 0, ulong r8 = 0, ulong r9 = 0, int lp = 0)
    {
        StatusCode status = Call(Registers(leaf, rcx, rdx, r8, r9), lp);
        if (status.IsError && Failure is null)
            throw new InvalidOperationException($"{leaf.Name()} returned {status} where a sweep is set up");
    }

    /// <summary>A vCPU enters, does an operation and leaves.</summary>
    public void Run(ulong tdvpr, int lp, in GuestOperation operation)
    {
        Carry(TraceEvent.OfGuest(tdvpr, operation));
        Call(Registers(HostLeaf.TDH_VP_ENTER, tdvpr), lp);
    }

    /// <summary>A vCPU enters and stays.</summary>
    public void Enter(ulong tdvpr, int lp) => Carry(TraceEvent.OfEnter(lp, Registers(HostLeaf.TDH_VP_ENTER, tdvpr)));

    /// <summary>Another agent takes a lock; false: it was refused.</summary>
    public bool Lock(in LockOperation operation)
    {
        Carry(TraceEvent.OfLock(operation, ok: true));
        return events.Last.LockGranted;
    }

    /// <summary>Another agent drops a lock.</summary>
    public void Unlock(in LockOperation operation) => Carry(TraceEvent.OfUnlock(operation, ok: true));

    /// <summary>
    /// A guest, where guests take the lock, takes it if it is granted, and drops it: that shows what others hold, and host
    /// priority.
    /// </summary>
    public void TryAsGuest(PortLock which, ulong argument, ulong argument2 = 0)
    {
        LockOperation operation = LockAgents.Attempt(which, argument, argument2);
        if (Lock(operation))
            Unlock(operation);
    }

    /// <summary>The host writes memory.</summary>
    public void Write(ulong hpa, byte[] data) => Carry(TraceEvent.OfWrite(hpa, data));

    /// <summary>An interrupt arrives or goes away.</summary>
    public void Interrupt(bool pending) => Carry(TraceEvent.OfInterrupt(pending));

    /// <summary>The registers of a call.</summary>
    public static RegisterFile Registers(HostLeaf leaf, ulong rcx = 0, ulong rdx = 0, ulong r8 = 0, ulong r9 = 0) =>
        new() { Rax = (ulong)leaf, Rcx = rcx, Rdx = rdx, R8 = r8, R9 = r9 };

    private void Carry(TraceEvent e, ChoicePoint choice = ChoicePoint.None, ChoicePoint alsoFails = ChoicePoint.None)
    {
        if (Failure is not null)
            return;
        Failure = events.Step(ref e, choice, _count++);
        record.Add(new PlannedEvent(e, choice, alsoFails));
    }
}
