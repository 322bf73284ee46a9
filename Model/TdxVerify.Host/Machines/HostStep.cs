using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>One step of a host thread while it is carried out: what an action may look at and change.</summary>
internal ref struct HostStep
{
    /// <summary>The machine.</summary>
    public readonly HostMachine Machine;

    /// <summary>What the machine needs for one worker.</summary>
    public readonly HostWorker Worker;

    /// <summary>The thread's locals.</summary>
    public readonly ref Thread Thread;

    /// <summary>Settles what the state does not determine.</summary>
    public readonly IChooser Chooser;

    /// <summary>The agent.</summary>
    public readonly int Agent;

    /// <summary>The result of the action.</summary>
    public Answer Answer;

    /// <summary>What happened, a bit for each event.</summary>
    public ulong Events;

    /// <summary>What the step is for those who judge whether every agent gets on.</summary>
    public StepTraits Traits;

    /// <summary>Where what is done is told; null: nobody listens.</summary>
    public ICollection<StepLine>? Told;

    /// <summary>What the access found, in words, for who listens.</summary>
    public string? Found;

    /// <summary>What decided against the SEAMCALL, for who listens.</summary>
    public StepRefusal? Refusal;

    public HostStep(HostMachine machine, HostWorker worker, ref Thread thread, IChooser chooser, int agent)
    {
        Machine = machine;
        Worker = worker;
        Thread = ref thread;
        Chooser = chooser;
        Agent = agent;
    }

    /// <summary>Shared state.</summary>
    public readonly ICells Cells => Worker.Cells;

    /// <summary>What the agent is bound to.</summary>
    public readonly HostAgent Bound => Machine.Configuration.Agents[Agent];

    /// <summary>The vCPU that the agent works on.</summary>
    public readonly int Vcpu => Bound.OwnVcpu;

    /// <summary>Something happened; -1: nothing that is reported.</summary>
    public void Report(int number)
    {
        if (number >= 0)
            Events |= 1UL << number;
    }

    /// <summary>What a transition reports.</summary>
    public void Report(ProgramTransition transition)
    {
        if (transition.Progress is { } progress)
            Report(Machine.EventOf(HostEvents.ProgressOf(Bound, progress)));
        if (transition.Sometimes is { } sometimes)
            Report(Machine.EventOf(sometimes));
        if (transition.Noted is { } noted)
            Report(Machine.EventOf(noted));
    }

    public readonly ulong ReadVariable(string name) => Cells.Read(HostCells.Of(HostCell.Variable, Machine.VariableOf(name)));

    public readonly void WriteVariable(string name, ulong value) => Cells.Write(HostCells.Of(HostCell.Variable, Machine.VariableOf(name)), value);

    public readonly void ChangeVcpuBits(HostCell kind, int vcpu, ulong set, ulong clear)
    {
        Cell cell = HostCells.Of(kind, vcpu);
        Cells.Write(cell, (Cells.Read(cell) | set) & ~clear);
    }

    /// <summary>The cell of a lock; vcpu->mutex is that of the agent's vCPU.</summary>
    public readonly Cell LockCell(string name) =>
        HostCells.Of(HostCell.Lock, Machine.LockOf(name == KernelLocks.OwnVcpuMutex ? KernelLocks.VcpuMutex(Vcpu) : name));

    /// <summary>The mirror SPTE of the thread's GPA, or of the table above it.</summary>
    public readonly Cell SpteCell(int level) => Machine.SpteCell(Thread.Gpa, level);

    public readonly ulong SpteValue(SpteKind kind, int level, int page) => kind switch
    {
        SpteKind.None => MirrorSpte.None,
        SpteKind.Frozen => MirrorSpte.Frozen,
        _ => MirrorSpte.Present(page),
    };

    /// <summary>An IPI to a processor. With interrupts on, and no guest there, it is served at once.</summary>
    public readonly void Send(int lp)
    {
        if (Cells.Read(HostCells.Of(HostCell.Irq, lp)) == 0 && Cells.Read(Cell.Lp(lp, LpField.RunningVcpu)) == 0)
            return;
        Cell pending = HostCells.Of(HostCell.PendingIpis, lp);
        Cells.Write(pending, Cells.Read(pending) | (1UL << Agent));
    }

    /// <summary>Interrupts come on: the IPIs that waited are served. Functions are carried out by those who sent them.</summary>
    public readonly void ServeIpis()
    {
        Cell pending = HostCells.Of(HostCell.PendingIpis, Thread.Lp);
        Cells.Write(pending, Interrupts.Functions(Cells.Read(pending)));
    }

    /// <summary>Where functions are sent: a SEAMCALL is under way on the thread's processor, or no longer.</summary>
    public readonly void MarkSeamcall(bool underWay)
    {
        if (!Machine.HasSmpCalls)
            return;
        Cell irq = HostCells.Of(HostCell.Irq, Thread.Lp);
        ulong bits = Cells.Read(irq) & ~Interrupts.InSeamcall;
        Cells.Write(irq, underWay ? bits | Interrupts.InSeamcall : bits);
    }

    /// <summary>The thread's IPI to a processor is not served yet.</summary>
    public readonly bool IsPending(int lp) => (Cells.Read(HostCells.Of(HostCell.PendingIpis, lp)) >> Agent & 1) != 0;
}
