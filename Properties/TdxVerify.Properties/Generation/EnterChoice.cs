using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using static TdxVerify.Properties.Generation.Calls;
using static TdxVerify.Properties.Generation.TdSearch;

namespace TdxVerify.Properties.Generation;

/// <summary>Entries of vCPUs, and exits of those that stayed in the guest.</summary>
internal sealed class EnterChoice(World world, GenerationLimits limits)
{
    /// <summary>TDH.VP.ENTER, mostly of a vCPU that can be entered; false: there is none.</summary>
    public bool Enter(ref ChoiceReader choices, in ObservedState s, OperationKind kind, int lp, int nearMissPercent, ref Operation operation)
    {
        if (world.Vcpus.Count == 0)
            return false;
        VcpuView vcpu = SomeVcpu(ref choices, s);
        TdView td = world.Td(vcpu.Td);
        if (!Is(s, td, OpState.RUNNABLE) && !choices.Percent(4))
            return false;
        int associated = (int)s.Vcpu(vcpu.Handle, VcpuField.AssociatedLp) - 1;
        if (associated >= 0 && s.Lp(associated, LpField.RunningVcpu) == 0 && !choices.Percent(8))
            lp = associated;
        bool repeats = kind != OperationKind.Accept && vcpu.WasSubmitted && !choices.Percent(45);
        if (!repeats)
        {
            operation.Prelude = TraceEvent.OfGuest(vcpu.Tdvpr, kind == OperationKind.Accept ? GuestChoice.Accept(ref choices, s, td) : GuestChoice.Any(ref choices, td));
            operation.HasPrelude = true;
            vcpu.WasSubmitted = true;
            vcpu.IsFaulting = false;
        }

        RegisterFile registers = Registers(HostLeaf.TDH_VP_ENTER, vcpu.Tdvpr);
        if (choices.Percent(nearMissPercent / 3))
            registers.Rcx ^= 1UL << choices.OneOf<int>([52, 53, 54, 12, 0]);
        operation.Event = kind == OperationKind.Enter && limits.CanEnterInHalves
            ? TraceEvent.OfEnter(lp, registers)
            : TraceEvent.OfSeamcall(lp, registers, registers);
        return true;
    }

    /// <summary>A vCPU in the guest leaves; false: there is none.</summary>
    public static bool Exit(ref ChoiceReader choices, in ObservedState s, ref Operation operation)
    {
        int lps = s.Platform.LpCount;
        int first = choices.Below(lps);
        for (int i = 0; i < lps; i++)
        {
            int lp = (first + i) % lps;
            if (s.Lp(lp, LpField.RunningVcpu) == 0)
                continue;
            operation.Event = new TraceEvent { Kind = TraceEventKind.Exit, Lp = lp };
            return true;
        }

        return false;
    }

    // Mostly one that is ready to be entered.
    private VcpuView SomeVcpu(ref ChoiceReader choices, in ObservedState s)
    {
        int first = choices.Below(world.Vcpus.Count);
        if (choices.Percent(6))
            return world.Vcpus[first];
        for (int i = 0; i < world.Vcpus.Count; i++)
        {
            VcpuView vcpu = world.Vcpus[(first + i) % world.Vcpus.Count];
            int associated = (int)s.Vcpu(vcpu.Handle, VcpuField.AssociatedLp) - 1;
            if ((VcpuState)s.Vcpu(vcpu.Handle, VcpuField.State) == VcpuState.VCPU_READY
                && (associated < 0 || s.Lp(associated, LpField.RunningVcpu) == 0))
            {
                return vcpu;
            }
        }

        return world.Vcpus[first];
    }
}
