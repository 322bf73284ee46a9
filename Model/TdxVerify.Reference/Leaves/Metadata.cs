using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// TDH.MNG.RD and TDH.VP.RD, version 0 (facts/checks.md), with the fields that this implementation's state holds.
/// Of other fields it tells whether the host may read them; a value that it does not hold is not modelled.
/// </summary>
internal static unsafe class Metadata
{
    // Reserved 31:24, last element 37:34, last field 46:38, reserved 49:47, 55 and 62. Bit 63, size, increment, write mask
    // valid and the context, which the leaf decides, are ignored.
    private const ulong IllegalIdBits = 0x4083_FFFC_FF00_0000;

    private const ulong MaxVersion = 1;

    private const ulong AttributeDebug = 1;
    private const uint CpuidValuesOf1501 = 64;
    private const uint CpuidValuesOf1505 = 68;

    // Class and field code (FieldCatalogue).
    private const uint Fatal = 0x00_000001;
    private const uint NumTdcx = 0x00_000002;
    private const uint ChildCount = 0x00_000004;
    private const uint Lifecycle = 0x00_000005;
    private const uint Hkid = 0x01_000001;
    private const uint ConfiguredPackages = 0x01_000002;
    private const uint NumVcpus = 0x10_000001;
    private const uint NumAssociated = 0x10_000002;
    private const uint OpStateField = 0x10_000004;
    private const uint NumL2Vms = 0x10_000005;
    private const uint Attributes = 0x11_000000;
    private const uint Xfam = 0x11_000001;
    private const uint MaxVcpus = 0x11_000002;
    private const uint Gpaw = 0x11_000003;
    private const uint Eptp = 0x11_000004;
    private const uint TscFrequency = 0x11_00000C;
    private const uint NumCpuidValues = 0x11_00000E;
    private const uint ConfigFlags = 0x11_000016;
    private const uint TdCtls = 0x11_000017;
    private const uint TopologyEnumConfigured = 0x11_000019;
    private const uint TdEpoch = 0x12_000000;
    private const uint RefCountEven = 0x12_000001;
    private const uint RefCountOdd = 0x12_000002;
    private const uint X2ApicIds = 0x1C_000000;
    private const uint VcpuState = 0x20_000000;
    private const uint VcpuIndex = 0x20_000002;
    private const uint NumTdvpsPages = 0x20_000003;
    private const uint VcpuEpoch = 0x20_000006;
    private const uint VcpuXfam = 0x20_00000C;
    private const uint FaultListLength = 0x20_00000D;
    private const uint FaultCount = 0x20_00000E;
    private const uint LastExit = 0x20_00000F;
    private const uint CurrentVm = 0x20_000041;

