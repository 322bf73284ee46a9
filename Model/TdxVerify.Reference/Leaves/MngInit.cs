using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>TDH.MNG.INIT (facts/checks.md; facts/profile-1.5.05.md for that profile's changes).</summary>
internal static unsafe class MngInit
{
    private const ulong TdParamsAlignment = 1024;
    private const uint TscAdjustMsr = 0x3B;

    private const ulong AttributeDebug = 1UL << 0;
    private const ulong AttributeSeptVeDisable = 1UL << 28;
    private const ulong AttributeMigratable = 1UL << 29;
    private const ulong AttributePerfmon = 1UL << 63;
    private const ulong NotMigratable = AttributeDebug | AttributePerfmon;
    private const ulong LegalAttributes = AttributeDebug | AttributeSeptVeDisable | AttributeMigratable;

    // Legal or not by what the processor has (PKS, KL, PERFMON), which no platform description says.
    private const ulong ProcessorDependentAttributes = (1UL << 30) | (1UL << 31) | AttributePerfmon;

    private const ulong XfamRequired = 3;
    private const ulong XfamProcessorDependent = 0x6DBE4;

    private const ulong ConfigGpaw = 1UL << 0;
    private const ulong ConfigNoRbpModification = 1UL << 2;
    private const ulong LegalConfigFlags = 7;

    private const ulong Eptp4Level = 0x1E;
    private const ulong Eptp5Level = 0x26;

    private const int MaxL2Vms = 3;

    public static ulong Init(TdxModule module, ref RegisterFile registers)
    {
        ulong tdrHpa = registers.Rcx;
        registers.Rcx = 0;
        if (module.Choices.Fails(ChoicePoint.CpuidLimited))
            return Status.TDX_LIMIT_CPUID_MAXVAL_SET;
        ulong status = HeldTd.Open(
            module, tdrHpa, OperandId.RCX, LockMode.Exclusive, OpStates.Uninitialized, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = Init(module, td, ref registers);
        td.Release();
        return status;
    }

    private static ulong Init(TdxModule module, in HeldTd td, ref RegisterFile registers)
    {
        if (!module.IsSharedHpa(registers.Rdx, TdParamsAlignment))
            return Answer.Invalid(OperandId.RDX);

        // Written even where a parameter is refused below.
        Tdcs* tdcs = td.Tdcs;
        tdcs->VcpuCount = 0;
        tdcs->AssociatedCount = 0;
        tdcs->Epoch.Start();

        Span<byte> bytes = stackalloc byte[TdParams.Size];
        module.Memory.Read(module.WithoutHkid(registers.Rdx), bytes);
        var parameters = new TdParams(bytes);
        ulong status = Check(module, td.Tdr, tdcs, parameters, ref registers);
        if (status != Answer.Success)
            return status;

        tdcs->Attributes = parameters.Attributes;
        tdcs->Xfam = parameters.Xfam;
        tdcs->MaxVcpus = parameters.MaxVcpus;
        tdcs->ConfigFlags = parameters.ConfigFlags;
        tdcs->EptpControls = parameters.EptpControls;
        tdcs->TscFrequency = parameters.TscFrequency;
        tdcs->Gpaw = (parameters.ConfigFlags & ConfigGpaw) != 0;
        tdcs->NoRbpModification = (parameters.ConfigFlags & ConfigNoRbpModification) != 0;
        tdcs->RootLevel = (byte)(parameters.EptpControls == Eptp5Level ? SeptLevel.Pml5 : SeptLevel.Pml4);
        tdcs->PendingVeDisable = (parameters.Attributes & AttributeSeptVeDisable) != 0;
        tdcs->SeptRootHpa = td.Tdr->TdcxHpa[Tdcs.SeptRootPage];
        tdcs->OpState = OpState.Initialized;
        return Answer.Success;
    }

    private static ulong Check(
        TdxModule module, Tdr* tdr, Tdcs* tdcs, in TdParams parameters, ref RegisterFile registers)
    {
        bool modelled = true;
        if ((parameters.Attributes & ~(LegalAttributes | ProcessorDependentAttributes)) != 0
            || ((parameters.Attributes & AttributeMigratable) != 0 && (parameters.Attributes & NotMigratable) != 0))
            return Answer.Invalid(OperandId.ATTRIBUTES);
        modelled &= (parameters.Attributes & ProcessorDependentAttributes) == 0;

        if ((parameters.Xfam & XfamRequired) != XfamRequired
            || (parameters.Xfam & ~(XfamRequired | XfamProcessorDependent)) != 0)
            return Answer.Invalid(OperandId.XFAM);
        modelled &= (parameters.Xfam & XfamProcessorDependent) == 0;

        if (parameters.MaxVcpus == 0 || (module.Is1505 && parameters.MaxVcpus > Tdcs.MaxVcpusLimit))
            return Answer.Invalid(OperandId.MAX_VCPUS);

        if (parameters.L2Vms > MaxL2Vms)
            return Answer.Invalid(OperandId.NUM_L2_VMS);
        if (tdr->TdcxCount < module.Platform.TdcsPages + parameters.L2Vms)
            return Status.TDX_TDCS_NOT_ALLOCATED;
        modelled &= parameters.L2Vms == 0;

        if (!parameters.ReservedAfterCountsAreZero)
            return Answer.Invalid(OperandId.RDX);

        if ((parameters.ConfigFlags & ~LegalConfigFlags) != 0)
            return Answer.Invalid(OperandId.EXEC_CONTROLS);

        bool gpaw = (parameters.ConfigFlags & ConfigGpaw) != 0;
        if (parameters.EptpControls != Eptp5Level && (gpaw || parameters.EptpControls != Eptp4Level))
            return Answer.Invalid(OperandId.EPTP_CONTROLS);

        if (parameters.TscFrequency is < 4 or > 400)
            return Answer.Invalid(OperandId.TSC_FREQUENCY);
        if (module.Choices.Fails(ChoicePoint.TscAdjustChanged))
            return Status.TDX_INCONSISTENT_MSR | TscAdjustMsr;

        if (!parameters.ReservedAfterTscAreZero
            || (parameters.MsrControl & ~1) != 0
            || !parameters.ReservedAfterCapabilitiesAreZero)
            return Answer.Invalid(OperandId.RDX);
        modelled &= parameters.MsrControl == 0;

        // What is legal depends on the processor, which no platform description says.
        if (!parameters.CpuidIsZero && module.Choices.Fails(ChoicePoint.CpuidConfigurationRefused))
            return Answer.NotModelled;

        if (module.Is1505)
        {
            int subLeaf = CpuidTopology.FirstNotConfigurable(parameters);
            if (subLeaf >= 0)
            {
                registers.Rcx = CpuidTopology.Leaf | ((ulong)subLeaf << 32);
                return Answer.Invalid(OperandId.CPUID_CONFIG);
            }

            if (!CpuidTopology.IsWellFormed(parameters))
                return Status.TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED;
            tdcs->TopologyEnumConfigured = true;
        }

        if (!parameters.TailIsZero(topology: module.Is1505))
            return Answer.Invalid(OperandId.RDX);
        if (parameters.MsrControl == 0 && parameters.ArchCapabilities != 0)
            return Answer.Invalid(OperandId.IA32_ARCH_CAPABILITIES_CONFIG);
        return modelled ? Answer.Success : Answer.NotModelled;
    }
}
