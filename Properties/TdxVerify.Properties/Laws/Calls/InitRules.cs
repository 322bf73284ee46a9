using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>TDH.MNG.INIT and TD_PARAMS (facts/checks.md, facts/profile-1.5.05.md). Byte offsets are those of TD_PARAMS.</summary>
internal static class InitRules
{
    private const int TopologyStart = 448;
    private const int TopologyLevels = 6;

    public static LeafRules Init(ModuleProfile profile)
    {
        bool is5 = profile == ModuleProfile.V1_5_05;
        ulong rdx = LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rdx);
        LeafRules rules = new LeafRules("TDH.MNG.INIT")
            .Presets(Register.Rcx)
            .Choice(ChoicePoint.CpuidLimited, Status.TDX_LIMIT_CPUID_MAXVAL_SET, "IA32_MISC_ENABLE boot-NT4 was set")
            .Tdr(Register.Rcx, exclusive: true)
            .Usable(locksOpState: false, OpState.UNINITIALIZED)
            .Check(rdx, "RDX is not 1 KiB aligned, not below 2^52 or not of a shared HKID", c => !IsSharedMemory(c.Platform, c.In.Rdx, 1024))
            .Check(
                LeafRules.Error(Status.TDX_OPERAND_INVALID, OperandId.ATTRIBUTES), "ATTRIBUTES has an illegal bit",
                c =>
                {
                    c.WroteFirstEpoch = true;
                    return IsIllegalAttributes(Word(c, 0));
                })
            .Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, OperandId.XFAM), "XFAM is illegal", c => IsIllegalXfam(Word(c, 8)))
            .Check(
                LeafRules.Error(Status.TDX_OPERAND_INVALID, OperandId.MAX_VCPUS), is5 ? "MAX_VCPUS is not 1 to 576" : "MAX_VCPUS is 0",
                c => MaxVcpus(c) == 0 || (is5 && MaxVcpus(c) > 576))
            .Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, OperandId.NUM_L2_VMS), "NUM_L2_VMS is above 3", c => NumL2Vms(c) > 3)
            .Check(Status.TDX_TDCS_NOT_ALLOCATED, "fewer TDCS pages than 6 + NUM_L2_VMS were added", c => c.Of(TdField.TdcsPages) < 6 + NumL2Vms(c))
            .Check(rdx, "bytes 20 to 23 are not 0", c => Any(c, 20, 24))
            .Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, OperandId.EXEC_CONTROLS), "CONFIG_FLAGS has an illegal bit", c => (ConfigFlags(c) & ~7UL) != 0)
            .Check(
                LeafRules.Error(Status.TDX_OPERAND_INVALID, OperandId.EPTP_CONTROLS), "EPTP controls are not write-back with 4 or 5 levels, or GPAW has not 5",
                c => !(EptpControls(c) == 0x26 || (EptpControls(c) == 0x1E && (ConfigFlags(c) & 1) == 0)))
            .Check(
                LeafRules.Error(Status.TDX_OPERAND_INVALID, OperandId.TSC_FREQUENCY), "the TSC frequency is not 4 to 400",
                c => TscFrequency(c) is < 4 or > 400)
            .Choice(ChoicePoint.TscAdjustChanged, Status.TDX_INCONSISTENT_MSR + 0x3B, "IA32_TSC_ADJUST has changed")
            .Check(rdx, "byte 19 is above 1, or a byte of 42 to 79 or 232 to 255 is not 0", c => Any(c, 42, 80) || MsrControl(c) > 1 || Any(c, 232, 256));
        if (is5)
        {
            rules
                .Check(
                    LeafRules.Error(Status.TDX_OPERAND_INVALID, OperandId.CPUID_CONFIG), "CPUID 0x1F has a bit that is not configurable",
                    c => IllegalTopologyLevel(c) >= 0, Shown.CpuidLeaf)
                .Check(Status.TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED, "the levels of CPUID 0x1F do not ascend to a core level", IsDisordered);
        }

        return rules
            .Check(
                rdx, $"a byte from {(is5 ? 544 : 448)} to 1023 is not 0",
                c =>
                {
                    c.AcceptedTopology = is5;
                    return Any(c, is5 ? 544 : 448, 1024);
                })
            .Check(
                LeafRules.Error(Status.TDX_OPERAND_INVALID, OperandId.IA32_ARCH_CAPABILITIES_CONFIG), "the IA32_ARCH_CAPABILITIES configuration is not 0",
                c => Any(c, 224, 232));
    }

    public static ulong Attributes(CallFacts c) => Word(c, 0);

    public static ulong Xfam(CallFacts c) => Word(c, 8);

    public static ulong MaxVcpus(CallFacts c) => Word(c, 16) & 0xFFFF;

    public static ulong ConfigFlags(CallFacts c) => Word(c, 32);

    public static ulong EptpControls(CallFacts c) => Word(c, 24);

    public static ulong TscFrequency(CallFacts c) => Word(c, 40) & 0xFFFF;

    /// <summary>The first level of CPUID 0x1F that has a bit which may not be configured; -1: none.</summary>
    public static int IllegalTopologyLevel(CallFacts c)
    {
        for (int level = 0; level < TopologyLevels; level++)
        {
            if ((Topology(c, level, 0) & ~0x0000_FFFF_0000_001FUL) != 0 || (Topology(c, level, 8) & ~0xFFFFUL) != 0)
                return level;
        }

        return -1;
    }

    /// <summary>An address that the host may name for the module to read: aligned, below 2^52, of a shared HKID.</summary>
    public static bool IsSharedMemory(PlatformInfo platform, ulong address, ulong alignment) =>
        address % alignment == 0
        && address >> platform.MaxPa == 0
        && address >> platform.HkidStartBit < (ulong)platform.PrivateHkidFirst;

    private static ulong NumL2Vms(CallFacts c) => Word(c, 16) >> 16 & 0xFF;

    private static ulong MsrControl(CallFacts c) => Word(c, 16) >> 24 & 0xFF;

    private static ulong Word(CallFacts c, int offset) => c.S.Memory((c.In.Rdx & ~c.Platform.HkidMask) + (ulong)offset);

    private static ulong Topology(CallFacts c, int level, int half) => Word(c, TopologyStart + (16 * level) + half);

    private static bool Any(CallFacts c, int start, int end)
    {
        for (int offset = start; offset < end; offset = (offset & ~7) + 8)
        {
            ulong word = Word(c, offset & ~7) >> (8 * (offset & 7)) << (8 * (offset & 7));
            int beyond = (offset & ~7) + 8 - end;
            if (beyond > 0)
                word = word << (8 * beyond) >> (8 * beyond);
            if (word != 0)
                return true;
        }

        return false;
    }

    // DEBUG (0), SEPT_VE_DISABLE (28), MIGRATABLE (29), PKS (30), PERFMON (63); a TD that can be debugged or uses PERFMON cannot migrate.
    private static bool IsIllegalAttributes(ulong attributes) =>
        (attributes & ~0x8000_0000_7000_0001) != 0 || ((attributes >> 29 & 1) != 0 && ((attributes & 1) != 0 || attributes >> 63 != 0));

    // x87 and SSE always; AVX-512 (7:5) needs AVX and, like CET (12:11) and AMX (18:17), comes whole; PT, PKRU, LBR alone.
    private static bool IsIllegalXfam(ulong xfam)
    {
        ulong avx512 = xfam >> 5 & 7;
        ulong cet = xfam >> 11 & 3;
        ulong amx = xfam >> 17 & 3;
        return (xfam & 3) != 3
            || (xfam & ~0x6_DBE7UL) != 0
            || avx512 is not (0 or 7) || (avx512 != 0 && (xfam & 4) == 0)
            || cet is 1 or 2 || amx is 1 or 2;
    }

    private static bool IsDisordered(CallFacts c)
    {
        bool isNull = (Topology(c, 0, 0) | Topology(c, 0, 8)) == 0;
        ulong lower = 0;
        bool hasCore = false;
        for (int level = 0; level < TopologyLevels; level++)
        {
            if (isNull)
            {
                if ((Topology(c, level, 0) | Topology(c, level, 8)) != 0)
                    return true;
                continue;
            }

            ulong type = Topology(c, level, 8) >> 8 & 0xFF;
            if (type == 0 ? level == 0 || !hasCore : type <= lower || type >= 6)
                return true;
            hasCore |= type == 2;
            lower = type;
        }

        return false;
    }
}