    public static ulong MngRd(TdxModule module, ulong version, ref RegisterFile registers)
    {
        ulong status = CheckVersion(version, ref registers);
        if (status != Answer.Success)
            return status;
        status = HeldTd.Open(
            module, registers.Rcx, OperandId.RCX, LockMode.Shared, OpStates.MetadataRd, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = ReadTd(module, td, registers.Rdx, ref registers.R8);
        td.Release();
        return status;
    }

    public static ulong VpRd(TdxModule module, int lp, ulong version, ref RegisterFile registers)
    {
        ulong status = CheckVersion(version, ref registers);
        if (status != Answer.Success)
            return status;
        status = HeldVcpu.Lock(
            module, registers.Rcx, OperandId.RCX, LockMode.Shared, LockMode.Shared, out HeldVcpu held);
        if (status != Answer.Success)
            return status;
        status = VpRd(module, lp, ref held, registers.Rdx, ref registers.R8);
        held.Release();
        return status;
    }

    private static ulong VpRd(TdxModule module, int lp, ref HeldVcpu held, ulong id, ref ulong value)
    {
        ulong status = held.CheckTdState(module, OpStates.MetadataRd);
        if (status != Answer.Success)
            return status;
        if (held.Vcpu->PageCount < module.TdvpsPages)
            return Status.TDX_TDCX_NUM_INCORRECT;
        if (held.Vcpu->State is not (Reference.VcpuState.Ready or Reference.VcpuState.Disabled))
            return Status.TDX_VCPU_STATE_INCORRECT;
        ulong idStatus = ReadVcpu(held.Vcpu, held.Tdcs, id, out ulong read);
        if (idStatus == Answer.NotModelled)
            return Answer.NotModelled;

        // The association stays, whatever the field id is.
        status = held.Associate(lp);
        if (status != Answer.Success)
            return status;
        value = read;
        return idStatus;
    }

    private static ulong ReadVcpu(Tdvps* vcpu, Tdcs* tdcs, ulong id, out ulong value)
    {
        value = 0;
        if ((id & IllegalIdBits) != 0)
            return Status.TDX_METADATA_FIELD_ID_INCORRECT;
        uint key = FieldCatalogue.KeyOf(id);
        if (FieldCatalogue.IsVmcs(key))
            return Answer.NotModelled;
        ulong status = CheckReader(FieldCatalogue.OfVcpu(key), tdcs);
        if (status != Answer.Success)
            return status;
        switch (key)
        {
            case VcpuState: value = (ulong)vcpu->State; break;
            case VcpuIndex: value = (uint)vcpu->Index; break;
            case NumTdvpsPages: value = (uint)vcpu->PageCount; break;
            case VcpuEpoch: value = vcpu->Epoch; break;
            case VcpuXfam: value = tdcs->Xfam; break;
            case FaultListLength: value = vcpu->FaultListLength; break;
            case FaultCount: value = vcpu->FaultCount; break;
            case LastExit: value = (ulong)vcpu->LastExit; break;
            case CurrentVm: break;
            default: return Answer.NotModelled;
        }

        return Answer.Success;
    }

    private static ulong ReadTd(TdxModule module, in HeldTd td, ulong id, ref ulong value)
    {
        if ((id & IllegalIdBits) != 0)
            return Status.TDX_METADATA_FIELD_ID_INCORRECT;
        uint key = FieldCatalogue.KeyOf(id);
        if (FieldCatalogue.IsCpuidValue(key))
            return Answer.NotModelled;
        Tdr* tdr = td.Tdr;
        Tdcs* tdcs = td.Tdcs;
        ulong status = CheckReader(FieldCatalogue.OfTd(key, module.Is1505), tdcs);
        if (status != Answer.Success)
            return status;
        switch (key)
        {
            case Fatal: value = tdr->Fatal ? 1u : 0; break;
            case NumTdcx: value = (uint)tdr->TdcxCount; break;
            case ChildCount: value = (ulong)Volatile.Read(ref tdr->ChildCount); break;
            case Lifecycle: value = (ulong)tdr->Lifecycle; break;
            case Hkid: value = tdr->Hkid; break;
            case ConfiguredPackages: value = tdr->ConfiguredPackages; break;
            case NumVcpus: value = (uint)Volatile.Read(ref tdcs->VcpuCount); break;
            case NumAssociated: value = (uint)Volatile.Read(ref tdcs->AssociatedCount); break;
            case OpStateField: value = (ulong)tdcs->OpState; break;
            case NumL2Vms: value = 0; break;
            case Attributes: value = tdcs->Attributes; break;
            case Xfam: value = tdcs->Xfam; break;
            case MaxVcpus: value = tdcs->MaxVcpus; break;
            case Gpaw: value = tdcs->Gpaw ? 1u : 0; break;
            case Eptp: value = tdcs->EptpControls | tdcs->SeptRootHpa; break;
            case TscFrequency: value = tdcs->TscFrequency; break;
            case NumCpuidValues: value = module.Is1505 ? CpuidValuesOf1505 : CpuidValuesOf1501; break;
            case ConfigFlags: value = tdcs->ConfigFlags; break;
            case TdCtls: value = tdcs->PendingVeDisable ? 1u : 0; break;
            case TopologyEnumConfigured: value = tdcs->TopologyEnumConfigured ? 1u : 0; break;
            case TdEpoch: value = tdcs->Epoch.Epoch; break;
            case RefCountEven: value = tdcs->Epoch.CountOf(0); break;
            case RefCountOdd: value = tdcs->Epoch.CountOf(1); break;
            case >= X2ApicIds and < X2ApicIds + Tdcs.MaxVcpusLimit: value = X2ApicSlots(module, tdr)[(int)(key - X2ApicIds)]; break;
            default: return Answer.NotModelled;
        }

        return Answer.Success;
    }

    private static ulong CheckReader(FieldReader reader, Tdcs* tdcs) => reader switch
    {
        FieldReader.NoField => Status.TDX_METADATA_FIELD_ID_INCORRECT,
        FieldReader.Host => Answer.Success,
        FieldReader.DebugHost when (tdcs->Attributes & AttributeDebug) != 0 => Answer.Success,
        _ => Status.TDX_METADATA_FIELD_NOT_READABLE,
    };

    /// <summary>The x2APIC ids of a TD, by vCPU index.</summary>
    public static Span<uint> X2ApicSlots(TdxModule module, Tdr* tdr) =>
        new(module.Memory.Find(tdr->TdcxHpa[Tdcs.X2ApicPage]), Tdcs.MaxVcpusLimit);

    private static ulong CheckVersion(ulong version, ref RegisterFile registers)
    {
        if (version == MaxVersion)
            return Answer.NotModelled;
        registers.R8 = 0;
        if (version <= MaxVersion)
            return Answer.Success;
        registers.Rdx = ulong.MaxValue;
        return Answer.Invalid(OperandId.RAX);
    }
}
