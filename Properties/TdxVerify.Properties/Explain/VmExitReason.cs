namespace TdxVerify.Properties.Explain;

/// <summary>
/// The VM exit reason in bits 31:0 of what TDH.VP.ENTER returns after a TD exit (Intel SDM volume 3, appendix
/// "VMX Basic Exit Reasons"; names as Linux writes them).
/// </summary>
public static class VmExitReason
{
    private const uint BasicMask = 0xFFFF;

    private static readonly Dictionary<uint, string> s_names = new()
    {
        [0] = "EXCEPTION_NMI",
        [1] = "EXTERNAL_INTERRUPT",
        [2] = "TRIPLE_FAULT",
        [3] = "INIT_SIGNAL",
        [4] = "SIPI_SIGNAL",
        [5] = "IO_SMI",
        [6] = "OTHER_SMI",
        [7] = "INTERRUPT_WINDOW",
        [8] = "NMI_WINDOW",
        [9] = "TASK_SWITCH",
        [10] = "CPUID",
        [11] = "GETSEC",
        [12] = "HLT",
        [13] = "INVD",
        [14] = "INVLPG",
        [15] = "RDPMC",
        [16] = "RDTSC",
        [17] = "RSM",
        [18] = "VMCALL",
        [19] = "VMCLEAR",
        [20] = "VMLAUNCH",
        [21] = "VMPTRLD",
        [22] = "VMPTRST",
        [23] = "VMREAD",
        [24] = "VMRESUME",
        [25] = "VMWRITE",
        [26] = "VMXOFF",
        [27] = "VMXON",
        [28] = "CR_ACCESS",
        [29] = "DR_ACCESS",
        [30] = "IO_INSTRUCTION",
        [31] = "MSR_READ",
        [32] = "MSR_WRITE",
        [33] = "INVALID_STATE",
        [34] = "MSR_LOAD_FAIL",
        [36] = "MWAIT_INSTRUCTION",
        [37] = "MONITOR_TRAP_FLAG",
        [39] = "MONITOR_INSTRUCTION",
        [40] = "PAUSE_INSTRUCTION",
        [41] = "MCE_DURING_VMENTRY",
        [43] = "TPR_BELOW_THRESHOLD",
        [44] = "APIC_ACCESS",
        [45] = "EOI_INDUCED",
        [46] = "GDTR_IDTR",
        [47] = "LDTR_TR",
        [48] = "EPT_VIOLATION",
        [49] = "EPT_MISCONFIG",
        [50] = "INVEPT",
        [51] = "RDTSCP",
        [52] = "PREEMPTION_TIMER",
        [53] = "INVVPID",
        [54] = "WBINVD",
        [55] = "XSETBV",
        [56] = "APIC_WRITE",
        [57] = "RDRAND",
        [58] = "INVPCID",
        [59] = "VMFUNC",
        [60] = "ENCLS",
        [61] = "RDSEED",
        [62] = "PML_FULL",
        [63] = "XSAVES",
        [64] = "XRSTORS",
        [66] = "SPP_EVENT",
        [67] = "UMWAIT",
        [68] = "TPAUSE",
        [69] = "LOADIWKEY",
        [72] = "ENQCMD_PASID",
        [73] = "ENQCMDS_PASID",
        [74] = "BUS_LOCK",
        [75] = "NOTIFY",
        [76] = "SEAMCALL",
        [77] = "TDCALL",
    };

    private static readonly (int Bit, string Meaning)[] s_flags =
    [
        (26, "a bus lock was pre-empted"),
        (27, "from enclave mode"),
        (28, "an MTF VM exit was pending"),
        (29, "from VMX root operation"),
        (31, "VM-entry failure"),
    ];

    /// <summary>In words, such as <c>48, EPT_VIOLATION</c>; modifier bits are named after it.</summary>
    public static string Describe(uint details)
    {
        uint basic = details & BasicMask;
        string name = s_names.TryGetValue(basic, out string? known) ? $"{basic}, {known}" : $"{basic}, not a VM exit reason";
        return s_flags.Where(flag => (details & (1u << flag.Bit)) != 0).Aggregate(name, (text, flag) => $"{text}; bit {flag.Bit}: {flag.Meaning}");
    }

    /// <summary>The name of the basic reason, such as <c>EPT_VIOLATION</c>; null where there is none.</summary>
    public static string? NameOf(uint details) => s_names.GetValueOrDefault(details & BasicMask);

    /// <summary>Finds a reason by its name, in any case.</summary>
    public static bool TryParse(string name, out uint reason)
    {
        foreach ((uint candidate, string candidateName) in s_names)
        {
            if (candidateName.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                reason = candidate;
                return true;
            }
        }

        reason = 0;
        return false;
    }
}
