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

    private static string Operands(SeamcallAction action, in Thread thread) =>
        LeafOperands.Of(action.Leaf).Any(operand => operand.Kind is OperandKind.PageInfo or OperandKind.Gpa) ? $" gpa{thread.Gpa}" : "";

    private static string Instruction(HostMachine machine, in Thread thread) => machine.InstructionOf(thread)?.Op.ToString() ?? "";
}
