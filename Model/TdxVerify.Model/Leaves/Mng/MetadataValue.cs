using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>The values of the metadata fields that the state holds.</summary>
internal static class MetadataValue
{
    private const int Management = 0x00_000000;
    private const int KeyManagement = 0x01_000000;
    private const int TdManagement = 0x10_000000;
    private const int ExecutionControls = 0x11_000000;
    private const int EpochTracking = 0x12_000000;
    private const int X2ApicIds = 0x1C_000000;
    private const int X2ApicIdCount = 576;
    private const int VcpuManagement = 0x20_000000;

    private const ulong CpuidValuesOf1501 = 64;
    private const ulong CpuidValuesOf1505 = 68;

    /// <summary>Reads a field of the TD context; false: the state does not hold it.</summary>
    public static bool TryReadTd<S>(ref S s, int td, MetadataField field, out ulong value)
        where S : struct, IState
    {
        switch (field.Key)
        {
            case Management | 1: value = s.Td(td, TdField.Fatal); return true;
            case Management | 2: value = s.Td(td, TdField.TdcsPages); return true;
            case Management | 4: value = s.Td(td, TdField.ChildCount); return true;
            case Management | 5: value = s.Td(td, TdField.Lifecycle); return true;
            case KeyManagement | 1: value = s.Td(td, TdField.Hkid); return true;
            case KeyManagement | 2: value = s.Td(td, TdField.KeysConfigured); return true;
            case TdManagement | 1: value = s.Td(td, TdField.NumVcpus); return true;
            case TdManagement | 2: value = s.Td(td, TdField.AssociatedVcpus); return true;
            case TdManagement | 4: value = s.Td(td, TdField.OpState); return true;
            case TdManagement | 5: value = 0; return true; // NUM_L2_VMS
            case ExecutionControls | 0: value = s.Td(td, TdField.Attributes); return true;
            case ExecutionControls | 1: value = s.Td(td, TdField.Xfam); return true;
            case ExecutionControls | 2: value = s.Td(td, TdField.MaxVcpus); return true;
            case ExecutionControls | 3: value = s.Td(td, TdField.ConfigFlags) & 1; return true; // GPAW
            case ExecutionControls | 4: value = Eptp(ref s, td); return true;
            case ExecutionControls | 0xC: value = s.Td(td, TdField.TscFrequency); return true;
            case ExecutionControls | 0xE: value = s.Platform.Profile == ModuleProfile.V1_5_05 ? CpuidValuesOf1505 : CpuidValuesOf1501; return true;
            case ExecutionControls | 0x16: value = s.Td(td, TdField.ConfigFlags); return true;
            case ExecutionControls | 0x17: value = s.Td(td, TdField.PendingVeDisable); return true; // TD_CTLS
            case ExecutionControls | 0x19: value = s.Td(td, TdField.TopologyEnumConfigured); return true;
            case EpochTracking | 0: value = s.Td(td, TdField.Epoch); return true;
            case EpochTracking | 1: value = s.Td(td, TdField.RefCountEven); return true;
            case EpochTracking | 2: value = s.Td(td, TdField.RefCountOdd); return true;
            case >= X2ApicIds and < X2ApicIds + X2ApicIdCount: value = s.X2ApicId(td, field.Code); return true;
            default: value = 0; return false;
        }
    }

    /// <summary>Reads a field of the vCPU context; false: the state does not hold it.</summary>
    public static bool TryReadVcpu<S>(ref S s, int td, int vcpu, MetadataField field, out ulong value)
        where S : struct, IState
    {
        switch (field.Key)
        {
            case VcpuManagement | 0: value = s.Vcpu(vcpu, VcpuField.State); return true;
            case VcpuManagement | 2: value = s.Vcpu(vcpu, VcpuField.Index); return true;
            case VcpuManagement | 3: value = s.Vcpu(vcpu, VcpuField.Pages); return true;
            case VcpuManagement | 6: value = s.Vcpu(vcpu, VcpuField.Epoch); return true;
            case VcpuManagement | 0xC: value = s.Td(td, TdField.Xfam); return true;
            case VcpuManagement | 0xD: value = s.Vcpu(vcpu, VcpuField.FaultListLength); return true;
            case VcpuManagement | 0xE: value = s.Vcpu(vcpu, VcpuField.FaultCount); return true;
            case VcpuManagement | 0xF: value = s.Vcpu(vcpu, VcpuField.LastExit); return true;
            case VcpuManagement | 0x41: value = 0; return true; // CURR_VM: L1
            default: value = 0; return false;
        }
    }

    // The controls of TD_PARAMS with the address of the root page, without key id.
    private static ulong Eptp<S>(ref S s, int td)
        where S : struct, IState =>
        s.Td(td, TdField.EptpControls)
        | (s.Platform.PageBase + ((ulong)s.TablePage((int)s.Td(td, TdField.RootTable)) << Hpa.PageShift));
}
