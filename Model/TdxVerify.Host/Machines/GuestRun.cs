using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>One step of a SEAMCALL, and of the guest that a TDH.VP.ENTER lets run.</summary>
internal static class GuestRun
{
    public static ActionEnd StepCall(ref HostStep at)
    {
        ref Thread thread = ref at.Thread;
        HostWorker worker = at.Worker;
        if (thread.Agent.Phase is AgentPhase.Halted or AgentPhase.NotModelled)
            return ActionEnd.Wait;
        Join(ref at);
        Agent before = thread.Agent;
        LockLaws? laws = at.Machine.LockLaws;
        (Cell, ulong, LockMode)? attempt = laws?.Attempt(at);
        bool wasInGuest = thread.Guest != 0;
        if (thread.Agent.Phase == AgentPhase.InGuest)
        {
            if (!StepInGuest(ref at))
                return ActionEnd.Again;
        }
        else if (thread.Agent.CanStep)
        {
            if (wasInGuest)
                Submit(ref at);
            worker.Machine.Step(ref worker.State, ref thread.Agent);
        }

        laws?.Look(ref at, before, attempt);
        if (wasInGuest && worker.Cells.PriorityCleared)
            at.Report(at.Machine.EventOf(HostEvents.PriorityErased));
        if (thread.Agent.Call.FailedStep != 0 && (before.Call.FailedStep == 0 || before.List != thread.Agent.List))
            Fail(ref at, before);
        Join(ref at);
        if (wasInGuest)
            EndInstruction(ref at);
        return After(ref at);
    }

    // Steps that nobody can notice.
    private static void Join(ref HostStep at)
    {
        if (at.Machine is { UnseenSteps: null, GuardedSteps: null })
            return;
        ref Agent agent = ref at.Thread.Agent;
        bool answerIsRead = !at.Machine.Configuration.ForgetsUnread || at.Machine.LooksAt(at.Thread) == LooksAt.Everything;
        while (at.Machine.UnseenSteps?.IsNext(agent) == true || at.Machine.GuardedSteps?.IsNext(agent, answerIsRead) == true)
        {
            Agent before = agent;
            at.Worker.Machine.Step(ref at.Worker.State, ref agent);
            at.Machine.LockLaws?.Look(ref at, before, null);
            if (agent.Call.FailedStep == before.Call.FailedStep || agent.Phase is not (AgentPhase.HostLeaf or AgentPhase.Ended))
                continue;
            if (at.Machine.Leaves.All[before.List].Steps[before.Step].Kind == StepKind.Lock && agent.Call.FailedStep == before.Step + 1)
                throw new InvalidOperationException($"{at.Bound.Name}: an attempt at a lock that nobody can notice was refused.");
            Fail(ref at, before);
        }
    }

    private static void Fail(ref HostStep at, in Agent before)
    {
        if (at.Thread.Agent.Call.End is not (CallEnd.AccessDone or CallEnd.Vmcall))
            at.Traits |= StepTraits.Refused;
        at.Report(at.Machine.BusyEventOf(at.Thread.Agent));
        if (at.Told is null)
            return;
        Agent agent = at.Thread.Agent;
        at.Found = CallText.Failure(at.Machine, before, agent);
        at.Refusal = new StepRefusal(at.Machine.Leaves.All[agent.List].Steps[agent.Call.FailedStep - 1].DecidedAgainst, StatusTable.NameOf(agent.Call.Status));
    }

    private static ActionEnd After(ref HostStep at)
    {
        ref Thread thread = ref at.Thread;
        switch (thread.Agent.Phase)
        {
            case AgentPhase.InGuest when thread.Guest == 0:
                Enter(ref at);
                return ActionEnd.Again;
            case AgentPhase.Halted:
                at.Report(at.Machine.EventOf(HostEvents.ModuleHalt));
                return ActionEnd.Again;
            case AgentPhase.NotModelled:
                at.Report(at.Machine.EventOf(HostEvents.NotModelled));
                return ActionEnd.Again;
            case AgentPhase.Ended:
                End(ref at);
                return ActionEnd.Complete;
            default:
                return ActionEnd.Again;
        }
    }

    // The guest goes on where it was. While it runs, its place is in the thread's locals.
    private static void Enter(ref HostStep at)
    {
        ref Thread thread = ref at.Thread;
        Cell place = HostCells.Guest(at.Vcpu);
        thread.Guest = (ushort)(at.Cells.Read(place) + 1);
        thread.GuestRan = 0;
        if (thread.Guest != 1)
            at.Cells.Write(place, 0);
        at.Traits |= StepTraits.Completes;
        at.Report(at.Machine.EntryEventOf(at.Agent, thread.State));
        at.Found = "the guest runs";
    }

    private static void End(ref HostStep at)
    {
        ref Thread thread = ref at.Thread;
        if (thread.Agent.Call.Held != 0)
            at.Report(at.Machine.EventOf(HostEvents.LockLeaks));
        bool left = thread.Guest != 0;
        if (!left && thread.Agent.Call.FailedStep == 0)
            at.Traits |= StepTraits.Completes;
        if (left)
        {
            if (thread.Guest != 1)
                at.Cells.Write(HostCells.Guest(at.Vcpu), thread.Guest - 1UL);
            thread.Guest = 0;
            thread.GuestRan = 0;
        }

        if (at.Machine.ForgetsEpochsOfVcpus && at.Bound.Vcpu is { } vcpu)
            at.Cells.Write(Cell.Vcpu(TdPages.Tdvpr(vcpu), VcpuField.Epoch), EpochAges.Older);
        if (left || at.Machine.HasSmpCalls)
            ServeIfOn(ref at);

        at.MarkSeamcall(underWay: false);
        at.Answer = new Answer(thread.Agent.Answer);
        thread.Agent = default;
    }

