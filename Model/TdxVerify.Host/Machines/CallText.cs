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
            return $"{action.Text}{Operands(action, thread)}: begins";
        string what = agent.Phase switch
        {
            AgentPhase.HostDispatch or AgentPhase.HostLeaf => action.Text,
            AgentPhase.Exit => "TD exit",
            _ => $"guest: {Instruction(machine, thread)}",
        };
        return agent.Phase is AgentPhase.InGuest ? what : $"{what}: {machine.Leaves.All[agent.List].Steps[agent.Step].Text}";
    }

    /// <summary>What an answer says, in words.</summary>
    public static string Of(ResultKind kind, Answer answer) => kind switch
    {
        ResultKind.YesNo => answer.Status != 0 ? "yes" : "no",
        ResultKind.Spte => answer.Status switch { MirrorSpte.None => "none", MirrorSpte.Frozen => "frozen", _ => "present" },
        ResultKind.Access => answer.Status switch { 0 => "done", 1 => "#VE", _ => "#PF" },
        ResultKind.Status or ResultKind.Returned => answer.Code ?? Status(answer.Status),
        _ => "",
    };

    /// <summary>How a step that decided against a call did so.</summary>
    public static string Failure(HostMachine machine, in Agent before, in Agent after)
    {
        Call call = after.Call;
        string how = call.End switch
        {
            CallEnd.Returned => StatusTable.NameOf(call.Status),
            CallEnd.AccessDone => "the page is mapped",
            CallEnd.EptViolation or CallEnd.EmulatedEptViolation => "EPT violation",
            CallEnd.VirtualizationException => "#VE",
            _ => call.End.ToString(),
        };
        bool isLock = before.CanStep && before.Phase != AgentPhase.InGuest && machine.Leaves.All[before.List].Steps[before.Step].Kind == StepKind.Lock;
        return isLock ? $"refused: {how}" : how;
    }

    // TDH.VP.ENTER returns the reason of the TD exit.
    private static string Status(ulong status) =>
        status is > 0 and <= uint.MaxValue && Enum.IsDefined((ExitReason)status) ? $"TD exit: {(ExitReason)status}" : StatusTable.NameOf(status);

    private static string Operands(SeamcallAction action, in Thread thread) =>
        LeafOperands.Of(action.Leaf).Any(operand => operand.Kind is OperandKind.PageInfo or OperandKind.Gpa) ? $" gpa{thread.Gpa}" : "";

    private static string Instruction(HostMachine machine, in Thread thread) => machine.InstructionOf(thread)?.Op.ToString() ?? "";
}
