using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using static TdxVerify.Properties.Generation.Calls;

namespace TdxVerify.Properties.Generation;

/// <summary>The end of a TD: vCPUs flushed, caches written back, the key id freed, pages reclaimed.</summary>
internal sealed class TeardownChoice(World world, GenerationLimits limits)
{
    /// <summary>The next step towards the last page.</summary>
    public RegisterFile Next(ref ChoiceReader choices, in ObservedState s, TdView td, ref int lp, ref Operation operation)
    {
        bool isEarly = choices.Percent(8);
        switch ((TdLifecycle)s.Td(td.Handle, TdField.Lifecycle))
        {
            case TdLifecycle.TD_HKID_ASSIGNED:
                return Registers(HostLeaf.TDH_MNG_VPFLUSHDONE, td.Tdr);
            case TdLifecycle.TD_KEYS_CONFIGURED when !isEarly:
                foreach (VcpuView vcpu in td.Vcpus)
                {
                    int associated = (int)s.Vcpu(vcpu.Handle, VcpuField.AssociatedLp) - 1;
                    if (associated < 0 || s.Lp(associated, LpField.RunningVcpu) != 0)
                        continue;
                    lp = associated;
                    return Registers(HostLeaf.TDH_VP_FLUSH, vcpu.Tdvpr);
                }

                return Registers(HostLeaf.TDH_MNG_VPFLUSHDONE, td.Tdr);
            case TdLifecycle.TD_KEYS_CONFIGURED when td.Pages.Count == 0 || choices.Percent(60):
                return Registers(HostLeaf.TDH_MNG_VPFLUSHDONE, td.Tdr);
            case TdLifecycle.TD_BLOCKED when !isEarly:
                if (Another(s, td, TdLifecycle.TD_KEYS_CONFIGURED) is { } other && s.Global(GlobalField.WritebackPoint) != 0 && choices.Percent(40))
                    return Next(ref choices, s, other, ref lp, ref operation);
                ToggleInterrupt(ref choices, ref operation);
                return s.Key((int)s.Td(td.Handle, TdField.Hkid), KeyField.WritebackBitmap) != 0 && !choices.Percent(8)
                    ? Registers(HostLeaf.TDH_PHYMEM_CACHE_WB, s.Global(GlobalField.WritebackPoint) == 0 ? 0UL : 1)
                    : Registers(HostLeaf.TDH_MNG_KEY_FREEID, td.Tdr);
            default:
                return Registers(HostLeaf.TDH_PHYMEM_PAGE_RECLAIM, PageToReclaim(ref choices, s, td));
        }
    }

    /// <summary>TDH.VP.FLUSH, mostly on the processor that the vCPU is associated with.</summary>
    public static RegisterFile Flush(ref ChoiceReader choices, in ObservedState s, TdView td, ref int lp)
    {
        if (td.Vcpus.Count == 0)
            return Registers(choices.Percent(10) ? HostLeaf.TDH_VP_FLUSH : HostLeaf.TDH_MEM_TRACK, td.Tdr);
        VcpuView vcpu = td.Vcpus[choices.Below(td.Vcpus.Count)];
        int associated = (int)s.Vcpu(vcpu.Handle, VcpuField.AssociatedLp) - 1;
        if (associated >= 0 && s.Lp(associated, LpField.RunningVcpu) == 0 && !choices.Percent(10))
            lp = associated;
        return Registers(HostLeaf.TDH_VP_FLUSH, vcpu.Tdvpr);
    }

    /// <summary>A page or the caches are written back.</summary>
    public RegisterFile Writeback(ref ChoiceReader choices, in ObservedState s) => choices.Below(3) switch
    {
        0 => Registers(HostLeaf.TDH_PHYMEM_PAGE_WBINVD, world.FreePage(s, reuse: true) | ((ulong)choices.Below(64) << s.Platform.HkidStartBit)),
        1 => Registers(HostLeaf.TDH_PHYMEM_CACHE_WB),
        _ => Registers(HostLeaf.TDH_PHYMEM_CACHE_WB, 1),
    };

    private TdView? Another(in ObservedState s, TdView td, TdLifecycle lifecycle)
    {
        foreach (TdView other in world.Tds)
        {
            if (other != td && (TdLifecycle)s.Td(other.Handle, TdField.Lifecycle) == lifecycle)
                return other;
        }

        return null;
    }

    // Interrupts decide whether the caches are written back in one call or in several.
    private void ToggleInterrupt(ref ChoiceReader choices, ref Operation operation)
    {
        if (!choices.Percent(world.InterruptPending ? 25 : 12) || limits.Adjust(OperationKind.Interrupt) != OperationKind.Interrupt)
            return;
        operation.Prelude = TraceEvent.OfInterrupt(!world.InterruptPending);
        operation.HasPrelude = true;
    }

    private static ulong PageToReclaim(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        if (choices.Percent(3))
            return td.Tdr;
        ulong owner = s.Td(td.Handle, TdField.TdrPage) + 1;
        while (td.Pages.Count > 0)
        {
            int place = td.Pages.Count - 1 - choices.Below(Math.Min(4, td.Pages.Count));
            (ulong hpa, int size) = td.Pages[place];
            PamtRef at = PamtRef.Of(size, (int)((hpa - s.Platform.PageBase) >> Hpa.PageShift));
            if ((PageType)s.Pamt(at, PamtField.Type) != PageType.PT_NDA && s.Pamt(at, PamtField.Owner) == owner)
                return hpa;
            td.Pages.RemoveAt(place);
        }

        return td.Tdr;
    }
}
