using System.Numerics;
using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// TDH.MNG.INIT: the TD's parameters. TD_PARAMS as far as facts/profile-1.5.05.md and the trace format describe it;
/// the CPUID configuration is taken as legal, except leaf 0x1F in profile 1.5.05.
/// </summary>
internal static class MngInit<S>
    where S : struct, IState
{
    private const int MaximumVcpus = 576;
    private const int MaximumL2Vms = 3;

    public static Leaf<S> Declare(ModuleProfile profile)
    {
        bool has1F = profile == ModuleProfile.V1_5_05;
        LeafBuilder<S> leaf = new LeafBuilder<S>(LeafId.Of(HostLeaf.TDH_MNG_INIT))
            .Preset(Register.Rcx)
            .Choice("IA32_MISC_ENABLE boot-NT4 bit is clear", ChoicePoint.CpuidLimited, new Failure(Status.TDX_LIMIT_CPUID_MAXVAL_SET))
            .Page(PageSlot.Tdr, Register.Rcx, "TDR", LockMode.Exclusive, PageType.PT_TDR)
            .TdIsUsable()
            .OpState(locked: false)
            .Check("RDX (TD_PARAMS): 1 KiB aligned, below 2^52, shared HKID", TdParamsAreShared, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rdx))
            .Effect("vCPU counts = 0", ClearVcpuCounts)
            .Effect("TD_EPOCH = 1 (stays if a later check fails)", SetFirstEpoch)
            .Effect("REFCOUNT = {0, 0}", ClearRefCounts)
            .Check("ATTRIBUTES legal", AttributesAreLegal, Failure.Of(Status.TDX_OPERAND_INVALID, OperandId.ATTRIBUTES))
            .Check("XFAM legal", XfamIsLegal, Failure.Of(Status.TDX_OPERAND_INVALID, OperandId.XFAM))
            .Check(
                has1F ? "MAX_VCPUS from 1 to 576" : "MAX_VCPUS is not 0", MaxVcpusIsLegal,
                Failure.Of(Status.TDX_OPERAND_INVALID, OperandId.MAX_VCPUS), has1F ? MaximumVcpus : ushort.MaxValue, threshold: has1F)
            .Check("NUM_L2_VMS <= 3", L2VmsAtMost, Failure.Of(Status.TDX_OPERAND_INVALID, OperandId.NUM_L2_VMS), MaximumL2Vms, threshold: true)
            .Check(
                "TDCS pages >= 6 + NUM_L2_VMS", HasPagesForL2Vms, new Failure(Status.TDX_TDCS_NOT_ALLOCATED),
                TdSteps<S>.MinimumTdcsPages, threshold: true)
            .Check("reserved bytes 20..23 are 0", Reserved0IsZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rdx))
            .Check("CONFIG_FLAGS legal", ConfigFlagsAreLegal, Failure.Of(Status.TDX_OPERAND_INVALID, OperandId.EXEC_CONTROLS))
            .Check(
                "EPTP controls: write-back, 4 or 5 levels; GPAW needs 5 levels", EptpControlsAreLegal,
                Failure.Of(Status.TDX_OPERAND_INVALID, OperandId.EPTP_CONTROLS))
            .Check("TSC frequency from 4 to 400 (25 MHz)", TscFrequencyIsLegal, Failure.Of(Status.TDX_OPERAND_INVALID, OperandId.TSC_FREQUENCY))
            .Choice("IA32_TSC_ADJUST unchanged", ChoicePoint.TscAdjustChanged, new Failure(Status.TDX_INCONSISTENT_MSR + 0x3B))
            .Check("reserved bytes 42..79, MSR control bits 7:1, reserved bytes 232..255 are 0", Reserved1IsZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rdx))
            .Check(
                "CPUID configuration (bytes 256..447) taken as legal; where the processor refuses it, this TD is not modelled", CpuidIsTakenAsLegal,
                Failure.Of(Status.TDX_OPERAND_INVALID, OperandId.CPUID_CONFIG), (int)ChoicePoint.CpuidConfigurationRefused);
        if (has1F)
        {
            leaf.Check(
                    "virtual CPUID 0x1F configuration: only configurable bits", Cpuid1FBitsAreLegal,
                    Failure.Of(Status.TDX_OPERAND_INVALID, OperandId.CPUID_CONFIG, FailureDetail.CpuidLeaf))
                .Check("virtual CPUID 0x1F: levels ascend, a core level exists", Cpuid1FIsOrdered, new Failure(Status.TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED))
                .Effect("TOPOLOGY_ENUM_CONFIGURED = true (stays if a later check fails)", SetTopology);
        }

        return leaf
            .Check(
                $"reserved bytes {TdParams.CpuidEnd(profile)}..1023 are 0", Reserved3IsZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rdx),
                TdParams.CpuidEnd(profile))
            .Check("IA32_ARCH_CAPABILITIES configuration is 0; with MSR control bit 0 this TD is not modelled", ArchCapabilitiesAreLegal, Failure.Of(Status.TDX_OPERAND_INVALID, OperandId.IA32_ARCH_CAPABILITIES_CONFIG))
            .Check("NUM_L2_VMS is 0, or this TD is not modelled", HasNoL2Vms, Failure.Of(Status.TDX_OPERAND_INVALID, OperandId.NUM_L2_VMS))
            .Effect("ATTRIBUTES, XFAM, MAX_VCPUS, CONFIG_FLAGS, EPTP controls, TSC frequency kept", KeepParameters)
            .Effect("PENDING_VE_DISABLE = ATTRIBUTES.SEPT_VE_DISABLE", SetPendingVeDisable)
            .Effect("OP_STATE = INITIALIZED", SetInitialized)
            .ReleasePage(PageSlot.Tdr, "TDR")
            .Build();
    }

    private static bool TdParamsAreShared(ref S s, ref Call c, int arg)
    {
        PlatformInfo platform = s.Platform;
        ulong hkid = (c.In.Rdx & platform.HkidMask) >> platform.HkidStartBit;
        return (c.In.Rdx & 0x3FF) == 0 && c.In.Rdx >> platform.MaxPa == 0 && hkid < (ulong)platform.PrivateHkidFirst;
    }

    private static TdParams Parameters(ref S s, ref Call c) => new(c.In.Rdx & ~s.Platform.HkidMask);

    [Visible]
    private static void ClearVcpuCounts(ref S s, ref Call c, int arg)
    {
        s.SetTd(c.Td, TdField.NumVcpus, 0);
        s.SetTd(c.Td, TdField.AssociatedVcpus, 0);
    }

    [Visible]
    private static void SetFirstEpoch(ref S s, ref Call c, int arg) => s.SetTd(c.Td, TdField.Epoch, 1);

    [Visible]
    private static void ClearRefCounts(ref S s, ref Call c, int arg)
    {
        s.SetTd(c.Td, TdField.RefCountEven, 0);
        s.SetTd(c.Td, TdField.RefCountOdd, 0);
    }

    private static bool AttributesAreLegal(ref S s, ref Call c, int arg) =>
        TdParams.AttributesAreLegal(Parameters(ref s, ref c).Attributes(ref s));

    private static bool XfamIsLegal(ref S s, ref Call c, int arg) => TdParams.XfamIsLegal(Parameters(ref s, ref c).Xfam(ref s));

    private static bool MaxVcpusIsLegal(ref S s, ref Call c, int maximum)
    {
        int vcpus = Parameters(ref s, ref c).MaxVcpus(ref s);
        return vcpus > 0 && vcpus <= maximum;
    }

    private static bool L2VmsAtMost(ref S s, ref Call c, int maximum) => Parameters(ref s, ref c).NumL2Vms(ref s) <= maximum;

    private static bool HasPagesForL2Vms(ref S s, ref Call c, int minimum) =>
        s.Td(c.Td, TdField.TdcsPages) >= (ulong)(minimum + Parameters(ref s, ref c).NumL2Vms(ref s));

    private static bool Reserved0IsZero(ref S s, ref Call c, int arg) => Parameters(ref s, ref c).IsZero(ref s, 20, 24);

    private static bool ConfigFlagsAreLegal(ref S s, ref Call c, int arg) => Parameters(ref s, ref c).ConfigFlags(ref s) >> 3 == 0;

    private static bool EptpControlsAreLegal(ref S s, ref Call c, int arg)
    {
        TdParams parameters = Parameters(ref s, ref c);
        ulong eptp = parameters.EptpControls(ref s);
        bool wide = (parameters.ConfigFlags(ref s) & 1) != 0;
        return eptp == TdParams.Eptp5Level || (eptp == TdParams.Eptp4Level && !wide);
    }

    private static bool TscFrequencyIsLegal(ref S s, ref Call c, int arg) => Parameters(ref s, ref c).TscFrequency(ref s) is >= 4 and <= 400;

    private static bool Reserved1IsZero(ref S s, ref Call c, int arg)
    {
        TdParams parameters = Parameters(ref s, ref c);
        return parameters.IsZero(ref s, 42, 80) && parameters.MsrControl(ref s) >> 1 == 0 && parameters.IsZero(ref s, 232, 256);
    }

    private static bool Reserved3IsZero(ref S s, ref Call c, int start) => Parameters(ref s, ref c).IsZero(ref s, start, TdParams.Size);

    private static bool CpuidIsTakenAsLegal(ref S s, ref Call c, int choice)
    {
        c.OutOfScope = !RegisterSteps<S>.ChoiceHolds(ref s, ref c, choice)
            && !Parameters(ref s, ref c).IsZero(ref s, TdParams.CpuidStart, TdParams.CpuidTopologyStart);
        return !c.OutOfScope;
    }

    // With MSR control bit 0, what is legal depends on the processor.
    private static bool ArchCapabilitiesAreLegal(ref S s, ref Call c, int arg)
    {
        TdParams parameters = Parameters(ref s, ref c);
        c.OutOfScope = parameters.MsrControl(ref s) != 0;
        return !c.OutOfScope && parameters.IsZero(ref s, 224, 232);
    }

    private static bool HasNoL2Vms(ref S s, ref Call c, int arg)
    {
        c.OutOfScope = Parameters(ref s, ref c).NumL2Vms(ref s) != 0;
        return !c.OutOfScope;
    }

    private static bool Cpuid1FBitsAreLegal(ref S s, ref Call c, int arg)
    {
        int wrong = Parameters(ref s, ref c).FirstIllegalTopologyLevel(ref s);
        if (wrong >= 0)
            c.Out.Rcx = 0x1F | ((ulong)wrong << 32);
        return wrong < 0;
    }

    private static bool Cpuid1FIsOrdered(ref S s, ref Call c, int arg) => Parameters(ref s, ref c).TopologyIsOrdered(ref s);

    private static void SetTopology(ref S s, ref Call c, int arg) => s.SetTd(c.Td, TdField.TopologyEnumConfigured, 1);

    [Visible]
    private static void KeepParameters(ref S s, ref Call c, int arg)
    {
        TdParams parameters = Parameters(ref s, ref c);
        s.SetTd(c.Td, TdField.Attributes, parameters.Attributes(ref s));
        s.SetTd(c.Td, TdField.Xfam, parameters.Xfam(ref s));
        s.SetTd(c.Td, TdField.MaxVcpus, (ulong)parameters.MaxVcpus(ref s));
        s.SetTd(c.Td, TdField.ConfigFlags, parameters.ConfigFlags(ref s));
        s.SetTd(c.Td, TdField.EptpControls, parameters.EptpControls(ref s));
        s.SetTd(c.Td, TdField.TscFrequency, (ulong)parameters.TscFrequency(ref s));
        s.SetTd(c.Td, TdField.RootLevel, parameters.EptpControls(ref s) == TdParams.Eptp5Level ? 4UL : 3UL);
    }

    private static void SetPendingVeDisable(ref S s, ref Call c, int arg) =>
        s.SetTd(c.Td, TdField.PendingVeDisable, s.Td(c.Td, TdField.Attributes) >> BitOperations.Log2(TdParams.SeptVeDisable) & 1);

    [Visible]
    private static void SetInitialized(ref S s, ref Call c, int arg) =>
        s.SetTd(c.Td, TdField.OpState, (ulong)TdMachine.OpStates.To(Trigger.TDH_MNG_INIT));
}
