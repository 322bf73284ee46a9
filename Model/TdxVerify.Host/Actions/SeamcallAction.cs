using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>
/// A SEAMCALL, carried out one visible access at a time. For TDH.VP.ENTER it includes what the guest does until it
/// leaves.
/// </summary>
/// <param name="Leaf">The leaf.</param>
/// <param name="Level">The level of the S-EPT entry, for leaves that name one.</param>
/// <param name="Version">The version.</param>
/// <param name="Operands">Operands other than those that the agent's bindings give.</param>
public sealed record SeamcallAction(HostLeaf Leaf, int Level, int Version, IReadOnlyDictionary<Register, Operand> Operands) : HostAction
{
    private const int VersionShift = 16;

    /// <inheritdoc/>
    public override string Text => $"{Leaf.Name()}{(Level > 0 ? $" level {Level}" : "")}{(Version > 0 ? $" version {Version}" : "")}";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.Status;

    internal override Remembered Reads => UsesPage ? Remembered.Gpa | Remembered.Page : Remembered.Gpa;

    internal override IEnumerable<string> CountersRead => Operands.Values.Select(operand => operand.Counter).OfType<string>();

    private bool UsesPage => Operands.Values.Any(operand => operand == Operand.ReadPage);

    internal override ActionEnd Run(ref HostStep at)
    {
        if (at.Thread.Agent.Phase == AgentPhase.Idle)
            at.Worker.Machine.Begin(ref at.Worker.State, ref at.Thread.Agent, at.Thread.Lp, Registers(ref at));
        return GuestRun.StepCall(ref at);
    }

    internal override string Describe(HostMachine machine, in Thread thread) => CallText.Of(machine, this, thread);

    private RegisterFile Registers(ref HostStep at)
    {
        var registers = new RegisterFile { Rax = (ulong)Leaf | ((ulong)Version << VersionShift) };
        foreach (LeafOperand operand in LeafOperands.Of(Leaf))
            registers[operand.Register] = Operands.GetValueOrDefault(operand.Register, Operand.Default(Leaf, operand)).Value(at.Machine, at.Thread, at.Bound, Level);
        foreach ((Register register, Operand operand) in Operands)
            registers[register] = operand.Value(at.Machine, at.Thread, at.Bound, Level);
        return registers;
    }
}
