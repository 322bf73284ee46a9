using TdxVerify.Model;

namespace TdxVerify.Properties.Schedules.Laws;

/// <summary>When all calls have ended, nobody is in the guest, and what a TD counts is what there is.</summary>
public sealed class CountsAtRestLaw() : InterleavingLaw(
    "counts-agree", "When all calls have ended, REFCOUNT is 0 and no vCPU is active; the count of associated vCPUs is their number.")
{
    private readonly Dictionary<int, ulong> _associated = [];

    /// <inheritdoc/>
    public override string? AtRest(ConcurrentView view)
    {
        ref BranchingState s = ref view.State;
        _associated.Clear();
        foreach (int vcpu in s.Live.Vcpus)
        {
            if ((VcpuState)s.Vcpu(vcpu, VcpuField.State) == VcpuState.VCPU_ACTIVE)
                return $"vCPU {vcpu} is VCPU_ACTIVE and in no guest";
            int tdr = (int)s.Pamt(new PamtRef(0, (int)s.Vcpu(vcpu, VcpuField.TdvprPage)), PamtField.Owner) - 1;
            if (s.Vcpu(vcpu, VcpuField.AssociatedLp) != 0)
                _associated[tdr] = _associated.GetValueOrDefault(tdr) + 1;
        }

        foreach (int td in s.Live.Tds)
        {
            Judged++;
            if (s.Td(td, TdField.RefCountEven) + s.Td(td, TdField.RefCountOdd) != 0)
                return $"REFCOUNT of TD {td} is {s.Td(td, TdField.RefCountEven)} and {s.Td(td, TdField.RefCountOdd)} with nobody in the guest";
            ulong associated = _associated.GetValueOrDefault((int)s.Td(td, TdField.TdrPage));
            if (s.Td(td, TdField.AssociatedVcpus) != associated)
                return $"TD {td} counts {s.Td(td, TdField.AssociatedVcpus)} associated vCPUs, there are {associated}";
        }

        return null;
    }
}
