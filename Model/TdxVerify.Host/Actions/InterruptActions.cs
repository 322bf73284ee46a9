using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>local_irq_disable: interrupts that are sent to this processor wait.</summary>
public sealed record IrqOffAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "local_irq_disable";

    internal override ActionEnd Run(ref HostStep at)
    {
        Cell cell = HostCells.Of(HostCell.Irq, at.Thread.Lp);
        at.Cells.Write(cell, at.Cells.Read(cell) | Interrupts.Off);
        return ActionEnd.Complete;
    }
}

/// <summary>local_irq_enable: interrupts that waited are served, and their senders go on.</summary>
public sealed record IrqOnAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "local_irq_enable";

    internal override ActionEnd Run(ref HostStep at)
    {
        Cell cell = HostCells.Of(HostCell.Irq, at.Thread.Lp);
        at.Cells.Write(cell, at.Cells.Read(cell) & ~Interrupts.Off);
        at.ServeIpis();
        return ActionEnd.Complete;
    }
}

/// <summary>
/// A host interrupt becomes pending, or is served, on every processor: interruptible SEAMCALLs look at it. Interrupts that
/// make a guest leave are <see cref="Configuration.Interrupts"/>.
/// </summary>
/// <param name="Pending">It becomes pending.</param>
public sealed record SetHostInterruptAction(bool Pending) : HostAction
{
    /// <inheritdoc/>
    public override string Text => Pending ? "an interrupt becomes pending" : "the interrupt is served";

    internal override ActionEnd Run(ref HostStep at)
    {
        at.Cells.Write(new Cell(ChangeKind.Global, 0, (int)GlobalField.InterruptPending), Pending ? 1UL : 0);
        return ActionEnd.Complete;
    }
}

/// <summary>What a processor does with interrupts, as bits, and what waits for it: IPIs in bits 31:0, functions in bits 63:32, by sender.</summary>
internal static class Interrupts
{
    private const int FunctionShift = 32;

    /// <summary>They are off.</summary>
    public const ulong Off = 1;

    /// <summary>A function that another thread sent runs there (smp_call_function_single).</summary>
    public const ulong InHandler = 2;

    /// <summary>A SEAMCALL is under way there; kept only where functions are sent.</summary>
    public const ulong InSeamcall = 4;

    /// <summary>The functions that wait.</summary>
    public static ulong Functions(ulong pending) => pending >> FunctionShift << FunctionShift;

    /// <summary>The bit of an agent's function.</summary>
    public static ulong Function(int agent) => 1UL << (agent + FunctionShift);

    /// <summary>The same with agents renamed.</summary>
    public static ulong Rename(ulong pending, Func<int, int> rename) =>
        Renaming.Bits(pending, bit => rename(bit % FunctionShift) + (bit / FunctionShift * FunctionShift));
}

/// <summary>
/// smp_call_function_single(vcpu->cpu, ..., wait): what follows, up to <see cref="SmpCallEndAction"/>, runs on the
/// processor of the thread's vCPU, between two instructions of what that processor does with interrupts on.
/// </summary>
/// <remarks>
/// The thread itself carries the function out there, as if it were the handler; whoever runs on that processor waits
/// meanwhile, and does nothing more with interrupts on before. On its own processor the function is simply called. No: the vCPU is on no processor.
/// </remarks>
public sealed record SmpCallBeginAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "smp_call_function_single(vcpu->cpu)";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.YesNo;

    internal override bool NeedsVcpu => true;

    internal override ActionEnd Run(ref HostStep at)
    {
        if (at.Thread.Part == 0)
        {
            int cpu = (int)at.Cells.Read(HostCells.Of(HostCell.VcpuCpu, at.Vcpu)) - 1;
            at.Answer = Answer.Of(cpu >= 0);
            if (cpu < 0)
                return ActionEnd.Complete;
            if (cpu == at.Thread.Lp)
                return ActionEnd.Complete;
            Cell waiting = HostCells.Of(HostCell.PendingIpis, cpu);
            at.Cells.Write(waiting, at.Cells.Read(waiting) | Interrupts.Function(at.Agent));
            at.Thread.Part = (ushort)(cpu + 1);
            return ActionEnd.Again;
        }

        int target = at.Thread.Part - 1;
        Cell irq = HostCells.Of(HostCell.Irq, target);
        if (at.Cells.Read(irq) != 0 || at.Cells.Read(Cell.Lp(target, LpField.RunningVcpu)) != 0)
            return ActionEnd.Wait;
        at.Cells.Write(irq, Interrupts.InHandler | Interrupts.Off);
        at.Thread.HomeLp = (byte)(at.Thread.Lp + 1);
        at.Thread.Lp = (byte)target;
        at.Answer = Answer.Of(true);
        return ActionEnd.Complete;
    }

    internal override string Describe(HostMachine machine, in Thread thread) =>
        thread.Part == 0 ? $"{Text}: IPI sent" : $"{Text}: the handler begins on LP {thread.Part - 1}";
}

/// <summary>The end of the function that <see cref="SmpCallBeginAction"/> sent: the thread is back on its own processor.</summary>
public sealed record SmpCallEndAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "the function sent has ended";

    internal override ActionEnd Run(ref HostStep at)
    {
        if (at.Thread.HomeLp == 0)
            return ActionEnd.Complete;
        Cell waiting = HostCells.Of(HostCell.PendingIpis, at.Thread.Lp);
        at.Cells.Write(HostCells.Of(HostCell.Irq, at.Thread.Lp), 0);
        at.Cells.Write(waiting, Interrupts.Functions(at.Cells.Read(waiting)) & ~Interrupts.Function(at.Agent));
        at.Thread.Lp = (byte)(at.Thread.HomeLp - 1);
        at.Thread.HomeLp = 0;
        return ActionEnd.Complete;
    }
}

/// <summary><c>vcpu->cpu</c> of the thread's vCPU: this processor, or none (-1).</summary>
/// <param name="Here">This processor.</param>
public sealed record SetVcpuCpuAction(bool Here) : HostAction
{
    /// <inheritdoc/>
    public override string Text => Here ? "vcpu->cpu = this CPU" : "vcpu->cpu = -1";

    internal override bool NeedsVcpu => true;

    internal override ActionEnd Run(ref HostStep at)
    {
        at.Cells.Write(HostCells.Of(HostCell.VcpuCpu, at.Vcpu), Here ? at.Thread.Lp + 1UL : 0);
        return ActionEnd.Complete;
    }
}

/// <summary><c>vcpu->cpu</c> of the thread's vCPU is the processor that it runs on.</summary>
public sealed record TestVcpuCpuAction : HostAction
{
    /// <inheritdoc/>
    public override string Text => "vcpu->cpu == this CPU?";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.YesNo;

    internal override bool NeedsVcpu => true;

    internal override ActionEnd Run(ref HostStep at)
    {
        at.Answer = Answer.Of(at.Cells.Read(HostCells.Of(HostCell.VcpuCpu, at.Vcpu)) == at.Thread.Lp + 1UL);
        return ActionEnd.Complete;
    }
}

/// <summary>The scheduler moves the thread to another processor.</summary>
/// <param name="Lp">The processor.</param>
public sealed record MoveToAction(int Lp) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"the scheduler moves the thread to LP {Lp}";

    internal override bool IsLocal => true;

    internal override ActionEnd Run(ref HostStep at)
    {
        at.Thread.Lp = (byte)Lp;
        return ActionEnd.Complete;
    }
}
