using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>
/// kvm_make_all_cpus_request (facts/kvm.md, 0.3): for each vCPU the request bit, if there is one; cmpxchg of
/// <c>vcpu->mode</c> from IN_GUEST to EXITING; <c>vcpu->cpu</c>. Then an IPI to each processor found, one after the other,
/// and the wait for each of them. Each is a step.
/// </summary>
/// <remarks>
/// An IPI arrives when it is sent: a guest leaves at the next instruction, a host serves it as soon as interrupts are on,
/// and that is the acknowledgement. A later arrival would look the same as a later step of the sender.
/// </remarks>
/// <param name="Request">The request bit; null: none (KVM_REQ_OUTSIDE_GUEST_MODE).</param>
/// <param name="Waits">The sender waits until each IPI was served.</param>
public sealed record KickAction(string? Request, bool Waits) : HostAction
{
    // Thread.Part: the stage in bits 9:8, the vCPU or processor that it is at in bits 7:0, one more than its number.
    private const int StageShift = 8;
    private const int RequestStage = 0;
    private const int ModeStage = 1;
    private const int CpuStage = 2;
    private const int SendStage = 3;
    private const int WaitStage = 4;

    /// <inheritdoc/>
    public override string Text => $"kvm_make_all_cpus_request({Request ?? "KVM_REQ_OUTSIDE_GUEST_MODE"})";

    internal override ActionEnd Run(ref HostStep at)
    {
        ref Thread thread = ref at.Thread;
        (int stage, int number) = Place(thread);
        switch (stage)
        {
            case RequestStage:
                at.ChangeVcpuBits(HostCell.Requests, number, set: at.Machine.RequestBit(Request!), clear: 0);
                return To(ref at, ModeStage, number);
            case ModeStage:
                return SwapMode(ref at, number) ? To(ref at, CpuStage, number) : NextVcpu(ref at, number);
            case CpuStage:
                int cpu = (int)at.Cells.Read(HostCells.Of(HostCell.VcpuCpu, number)) - 1;
                if (cpu >= 0 && cpu != thread.Lp)
                    thread.KickMask |= (ushort)(1 << cpu);
                return NextVcpu(ref at, number);
            case SendStage:
                at.Send(number);
                return NextProcessor(ref at, SendStage, number + 1);
            default:
                if (at.IsPending(number))
                    return ActionEnd.Wait;
                return NextProcessor(ref at, WaitStage, number + 1);
        }
    }

    internal override string Describe(HostMachine machine, in Thread thread)
    {
        (int stage, int number) = Place(thread);
        return stage switch
        {
            RequestStage => $"kick: {Request} for vCPU {number}",
            ModeStage => $"kick: cmpxchg vCPU {number} mode IN_GUEST -> EXITING",
            CpuStage => $"kick: reads cpu of vCPU {number}",
            SendStage => $"kick: IPI to LP {number}",
            _ => $"kick: LP {number} has served the IPI",
        };
    }

    private (int Stage, int Number) Place(in Thread thread) => thread.Part == 0
        ? (Request is null ? ModeStage : RequestStage, 0)
        : (thread.Part >> StageShift, (thread.Part & 0xFF) - 1);

    // With WAIT an IPI is wanted unless the vCPU is outside; a plain request only wants one from IN_GUEST.
    private bool SwapMode(ref HostStep at, int vcpu)
    {
        Cell cell = HostCells.Of(HostCell.Mode, vcpu);
        var old = (VcpuMode)at.Cells.Read(cell);
        if (old == VcpuMode.IN_GUEST_MODE)
            at.Cells.Write(cell, (ulong)VcpuMode.EXITING_GUEST_MODE);
        return Waits ? old != VcpuMode.OUTSIDE_GUEST_MODE : old == VcpuMode.IN_GUEST_MODE;
    }

    private ActionEnd NextVcpu(ref HostStep at, int vcpu) => vcpu + 1 < at.Machine.Configuration.Td.Vcpus
        ? To(ref at, Request is null ? ModeStage : RequestStage, vcpu + 1)
        : NextProcessor(ref at, SendStage, 0);

    private ActionEnd NextProcessor(ref HostStep at, int stage, int from)
    {
        for (int lp = from; lp < at.Machine.LpCount; lp++)
        {
            if ((at.Thread.KickMask >> lp & 1) != 0)
                return To(ref at, stage, lp);
        }

        if (stage == SendStage && Waits && at.Thread.KickMask != 0)
            return NextProcessor(ref at, WaitStage, 0);
        at.Thread.KickMask = 0;
        return ActionEnd.Complete;
    }

    private static ActionEnd To(ref HostStep at, int stage, int number)
    {
        at.Thread.Part = (ushort)((stage << StageShift) | (number + 1));
        return ActionEnd.Again;
    }
}
