using System.Numerics;
using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>
/// kvm_make_all_cpus_request (facts/kvm.md, 0.3): for each vCPU the request bit, if there is one; cmpxchg of
/// <c>vcpu->mode</c> from IN_GUEST to EXITING; <c>vcpu->cpu</c>. Then an IPI to each processor found, one after the other,
/// and the wait for each of them. Each is a step.
/// </summary>
/// <remarks>
/// vCPUs are kicked in the order of their numbers, unless the configuration says any order (<see cref="Configuration.KicksInAnyOrder"/>).
/// An IPI arrives when it is sent: a guest leaves at the next instruction, a host serves it as soon as interrupts are on,
/// and that is the acknowledgement. A later arrival would look the same as a later step of the sender.
/// </remarks>
/// <param name="Request">The request bit; null: none (KVM_REQ_OUTSIDE_GUEST_MODE).</param>
/// <param name="Waits">The sender waits until each IPI was served.</param>
public sealed record KickAction(string? Request, bool Waits) : HostAction
{
    // Thread.Part: the stage in bits 9:8, the vCPU or processor that it is at, one more than its number, in bits 7:0.
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
        if (thread.Part == 0)
        {
            at.Traits |= StepTraits.Begins;
            NextVcpu(ref at);
        }

        (int stage, int number) = Place(thread);
        switch (stage)
        {
            case RequestStage:
                at.ChangeVcpuBits(HostCell.Requests, number, set: at.Machine.RequestBit(Request!), clear: 0);
                return To(ref at, ModeStage, number);
            case ModeStage:
                return SwapMode(at, number) ? To(ref at, CpuStage, number) : NextVcpu(ref at);
            case CpuStage:
                int cpu = (int)at.Cells.Read(HostCells.Of(HostCell.VcpuCpu, number)) - 1;
                if (cpu >= 0 && cpu != thread.Lp)
                    thread.KickMask |= (byte)(1 << cpu);
                return NextVcpu(ref at);
            case SendStage:
                at.Send(number);
                return NextProcessor(ref at);
            default:
                return HaveServed(at) ? End(ref at) : ActionEnd.Wait;
        }
    }

    internal override string Describe(HostMachine machine, in Thread thread)
    {
        (int stage, int number) = Place(thread);
        return stage switch
        {
            _ when thread.Part == 0 => "kick begins",
            RequestStage => $"kick: {Request} for vCPU {number}",
            ModeStage => $"kick: cmpxchg vCPU {number} mode IN_GUEST -> EXITING",
            CpuStage => $"kick: reads cpu of vCPU {number}",
            SendStage => $"kick: IPI to LP {number}",
            _ => "kick: every IPI is served",
        };
    }

    /// <summary>How far a kick is, with vCPUs and processors renamed.</summary>
    internal static ushort Rename(ushort part, Func<int, int> vcpu, Func<int, int> lp)
    {
        int stage = part >> StageShift;
        int number = (part & 0xFF) - 1;
        return part == 0 || stage == WaitStage ? part : Part(stage, stage == SendStage ? lp(number) : vcpu(number));
    }

    private static ushort Part(int stage, int number) => (ushort)((stage << StageShift) | (number + 1));

    private static (int Stage, int Number) Place(in Thread thread) => (thread.Part >> StageShift, (thread.Part & 0xFF) - 1);

    // With WAIT an IPI is wanted unless the vCPU is outside; a plain request only wants one from IN_GUEST.
    private bool SwapMode(in HostStep at, int vcpu)
    {
        Cell cell = HostCells.Of(HostCell.Mode, vcpu);
        var old = (VcpuMode)at.Cells.Read(cell);
        if (old == VcpuMode.IN_GUEST_MODE)
            at.Cells.Write(cell, (ulong)VcpuMode.EXITING_GUEST_MODE);
        return Waits ? old != VcpuMode.OUTSIDE_GUEST_MODE : old == VcpuMode.IN_GUEST_MODE;
    }

    private ActionEnd NextVcpu(ref HostStep at)
    {
        int left = ((1 << at.Machine.Configuration.Td.Vcpus) - 1) & ~at.Thread.KickedVcpus;
        if (left == 0)
            return NextProcessor(ref at);
        int vcpu = Pick(at, left);
        at.Thread.KickedVcpus |= (byte)(1 << vcpu);
        return To(ref at, Request is null ? ModeStage : RequestStage, vcpu);
    }

    private ActionEnd NextProcessor(ref HostStep at)
    {
        int left = at.Thread.KickMask & ~at.Thread.SentMask;
        if (left == 0)
            return Waits && at.Thread.KickMask != 0 ? To(ref at, WaitStage, 0) : End(ref at);
        int lp = Pick(at, left);
        at.Thread.SentMask |= (byte)(1 << lp);
        return To(ref at, SendStage, lp);
    }

    private static int Pick(in HostStep at, int left)
    {
        int place = at.Machine.Configuration.KicksInAnyOrder ? at.Chooser.Choose(BitOperations.PopCount((uint)left)) : 0;
        while (place-- > 0)
            left &= left - 1;
        return BitOperations.TrailingZeroCount(left);
    }

    private static bool HaveServed(in HostStep at)
    {
        for (int left = at.Thread.KickMask; left != 0; left &= left - 1)
        {
            if (at.IsPending(BitOperations.TrailingZeroCount(left)))
                return false;
        }

        return true;
    }

    private static ActionEnd End(ref HostStep at)
    {
        at.Thread.KickMask = 0;
        at.Thread.SentMask = 0;
        at.Thread.KickedVcpus = 0;
        return ActionEnd.Complete;
    }

    private static ActionEnd To(ref HostStep at, int stage, int number)
    {
        at.Thread.Part = Part(stage, number);
        return ActionEnd.Again;
    }
}