    // A program that leaves interrupts on serves what waited for the guest to leave.
    private static void ServeIfOn(ref HostStep at)
    {
        if ((at.Cells.Read(HostCells.Of(HostCell.Irq, at.Thread.Lp)) & Interrupts.Off) == 0)
            at.ServeIpis();
    }

    // Between two instructions. False: the guest ran on without an access.
    private static bool StepInGuest(ref HostStep at)
    {
        ref Thread thread = ref at.Thread;
        HostWorker worker = at.Worker;
        if (IsInterrupted(ref at))
        {
            Submit(ref at);
            worker.Machine.Interrupt(ref worker.State, ref thread.Agent);
            at.Found = "interrupted";
            return true;
        }

        GuestInstruction instruction = Instruction(at);
        if (at.Machine.Configuration.Interrupts == InterruptMode.Fair)
            thread.GuestRan = 1;
        if (instruction.Op.Kind == GuestInstructionKind.Spin)
        {
            at.Report(at.Machine.EventOf(HostEvents.GuestRuns(at.Bound)));
            Go(ref at, Answer.Of(0));
            return false;
        }

        at.Traits |= StepTraits.Begins;
        Submit(ref at);
        worker.Machine.Step(ref worker.State, ref thread.Agent);
        return true;
    }

    private static bool IsInterrupted(ref HostStep at)
    {
        if (at.Cells.Read(HostCells.Of(HostCell.PendingIpis, at.Thread.Lp)) != 0)
            return true;
        return at.Machine.Configuration.Interrupts switch
        {
            InterruptMode.Absent => false,
            InterruptMode.Fair => at.Thread.GuestRan != 0 && Recurs(ref at),
            _ => at.Chooser.Choose(2) == 1,
        };
    }

    private static bool Recurs(ref HostStep at)
    {
        if (at.Chooser.Choose(2) == 0)
            return false;
        at.Traits |= StepTraits.Recurring;
        return true;
    }

    // An instruction that left to the host without a result is carried out again at the next entry.
    private static void EndInstruction(ref HostStep at)
    {
        ref Thread thread = ref at.Thread;
        ref GuestProgram program = ref at.Worker.Machine.Program(thread.Agent.Call.Vcpu);
        if (program.IsPending)
            return;
        GuestInstructionKind kind = Instruction(at).Op.Kind;
        bool ended = kind == GuestInstructionKind.Vmcall ? thread.Agent.Phase == AgentPhase.Exit : thread.Agent.Phase == AgentPhase.InGuest;
        if (!ended)
            return;
        if (thread.Agent.Call.Held != 0 && thread.Agent.Phase == AgentPhase.InGuest)
            at.Report(at.Machine.EventOf(HostEvents.LockLeaks));
        if (kind == GuestInstructionKind.Tdcall ? program.Result.Registers.Rax == Status.TDX_SUCCESS : program.Result.Completed)
            at.Traits |= StepTraits.Completes;
        Go(ref at, kind switch
        {
            GuestInstructionKind.Tdcall => new Answer(program.Result.Registers),
            GuestInstructionKind.Vmcall => Answer.Of(0),
            _ => Answer.Of(program.Result.Completed ? 0UL : program.Result.VirtualizationException ? 1UL : 2UL),
        });
    }

    private static void Go(ref HostStep at, Answer answer)
    {
        ref Thread thread = ref at.Thread;
        GuestCode code = at.Machine.Configuration.GuestOf(at.Vcpu);
        foreach (ProgramTransition transition in Instruction(at).Transitions)
        {
            if (!transition.When.Holds(answer))
                continue;
            at.Report(transition);
            if (at.Told is not null)
                at.Found = CallText.Of(at.Machine, Instruction(at).Op.Result, answer);
            thread.Guest = (ushort)(code.IndexOf(transition.To) + 1);
            at.Worker.State.SetVcpu(thread.Agent.Call.Vcpu, VcpuField.Rip, Instruction(at).Rip);
            return;
        }
    }

    // What the vCPU's program says is not kept between steps: it follows from the guest's place and the phase.
    private static void Submit(ref HostStep at)
    {
        ref Agent agent = ref at.Thread.Agent;
        ref GuestProgram program = ref at.Worker.Machine.Program(agent.Call.Vcpu);
        program.Submit(Operation(at.Machine, Instruction(at)));
        if (agent.Phase == AgentPhase.VeInfo)
            program.Drop(virtualizationException: true);
    }

    private static GuestInstruction Instruction(in HostStep at) =>
        at.Machine.Configuration.GuestOf(at.Vcpu).Instructions[at.Thread.Guest - 1];

    private static GuestOperation Operation(HostMachine machine, GuestInstruction instruction)
    {
        GuestOp op = instruction.Op;
        ulong gpa = op.Kind == GuestInstructionKind.Vmcall ? 0 : machine.Pages.Gpa(op.Gpa);
        return op.Kind switch
        {
            GuestInstructionKind.Access => new GuestOperation { Kind = GuestOperationKind.Access, Access = op.How, Rip = instruction.Rip, Gpa = gpa },
            GuestInstructionKind.Vmcall => new GuestOperation { Kind = GuestOperationKind.Tdcall, Rip = instruction.Rip, Registers = GuestProgram.Vmcall },
            _ => new GuestOperation
            {
                Kind = GuestOperationKind.Tdcall,
                Rip = instruction.Rip,
                Registers = new RegisterFile
                {
                    Rax = (ulong)op.Leaf,
                    Rcx = op.Leaf == GuestLeaf.TDG_MEM_PAGE_ATTR_RD ? gpa : PageInfo.Of(gpa & ~(SeptLevel.Size(op.Level) - 1), op.Level).Value,
                },
            },
        };
    }
}
