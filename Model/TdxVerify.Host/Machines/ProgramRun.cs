using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>Carries out the programs of a configuration, a step at a time.</summary>
/// <param name="machine">The machine.</param>
/// <param name="programs">The programs.</param>
/// <param name="names">What they call by name.</param>
internal sealed class ProgramRun(HostMachine machine, CompiledPrograms programs, HostNames names)
{
    // Above every status, with the number of a code below it.
    private const ulong CodeTag = 0x7C00_0000_0000_0000;

    private const int LocalStates = 1000;

    /// <summary>One access, with the local work before and after it. False: there is none to be made now.</summary>
    public bool Run(ref HostStep at)
    {
        bool accessed = false;
        for (int i = 0; i < LocalStates; i++)
        {
            CompiledState state = programs.States[at.Thread.State];
            HostAction action = state.State.Action;
            if (!action.IsLocal)
            {
                if (accessed)
                    return true;
                if (machine.HasSmpCalls && IsHeldUp(at))
                    return false;
                accessed = true;
            }

            switch (action)
            {
                case CallAction:
                    at.Thread.Callers[at.Thread.CallerCount++] = at.Thread.State;
                    at.Thread.State = (ushort)state.Callee;
                    break;
                case ReturnAction give:
                    Return(ref at, give);
                    break;
                case DoneAction:
                    End(ref at);
                    break;
                default:
                    string? text = at.Told is null ? null : action.Describe(machine, at.Thread);
                    ActionEnd end = action.Run(ref at);
                    if (end == ActionEnd.Wait)
                        return false;
                    if (text is not null)
                        Tell(ref at, text, action, end);
                    if (end == ActionEnd.Again)
                        return true;
                    Leave(ref at, state);
                    break;
            }

            if (at.Thread.State == HostMachine.Finished)
                return true;
        }

        throw new ProgramException($"{at.Bound.Name}: goes on without an access to shared state.");
    }

    // An interrupt handler that another thread sent runs, or has to run, on the thread's processor.
    private static bool IsHeldUp(in HostStep at)
    {
        if (at.Thread.HomeLp != 0)
            return false;
        ulong irq = at.Cells.Read(HostCells.Of(HostCell.Irq, at.Thread.Lp));
        return (irq & Interrupts.InHandler) != 0
            || (irq == 0 && Interrupts.Functions(at.Cells.Read(HostCells.Of(HostCell.PendingIpis, at.Thread.Lp))) != 0);
    }

    private static void Tell(ref HostStep at, string text, HostAction action, ActionEnd end)
    {
        string found = at.Found ?? "";
        StepRefusal? refusal = at.Refusal;
        at.Found = null;
        at.Refusal = null;
        string? answer = end == ActionEnd.Complete ? CallText.Of(at.Machine, action.Result, at.Answer) : null;
        if (action is not GotoAction)
            at.Told!.Add(new StepLine(action, text, found, answer) { Refusal = refusal });
    }

    private void Leave(ref HostStep at, CompiledState state)
    {
        ref Thread thread = ref at.Thread;
        thread.Part = 0;
        if (state.State.Action.Result is ResultKind.Status)
            thread.Result = at.Answer.Status;
        Go(ref at, state);
    }

    private void Go(ref HostStep at, CompiledState state)
    {
        ref Thread thread = ref at.Thread;
        for (int i = 0; i < state.Next.Length; i++)
        {
            ProgramTransition transition = state.State.Transitions[i];
            if (!transition.When.Holds(at.Answer))
                continue;
            if (transition.TakesGpa)
                TakeGpa(ref at);
            at.Report(transition);
            thread.State = (ushort)state.Next[i];
            return;
        }

        throw new ProgramException($"{state.Program.Name}: state {state.State.Name} does not say what follows from {at.Answer.Code ?? StatusTable.NameOf(at.Answer.Status)}.");
    }

    private void Return(ref HostStep at, ReturnAction give)
    {
        ref Thread thread = ref at.Thread;
        if (thread.CallerCount == 0)
        {
            End(ref at);
            return;
        }

        if (!give.IsPlain)
        {
            if (give.Code is { } code)
                thread.Result = CodeTag | (uint)names.CodeOf(code);
            at.Answer = (thread.Result & CodeTag) == CodeTag
                ? new Answer(default, names.Code((int)(uint)thread.Result))
                : Answer.Of(thread.Result);
        }

        ref ushort caller = ref thread.Callers[--thread.CallerCount];
        CompiledState state = programs.States[caller];
        caller = 0;
        Go(ref at, state);
    }

    private void End(ref HostStep at)
    {
        ref Thread thread = ref at.Thread;
        if (thread.Left != HostAgent.Endless && --thread.Left == 0)
            thread = new Thread { State = HostMachine.Finished };
        else
            Begin(ref thread, at.Agent);
    }

    /// <summary>The program begins.</summary>
    public void Begin(ref Thread thread, int agent)
    {
        HostAgent bound = machine.Configuration.Agents[agent];
        thread = new Thread { Left = thread.Left, State = (ushort)programs.StartOf(bound.Program), Gpa = bound.FirstGpa, Lp = (byte)bound.Lp };
    }

    private bool GuestLooks(in Thread thread) =>
        machine.InstructionOf(thread) is { } instruction && instruction.Transitions.Any(transition => !ReferenceEquals(transition.When, When.Anything));

    private void TakeGpa(ref HostStep at)
    {
        int gpa = machine.Pages.GpaAt(at.Answer.Registers.R8);
        if (gpa < 0)
            throw new ProgramException($"{at.Bound.Name}: GPA {at.Answer.Registers.R8:x} is none of the configuration's.");
        at.Thread.Gpa = (byte)gpa;
    }

    private void Forget(ref Thread thread, LooksAt looksAt)
    {
        UnusedAnswers.Forget(ref thread.Agent, looksAt, GuestLooks(thread));
        if (machine.ForgetsLockBits)
            UnusedAnswers.ForgetLockBits(ref thread.Agent);
    }

    /// <summary>Clears what no later step needs.</summary>
    public void Forget(ref HostStep at)
    {
        ref Thread thread = ref at.Thread;
        if (thread.State == HostMachine.Finished || machine.Configuration.KeepsAll)
            return;
        LooksAt looksAt = machine.Configuration.ForgetsUnread ? programs.States[thread.State].LooksAt : LooksAt.Everything;
        if (machine.Configuration.ForgetsUnread)
            Forget(ref thread, looksAt);
        if (thread.Agent.Phase != AgentPhase.Idle)
            at.Worker.Trimmer.Trim(ref thread.Agent, answerIsRead: looksAt == LooksAt.Everything);
        Remembered live = programs.States[thread.State].Live;
        if (!live.HasFlag(Remembered.Result))
            thread.Result = 0;
        if (!live.HasFlag(Remembered.Page))
            thread.Page = 0;
        if (!live.HasFlag(Remembered.Gpa))
            thread.Gpa = at.Bound.FirstGpa;
        for (int counter = 0; counter < Counters.Count; counter++)
        {
            if (((int)live >> counter & (int)Remembered.FirstCounter) == 0)
                thread.Counters[counter] = 0;
        }

        if (thread.HasSnapshot == 0 || live.HasFlag(Remembered.Snapshot))
            return;
        thread.HasSnapshot = 0;
        Cell snapshots = HostCells.Of(HostCell.InvalidateSnapshots);
        at.Cells.Write(snapshots, at.Cells.Read(snapshots) & ~(1UL << at.Agent));
    }
}
