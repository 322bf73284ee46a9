using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>What TDH.VP.ENTER, the guest's stay and the TD exit leave behind (facts/checks.md, facts/epoch.md, facts/guest.md).</summary>
internal static class GuestEffects
{
    /// <summary>TDH.VP.ENTER, up to where it fails or enters.</summary>
    public static void Enter(Observation o, CallFacts c, Expectations x, bool entered)
    {
        if (!c.SampledEpoch)
            return;
        ulong epoch = o.TdBefore(c.Td, TdField.Epoch);
        TdField running = (epoch & 1) == 0 ? TdField.RefCountEven : TdField.RefCountOdd;
        bool isInside = entered && o.Kind == TraceEventKind.Enter;
        x.TdMoves(c.Td, running, isInside ? 1 : 0);
        x.Vcpu(c.Vcpu, VcpuField.Epoch, epoch);
        x.Lp(c.Lp, LpField.RipAtEntry, o.VcpuBefore(c.Vcpu, VcpuField.Rip));
        bool isOtherVcpu = o.LpBefore(c.Lp, LpField.LastVcpu) != (ulong)c.Vcpu + 1;
        bool isOldEpoch = o.VcpuBefore(c.Vcpu, VcpuField.Epoch) != epoch && !c.IsNewlyAssociated;
        if (isOldEpoch || (entered && isOtherVcpu))
            x.InvalidateEpt(c.Lp, c.Td);
        if (!entered)
            return;
        x.Lp(c.Lp, LpField.LastVcpu, (ulong)c.Vcpu + 1);
        x.Lp(c.Lp, LpField.RunningVcpu, isInside ? (ulong)c.Vcpu + 1 : 0);
        x.Vcpu(c.Vcpu, VcpuField.State, (ulong)(isInside ? VcpuState.VCPU_ACTIVE : VcpuState.VCPU_READY));
    }

    /// <summary>TDH.VP.ENTER that emulated an EPT violation.</summary>
    public static void EmulatedViolation(CallFacts c, Expectations x) => x.Vcpu(c.Vcpu, VcpuField.LastExit, (ulong)LastTdExit.ASYNC_FAULT);

    /// <summary>The TD exit, and what the zero-step law looks at.</summary>
    public static void Exit(Observation o, int vcpu, Expectations x)
    {
        bool isFault = o.Guest.Kind != GuestOperationKind.Idle && o.Guest.End is CallEnd.EptViolation or CallEnd.InterruptExit;
        x.Vcpu(vcpu, VcpuField.LastExit, (ulong)(isFault ? LastTdExit.ASYNC_FAULT : LastTdExit.TDVMCALL));
        x.AnyVcpu(vcpu, VcpuField.Rip);
        x.AnyVcpu(vcpu, VcpuField.FaultCount);
        x.AnyVcpu(vcpu, VcpuField.FaultListLength);
        x.AnyFaultingGpa(vcpu);
        if (o.Kind != TraceEventKind.Exit)
            return;
        int td = o.State.Holder((int)o.State.Pamt(new PamtRef(0, (int)o.State.Vcpu(vcpu, VcpuField.TdvprPage)), PamtField.Owner) - 1);
        TdField running = (o.VcpuBefore(vcpu, VcpuField.Epoch) & 1) == 0 ? TdField.RefCountEven : TdField.RefCountOdd;
        x.TdMoves(td, running, -1);
        x.Vcpu(vcpu, VcpuField.State, (ulong)VcpuState.VCPU_READY);
        x.Lp(o.Lp, LpField.RunningVcpu, 0);
    }

    /// <summary>What the guest's operation did.</summary>
    public static void Operation(Observation o, CallVerdict call, Expectations x)
    {
        CallFacts c = call.Facts;
        bool isAccept = o.Guest.Kind == GuestOperationKind.Tdcall && LeafNames.Number(c.In.Rax) == (int)GuestLeaf.TDG_MEM_PAGE_ACCEPT;
        if (call.End == CallEnd.VirtualizationException)
        {
            // The handler reads the VE information at once.
            x.Vcpu(c.Vcpu, VcpuField.VeValid, 0);
            x.Vcpu(c.Vcpu, VcpuField.VeExitReason, (ulong)ExitReason.EptViolation);
            x.Vcpu(c.Vcpu, VcpuField.VeQualification, (ulong)c.Access);
            x.Vcpu(c.Vcpu, VcpuField.VeGla, 0);
            x.Vcpu(c.Vcpu, VcpuField.VeGpa, c.Gpa);
        }
        else if (isAccept && call.Succeeded)
        {
            x.Entry(c.Entry, SeptEntry.Of(SeptState.MAPPED, c.Value.Target));
        }
        else if (isAccept && call.End == CallEnd.InterruptExit)
        {
            x.Entry(c.Entry, SeptEntry.Of(SeptState.PENDING, c.Value.Target).WithAcceptCounter(c.Value.AcceptCounter + 1));
        }
    }
}
