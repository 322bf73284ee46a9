using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws;

/// <summary>
/// A failed SEAMCALL changes nothing, beyond what facts/checks.md names as staying: counts and samples written before
/// a later check. Lock words and lock bits have a law of their own.
/// </summary>
public sealed class FailedCallsLaw : Law
{
    /// <summary>The law.</summary>
    public FailedCallsLaw()
        : base(
            "failed-calls-change-nothing", "A call that fails changes nothing but what its specification names as staying.",
            "failed call", "failed call that left something named")
    {
    }

    /// <inheritdoc/>
    protected override string? Check(Observation o)
    {
        if (!o.ReturnedToHost || !o.Status.IsError)
            return null;
        Occurred(0);
        if (OnlyLocksChanged(o))
            return null;
        foreach (Change change in o.Net)
        {
            if (IsLockWord(change))
                continue;
            if (!Stays(o.Leaf, change))
                return $"{o.Leaf.Name()} returned {o.Status} and changed {change.Kind} {change.Object} position {change.Position} from 0x{change.Old:x} to 0x{change.New:x}";
            Occurred(1);
        }

        return null;
    }

    private static bool OnlyLocksChanged(Observation o)
    {
        foreach (ref readonly Change change in o.Changes)
        {
            if (!IsLockWord(change))
                return false;
        }

        return true;
    }

    internal static bool IsLockWord(in Change change) => change.Kind switch
    {
        ChangeKind.Pamt => change.PamtField == PamtField.Lock,
        ChangeKind.Td => (TdField)change.Position is TdField.OpStateLock or TdField.SeptTreeLock or TdField.EpochLock,
        ChangeKind.Global => (GlobalField)change.Position is GlobalField.KotLock or GlobalField.WritebackMutex,
        ChangeKind.Entry => new SeptEntry(change.Old).WithoutLockBits == new SeptEntry(change.New).WithoutLockBits,
        _ => false,
    };

    private static bool Stays(HostLeaf leaf, in Change change) => leaf switch
    {
        HostLeaf.TDH_VP_ENTER => change.Kind switch
        {
            ChangeKind.Vcpu => (VcpuField)change.Position is VcpuField.AssociatedLp or VcpuField.Epoch,
            ChangeKind.Td => (TdField)change.Position == TdField.AssociatedVcpus,
            ChangeKind.Lp => (LpField)change.Position == LpField.RipAtEntry,
            _ => change.Kind == ChangeKind.InvalidateEpt,
        },
        HostLeaf.TDH_VP_RD => change.Kind switch
        {
            ChangeKind.Vcpu => (VcpuField)change.Position == VcpuField.AssociatedLp,
            ChangeKind.Td => (TdField)change.Position == TdField.AssociatedVcpus,
            _ => false,
        },
        HostLeaf.TDH_VP_INIT => change.Kind switch
        {
            ChangeKind.Vcpu => (VcpuField)change.Position == VcpuField.Index,
            ChangeKind.Td => (TdField)change.Position is TdField.NumVcpus or TdField.TopologyEnumConfigured,
            _ => change.Kind == ChangeKind.X2ApicId,
        },
        HostLeaf.TDH_MNG_INIT => change.Kind == ChangeKind.Td
            && (TdField)change.Position is TdField.NumVcpus or TdField.AssociatedVcpus or TdField.Epoch
                or TdField.RefCountEven or TdField.RefCountOdd or TdField.TopologyEnumConfigured,
        HostLeaf.TDH_PHYMEM_CACHE_WB => change.Kind == ChangeKind.Global
            && (GlobalField)change.Position is GlobalField.WritebackPoint or GlobalField.WritebackKeys,
        _ => false,
    };
}
