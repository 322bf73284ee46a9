using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>What the step about to be made of a SEAMCALL or of a guest does, in words.</summary>
internal static class CallText
{
    public static string Of(HostMachine machine, SeamcallAction action, in Thread thread)
    {
        Agent agent = thread.Agent;
        if (agent.Phase == AgentPhase.Idle)
            return $"{NameOf(machine, action, thread)}: begins";
        string what = agent.Phase switch
        {
            AgentPhase.HostDispatch or AgentPhase.HostLeaf => action.Text,
            AgentPhase.Exit => "TD exit",
            _ => $"guest: {Instruction(machine, thread)}",
        };
        return agent.Phase is AgentPhase.InGuest ? what : $"{what}: {machine.Leaves.All[agent.List].Steps[agent.Step].Text}";
    }

    /// <summary>A SEAMCALL with what it works on.</summary>
    public static string NameOf(HostMachine machine, SeamcallAction action, in Thread thread)
    {
        IEnumerable<OperandKind> operands = LeafOperands.Of(action.Leaf).Select(operand => operand.Kind);
        if (operands.Any(kind => kind is OperandKind.PageInfo or OperandKind.Gpa))
            return $"{action.Text} gpa{thread.Gpa}";
        return action.Leaf == HostLeaf.TDH_PHYMEM_PAGE_WBINVD || action.Leaf == HostLeaf.TDH_PHYMEM_PAGE_RECLAIM ? $"{action.Text} page of gpa{thread.Gpa}" : action.Text;
    }

    /// <summary>What an answer says, in words.</summary>
    public static string Of(HostMachine machine, ResultKind kind, Answer answer) => kind switch
    {
        ResultKind.YesNo => answer.Status != 0 ? "yes" : "no",
        ResultKind.Spte => answer.Status switch { MirrorSpte.None => "none", MirrorSpte.Frozen => "frozen", _ => "present" },
        ResultKind.Access => answer.Status switch { 0 => "done", 1 => "#VE", _ => "#PF" },
        ResultKind.Status or ResultKind.Returned => answer.Code ?? Status(machine, answer),
        _ => "",
    };

    /// <summary>A status in words.</summary>
    public static string NameOf(ulong status) => status == UnusedAnswers.Forgotten ? HostMachine.ForgottenError : StatusTable.NameOf(status);

    /// <summary>How a step that decided against a call did so.</summary>
    public static string Failure(HostMachine machine, in Agent before, in Agent after)
    {
        Call call = after.Call;
        string how = call.End switch
        {
            CallEnd.Returned => StatusTable.NameOf(call.Status),
            CallEnd.AccessDone => "the page is mapped",
            CallEnd.EptViolation => "EPT violation",
            CallEnd.EmulatedEptViolation => "a listed GPA still faults, the guest does not run",
            CallEnd.VirtualizationException => "#VE",
            _ => call.End.ToString(),
        };
        bool isLock = before.CanStep && before.Phase != AgentPhase.InGuest && machine.Leaves.All[before.List].Steps[before.Step].Kind == StepKind.Lock;
        return isLock ? $"refused: {how}" : how;
    }

    // TDH.VP.ENTER returns the reason of the TD exit.
    private static string Status(HostMachine machine, Answer answer)
    {
        ulong status = answer.Status;
        if (status == (ulong)ExitReason.EptViolation)
            return $"{When.NameOf(ExitReason.EptViolation)}{Kind(answer)}{(machine.Pages.GpaAt(answer.Registers.R8) is var gpa and >= 0 ? $" gpa{gpa}" : "")}";
        if (status is 0 or > uint.MaxValue || !Enum.IsDefined((ExitReason)status))
            return NameOf(status);
        return When.NameOf((ExitReason)status);
    }

    private static string Kind(Answer answer)
    {
        if (When.PendingViolation.Holds(answer))
            return " of a pending page";
        return When.AcceptViolation.Holds(answer) ? " of an ACCEPT" : "";
    }

    private static string Instruction(HostMachine machine, in Thread thread) => machine.InstructionOf(thread)?.Op.ToString() ?? "";
}
