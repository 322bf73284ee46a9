using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using static TdxVerify.Properties.Generation.Calls;
using static TdxVerify.Properties.Generation.TdSearch;

namespace TdxVerify.Properties.Generation;

/// <summary>A vCPU that faults at one instruction again and again, and what its host does about the GPAs that are listed.</summary>
internal sealed class FaultChoice(World world)
{
    private const ulong FaultRip = 0x41_0000;

    private ulong _faultingTdvpr;

    /// <summary>A new run.</summary>
    public void Reset() => _faultingTdvpr = 0;

    /// <summary>
    /// The same vCPU faults once more, or a listed GPA is brought nearer to translating; false: no vCPU can be entered.
    /// </summary>
    public bool Next(ref ChoiceReader choices, in ObservedState s, int lp, ref Operation operation)
    {
        if (FaultingVcpu(ref choices, s) is not { } vcpu)
            return false;
        TdView td = world.Td(vcpu.Td);
        int listed = (int)s.Vcpu(vcpu.Handle, VcpuField.FaultListLength);
        if (listed > 0 && choices.Percent(60))
        {
            var range = new Range(s.FaultingGpa(vcpu.Handle, choices.Below(listed)) & ~(ulong)(Hpa.PageSize - 1), SeptLevel.Page4K);
            if (Resolve(ref choices, s, td, vcpu, range, lp, ref operation))
                return true;
        }

        if (!vcpu.IsFaulting || choices.Percent(listed > 0 ? 30 : 8))
        {
            Range range = choices.Percent(40) && Find(ref choices, s, td, td.Leaves, SeptStates.AnyBlocked) is { } blocked ? blocked : SomeRange(ref choices);
            var access = new GuestOperation
            {
                Kind = GuestOperationKind.Access,
                Access = GuestChoice.SomeAccess(ref choices),
                Rip = FaultRip,
                Gpa = range.Gpa + (choices.Percent(10) ? 0x123UL : 0),
            };
            operation.Prelude = TraceEvent.OfGuest(vcpu.Tdvpr, access);
            operation.HasPrelude = true;
            vcpu.WasSubmitted = true;
            vcpu.IsFaulting = true;
        }

        RegisterFile enter = Registers(HostLeaf.TDH_VP_ENTER, vcpu.Tdvpr);
        operation.Event = TraceEvent.OfSeamcall(LpOf(s, vcpu, lp), enter, enter);
        return true;
    }

    // The same as last time, as long as it can be entered.
    private VcpuView? FaultingVcpu(ref ChoiceReader choices, in ObservedState s)
    {
        int first = choices.Below(Math.Max(1, world.Vcpus.Count));
        if (choices.Percent(97))
        {
            foreach (VcpuView vcpu in world.Vcpus)
            {
                if (vcpu.Tdvpr == _faultingTdvpr && CanRun(s, vcpu))
                    return vcpu;
            }
        }

        for (int i = 0; i < world.Vcpus.Count; i++)
        {
            VcpuView vcpu = world.Vcpus[(first + i) % world.Vcpus.Count];
            if (!CanRun(s, vcpu))
                continue;
            _faultingTdvpr = vcpu.Tdvpr;
            return vcpu;
        }

        return null;
    }

    private bool CanRun(in ObservedState s, VcpuView vcpu)
    {
        int associated = (int)s.Vcpu(vcpu.Handle, VcpuField.AssociatedLp) - 1;
        return (VcpuState)s.Vcpu(vcpu.Handle, VcpuField.State) == VcpuState.VCPU_READY
            && (associated < 0 || s.Lp(associated, LpField.RunningVcpu) == 0)
            && Is(s, world.Td(vcpu.Td), OpState.RUNNABLE);
    }

    private static int LpOf(in ObservedState s, VcpuView vcpu, int free) =>
        (int)s.Vcpu(vcpu.Handle, VcpuField.AssociatedLp) is > 0 and var associated ? associated - 1 : free;

    // The next step towards an entry that translates: only then is the vCPU let in again.
    private bool Resolve(ref ChoiceReader choices, in ObservedState s, TdView td, VcpuView vcpu, Range range, int lp, ref Operation operation)
    {
        (int level, SeptEntry entry) = WalkToEntry(s, td, range);
        var at = new Range(range.Gpa & ~(SeptLevel.Size(level) - 1), level);
        RegisterFile registers;
        switch (entry.State)
        {
            case SeptState.FREE:
                registers = level > SeptLevel.Page4K
                    ? AtRange(HostLeaf.TDH_MEM_SEPT_ADD, td, at, world.FreePage(s, reuse: true))
                    : AtRange(HostLeaf.TDH_MEM_PAGE_AUG, td, at, world.FreePage(s, reuse: true));
                break;
            case SeptState.NL_BLOCKED or SeptState.BLOCKED or SeptState.PENDING_BLOCKED:
                registers = ReshapeChoice.Reopen(s, td, at);
                break;
            case SeptState.PENDING:
                foreach (VcpuView other in td.Vcpus)
                {
                    if (other == vcpu || !CanRun(s, other))
                        continue;
                    operation.Prelude = TraceEvent.OfGuest(other.Tdvpr, GuestChoice.Tdcall(ref choices, GuestLeaf.TDG_MEM_PAGE_ACCEPT, PageInfo.Of(at.Gpa, at.Level).Value));
                    operation.HasPrelude = true;
                    other.WasSubmitted = true;
                    other.IsFaulting = false;
                    registers = Registers(HostLeaf.TDH_VP_ENTER, other.Tdvpr);
                    operation.Event = TraceEvent.OfSeamcall(LpOf(s, other, lp), registers, registers);
                    return true;
                }

                return false;
            default:
                return false;
        }

        operation.Event = TraceEvent.OfSeamcall(lp, registers, registers);
        return true;
    }
}
