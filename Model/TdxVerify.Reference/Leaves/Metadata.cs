using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// TDH.MNG.RD and TDH.VP.RD, version 0 (facts/checks.md), with the fields that this implementation's state holds. A
/// well-formed id of any other field is not modelled.
/// </summary>
internal static unsafe class Metadata
{
    // Bit 63 (architectural or not) is ignored in look-ups (facts/profile-1.5.05.md).
    private const ulong NonArchBit = 1UL << 63;

    // Reserved 31:24, last element 37:34, last field 46:38, reserved 49:47, 55 and 62.
    private const ulong IllegalIdBits = 0x4083_FFFC_FF00_0000;

    private const int ContextShift = 52;
    private const ulong ContextMask = 7;
    private const ulong TdContext = 1;
    private const ulong VcpuContext = 2;

    private const ulong MaxVersion = 1;

    // Ids without bit 63.
    private const ulong ChildCount = 0x0010_0003_0000_0004;
    private const ulong NumVcpus = 0x1010_0002_0000_0001;
    private const ulong NumAssociated = 0x1010_0002_0000_0002;
    private const ulong OpStateField = 0x1010_0002_0000_0004;
    private const ulong Attributes = 0x1110_0003_0000_0000;
    private const ulong Xfam = 0x1110_0003_0000_0001;
    private const ulong ConfigFlags = 0x1110_0003_0000_0016;
    private const ulong TdCtls = 0x1110_0003_0000_0017;
    private const ulong TopologyEnumConfigured = 0x1110_0000_0000_0019;
    private const ulong TdEpoch = 0x1210_0003_0000_0000;
    private const ulong X2ApicIds = 0x1C10_0002_0000_0000;
    private const ulong VcpuState = 0x2020_0003_0000_0000;
    private const ulong VcpuIndex = 0x2020_0002_0000_0002;
    private const ulong VcpuEpoch = 0x2020_0003_0000_0006;

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
        ulong idStatus = CheckId(id, VcpuContext);
        if (idStatus == Answer.Success && (id & ~NonArchBit) is not (VcpuState or VcpuIndex or VcpuEpoch))
            return Answer.NotModelled;

        // The association stays, whatever the field id is.
        status = held.Associate(lp);
        if (status != Answer.Success)
            return status;
        if (idStatus != Answer.Success)
            return idStatus;
        switch (id & ~NonArchBit)
        {
            case VcpuState:
                return Status.TDX_METADATA_FIELD_NOT_READABLE;
            case VcpuIndex:
                value = (uint)held.Vcpu->Index;
                return Answer.Success;
            default:
                value = held.Vcpu->Epoch;
                return Answer.Success;
        }
    }

    private static ulong ReadTd(TdxModule module, in HeldTd td, ulong id, ref ulong value)
    {
        ulong status = CheckId(id, TdContext);
        if (status != Answer.Success)
            return status;
        Tdcs* tdcs = td.Tdcs;
        switch (id & ~NonArchBit)
        {
            case ChildCount:
                value = (ulong)Volatile.Read(ref td.Tdr->ChildCount);
                return Answer.Success;
            case NumVcpus:
                value = (uint)Volatile.Read(ref tdcs->VcpuCount);
                return Answer.Success;
            case NumAssociated:
                value = (uint)Volatile.Read(ref tdcs->AssociatedCount);
                return Answer.Success;
            case OpStateField:
                value = (ulong)tdcs->OpState;
                return Answer.Success;
            case Attributes:
                value = tdcs->Attributes;
                return Answer.Success;
            case Xfam:
                value = tdcs->Xfam;
                return Answer.Success;
            case ConfigFlags:
                value = tdcs->ConfigFlags;
                return Answer.Success;
            case TdCtls:
                return Status.TDX_METADATA_FIELD_NOT_READABLE;
            case TdEpoch:
                value = tdcs->Epoch.Epoch;
                return Answer.Success;
            case TopologyEnumConfigured:
                if (!module.Is1505)
                    return Status.TDX_METADATA_FIELD_ID_INCORRECT;
                value = tdcs->TopologyEnumConfigured ? 1u : 0;
                return Answer.Success;
            case >= X2ApicIds and < X2ApicIds + Tdcs.MaxVcpusLimit:
                if (!module.Is1505)
                    return Status.TDX_METADATA_FIELD_ID_INCORRECT;
                value = X2ApicSlots(module, td.Tdr)[(int)id];
                return Answer.Success;
            default:
                return Answer.NotModelled;
        }
    }

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

    private static ulong CheckId(ulong id, ulong context) =>
        (id & IllegalIdBits) != 0 || ((id >> ContextShift) & ContextMask) != context
            ? Status.TDX_METADATA_FIELD_ID_INCORRECT
            : Answer.Success;
}
