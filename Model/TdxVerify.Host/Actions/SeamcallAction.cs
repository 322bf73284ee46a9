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

    internal override Remembered Reads => All().Aggregate(Remembered.None, (all, operand) => all | operand.Operand.Needs);

    internal override bool NeedsVcpu => All().Any(operand => operand.Operand.NeedsVcpu);

    internal override IEnumerable<string> CountersRead => Operands.Values.Select(operand => operand.Counter).OfType<string>();

    internal override ActionEnd Run(ref HostStep at)
    {
        if (at.Thread.Agent.Phase == AgentPhase.Idle)
        {
            at.Traits |= StepTraits.Begins;
            at.MarkSeamcall(underWay: true);
            at.Worker.Machine.Begin(ref at.Worker.State, ref at.Thread.Agent, at.Thread.Lp, Registers(ref at));
            if (at.Told is not null && at.Thread.Agent.CanStep)
                at.Found = at.Machine.Leaves.All[at.Thread.Agent.List].Steps[at.Thread.Agent.Step].Text;
        }

        return GuestRun.StepCall(ref at);
    }

    internal override string Describe(HostMachine machine, in Thread thread) => CallText.Of(machine, this, thread);

    private RegisterFile Registers(ref HostStep at)
    {
        var registers = new RegisterFile { Rax = (ulong)Leaf | ((ulong)Version << VersionShift) };
        foreach ((Register register, Operand operand) in All())
            registers[register] = operand.Value(at.Machine, at.Thread, at.Bound, Level);
        return registers;
    }

    // The leaf's operands, and further registers that the action names.
    private IEnumerable<(Register Register, Operand Operand)> All() =>
        LeafOperands.Of(Leaf).Where(operand => !Operands.ContainsKey(operand.Register)).Select(operand => (operand.Register, Operand.Default(Leaf, operand)))
            .Concat(Operands.Select(operand => (operand.Key, operand.Value)));
}
