using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// Carries out calls one visible step at a time: the same lists of steps as <see cref="Machine{S}"/>, for agents that
/// take turns. A visible step is one visible access and all that follows it up to the next one.
/// </summary>
/// <typeparam name="S">The layout of the state.</typeparam>
/// <param name="leaves">The leaves.</param>
/// <param name="splitsLocks">
/// Each atomic instruction of an attempt at a lock is a visible step (ALL of contention.md); else the attempt as a whole is.
/// Only on a layout that allows it (<see cref="IState.MaySplitLocks"/>).
/// </param>
/// <param name="guestsStay">
/// A guest that has done an operation stays in the guest (<see cref="AgentPhase.InGuest"/>) until it makes a
/// TDG.VP.VMCALL, faults, or is interrupted; else it leaves after one operation, as ports do.
/// </param>
public sealed class AgentMachine<S>(LeafSet<S> leaves, bool splitsLocks = false, bool guestsStay = false)
    where S : struct, IState
{
    private readonly bool _splitsLocks = splitsLocks && !S.MaySplitLocks
        ? throw new ArgumentException($"{typeof(S).Name} does not split locks.", nameof(splitsLocks))
        : splitsLocks;

    /// <summary>The leaves.</summary>
    public LeafSet<S> Leaves => leaves;

    /// <summary>What each vCPU is told to do, by its handle.</summary>
    public GuestProgram[] Programs { get; private set; } = new GuestProgram[16];

    /// <summary>Told of each access, and of each step that is none, after it was carried out.</summary>
    public StepObserver<S>? Observer { get; set; }

    /// <summary>A SEAMCALL begins. It has made no access yet.</summary>
    /// <param name="s">The shared state.</param>
    /// <param name="a">The agent.</param>
    /// <param name="lp">Its logical processor.</param>
    /// <param name="registers">The registers of the call.</param>
    /// <param name="choices">Choice points that fail in it: bit <see cref="ChoicePoint"/>.</param>
    public void Begin(ref S s, ref Agent a, int lp, in RegisterFile registers, uint choices = 0)
    {
        a = default;
        a.Call.SplitsLocks = _splitsLocks;
        CallStart<S>.Begin(ref a.Call, lp, registers, choices);
        Start(ref a, AgentPhase.HostDispatch, leaves.HostDispatcher);
        RunUnseen(ref s, ref a);
    }

    /// <summary>The vCPU that is in the guest on this processor begins its operation.</summary>
    public void BeginInGuest(ref S s, ref Agent a, int lp)
    {
        a = default;
        a.Call.SplitsLocks = _splitsLocks;
        a.Call.Lp = lp;
        a.Call.Vcpu = (int)s.Lp(lp, LpField.RunningVcpu) - 1;
        a.Phase = AgentPhase.InGuest;
    }

    /// <summary>An external interrupt takes the vCPU out of the guest, between two operations; the first visible step of the exit is made.</summary>
    public void Interrupt(ref S s, ref Agent a)
    {
        CallStart<S>.BeginGuest(ref s, ref a.Call, a.Call.Lp, a.Call.Vcpu, default, 0);
        a.Call.End = CallEnd.InterruptExit;
        GuestSteps<S>.ResetOnForwardProgress(ref s, ref a.Call, 0);
        StartExit(ref a);
        Advance(ref s, ref a);
        RunUnseen(ref s, ref a);
    }

    /// <summary>One visible step. The agent has a call in flight.</summary>
    public void Step(ref S s, ref Agent a)
    {
        if (a.Phase == AgentPhase.InGuest)
        {
            RunGuest(ref s, ref a);
            RunUnseen(ref s, ref a);
            if (!a.CanStep || a.Phase == AgentPhase.InGuest)
                return;
        }

        Advance(ref s, ref a);
        RunUnseen(ref s, ref a);
    }

    /// <summary>What a vCPU is told to do; there is always room for it.</summary>
    public ref GuestProgram Program(int vcpu)
    {
        if (vcpu >= Programs.Length)
        {
            GuestProgram[] programs = Programs;
            Array.Resize(ref programs, 2 * vcpu);
            Programs = programs;
        }

        return ref Programs[vcpu];
    }

    private static void Start(ref Agent a, AgentPhase phase, Leaf<S> list)
    {
        a.Phase = phase;
        a.List = (short)list.Index;
        a.Step = 0;
        a.Call.FailedStep = 0;
    }

    private void RunUnseen(ref S s, ref Agent a)
    {
        while (a.CanStep && a.Phase != AgentPhase.InGuest && !leaves.All[a.List].IsVisible(ref a.Call, a.Step))
            Advance(ref s, ref a);
    }

    private void Advance(ref S s, ref Agent a)
    {
        Leaf<S> list = leaves.All[a.List];
        int step = a.Step;
        bool visible = Observer is not null && list.IsVisible(ref a.Call, step);
        a.Step = (short)list.NextAccess(ref s, ref a.Call, step);
        Observer?.Invoke(list, step, visible, a.Call);
        while (a.Step == list.Steps.Length)
        {
            EndList(ref s, ref a);
            if (!a.CanStep || a.Phase == AgentPhase.InGuest)
                return;
            list = leaves.All[a.List];
        }
    }

    private void EndList(ref S s, ref Agent a)
    {
        ref Call c = ref a.Call;
        switch (a.Phase)
        {
            case AgentPhase.HostDispatch when c.FailedStep == 0:
                Dispatch(ref a, AgentPhase.HostLeaf, leaves.Host(c.In.Rax));
                break;
            case AgentPhase.HostDispatch or AgentPhase.HostLeaf:
                EndHostCall(ref s, ref a);
                break;
            case AgentPhase.GuestAccess:
                EndAccess(ref s, ref a);
                break;
            case AgentPhase.GuestDispatch when c.End == CallEnd.Returned && c.FailedStep == 0:
                Dispatch(ref a, AgentPhase.GuestLeaf, leaves.Guest(c.In.Rax));
                break;
            case AgentPhase.GuestDispatch or AgentPhase.GuestLeaf:
                EndTdcall(ref s, ref a);
                break;
            case AgentPhase.VeInfo:
                Leave(ref s, ref a);
                break;
            case AgentPhase.Vmcall:
                s.SetVcpu(c.Vcpu, VcpuField.Rip, GuestProgram.VmcallRip + GuestProgram.TdcallLength);
                StartExit(ref a);
                break;
            default:
                a.Phase = AgentPhase.Ended;
                break;
        }
    }

    private static void Dispatch(ref Agent a, AgentPhase phase, Leaf<S>? leaf)
    {
        if (leaf is null)
            a.Phase = AgentPhase.NotModelled;
        else
            Start(ref a, phase, leaf);
    }

    private void EndHostCall(ref S s, ref Agent a)
    {
        ref Call c = ref a.Call;
        if (c.OutOfScope)
        {
            a.Phase = AgentPhase.NotModelled;
        }
        else if (c.End == CallEnd.InGuest)
        {
            a.Phase = AgentPhase.InGuest;
        }
        else if (c.End == CallEnd.ModuleHalt)
        {
            a.Phase = AgentPhase.Halted;
        }
        else
        {
            if (a.Phase == AgentPhase.HostLeaf && c.FailedStep == 0 && leaves.All[a.List].Id.Number == (int)HostLeaf.TDH_VP_CREATE)
                Program(c.Vcpu).Clear();
            a.Answer = c.In;
            CallAnswer<S>.Finish(ref s, ref c, ref a.Answer);
            a.Phase = AgentPhase.Ended;
        }
    }

    private void RunGuest(ref S s, ref Agent a)
    {
        int lp = a.Call.Lp;
        int vcpu = a.Call.Vcpu;
        ref GuestProgram program = ref Program(vcpu);
        if (!program.IsPending || program.Operation.Kind == GuestOperationKind.Idle)
        {
            if (program.IsPending)
                program.Complete();
            Leave(ref s, ref a);
            return;
        }

        s.SetVcpu(vcpu, VcpuField.Rip, program.Operation.Rip);
        if (program.Operation.Kind == GuestOperationKind.Access)
        {
            CallStart<S>.BeginGuest(ref s, ref a.Call, lp, vcpu, default, 0);
            a.Call.Gpa = program.Operation.Gpa;
            a.Call.Access = program.Operation.Access;
            Start(ref a, AgentPhase.GuestAccess, leaves.GuestMemory);
        }
        else
        {
            CallStart<S>.BeginGuest(ref s, ref a.Call, lp, vcpu, program.Operation.Registers, 0);
            Start(ref a, AgentPhase.GuestDispatch, leaves.GuestDispatcher);
        }
    }

    private void EndAccess(ref S s, ref Agent a)
    {
        ref Call c = ref a.Call;
        ref GuestProgram program = ref Program(c.Vcpu);
        switch (c.End)
        {
            case CallEnd.AccessDone:
                program.Complete();
                Leave(ref s, ref a);
                break;
            case CallEnd.VirtualizationException:
                program.Drop(virtualizationException: true);
                CallAnswer<S>.DeliverVirtualizationException(ref s, c);
                CallStart<S>.BeginGuest(ref s, ref c, c.Lp, c.Vcpu, GuestProgram.VeInfoGet, 0);
                Start(ref a, AgentPhase.VeInfo, leaves.Guest((ulong)GuestLeaf.TDG_VP_VEINFO_GET)!);
                break;
            case CallEnd.PageFault:
                program.Drop(virtualizationException: false);
                Leave(ref s, ref a);
                break;
            default:
                StartExit(ref a);
                break;
        }
    }

    private void EndTdcall(ref S s, ref Agent a)
    {
        ref Call c = ref a.Call;
        ref GuestProgram program = ref Program(c.Vcpu);
        switch (c.End)
        {
            case CallEnd.Returned:
                RegisterFile registers = c.In;
                CallAnswer<S>.Finish(ref s, ref c, ref registers);
                program.Complete(registers);
                Leave(ref s, ref a);
                break;
            case CallEnd.Vmcall:
                program.Complete();
                s.SetVcpu(c.Vcpu, VcpuField.Rip, program.Operation.Rip + GuestProgram.TdcallLength);
                StartExit(ref a);
                break;
            default:
                StartExit(ref a);
                break;
        }
    }

    // The guest has done its operation.
    private void Leave(ref S s, ref Agent a)
    {
        if (guestsStay)
        {
            a.Phase = AgentPhase.InGuest;
            return;
        }

        int lp = a.Call.Lp;
        int vcpu = a.Call.Vcpu;
        s.SetVcpu(vcpu, VcpuField.Rip, GuestProgram.VmcallRip);
        CallStart<S>.BeginGuest(ref s, ref a.Call, lp, vcpu, GuestProgram.Vmcall, 0);
        Start(ref a, AgentPhase.Vmcall, leaves.Guest((ulong)GuestLeaf.TDG_VP_VMCALL)!);
    }

    private void StartExit(ref Agent a)
    {
        a.Answer = CallAnswer<S>.Exit(a.Call);
        Start(ref a, AgentPhase.Exit, leaves.TdExit);
    }
}
