namespace TdxVerify.Abi;

/// <summary>Operand ids that the module adds to bits 31:0 of a status (facts/status.csv).</summary>
public enum OperandId : uint
{
    /// <summary>RAX.</summary>
    RAX = 0,

    /// <summary>RCX.</summary>
    RCX = 1,

    /// <summary>RDX.</summary>
    RDX = 2,

    /// <summary>RBX.</summary>
    RBX = 3,

    /// <summary>RBP.</summary>
    RBP = 5,

    /// <summary>RSI.</summary>
    RSI = 6,

    /// <summary>RDI.</summary>
    RDI = 7,

    /// <summary>R8.</summary>
    R8 = 8,

    /// <summary>R9.</summary>
    R9 = 9,

    /// <summary>R10.</summary>
    R10 = 10,

    /// <summary>R11.</summary>
    R11 = 11,

    /// <summary>R12.</summary>
    R12 = 12,

    /// <summary>R13.</summary>
    R13 = 13,

    /// <summary>R14.</summary>
    R14 = 14,

    /// <summary>R15.</summary>
    R15 = 15,

    /// <summary>ATTRIBUTES.</summary>
    ATTRIBUTES = 64,

    /// <summary>XFAM.</summary>
    XFAM = 65,

    /// <summary>EXEC_CONTROLS.</summary>
    EXEC_CONTROLS = 66,

    /// <summary>EPTP_CONTROLS.</summary>
    EPTP_CONTROLS = 67,

    /// <summary>MAX_VCPUS.</summary>
    MAX_VCPUS = 68,

    /// <summary>CPUID_CONFIG.</summary>
    CPUID_CONFIG = 69,

    /// <summary>TSC_FREQUENCY.</summary>
    TSC_FREQUENCY = 70,

    /// <summary>NUM_L2_VMS.</summary>
    NUM_L2_VMS = 71,

    /// <summary>IA32_ARCH_CAPABILITIES_CONFIG.</summary>
    IA32_ARCH_CAPABILITIES_CONFIG = 72,

    /// <summary>PAGE.</summary>
    PAGE = 95,

    /// <summary>TDMR_INFO_PA.</summary>
    TDMR_INFO_PA = 96,

    /// <summary>GPA_LIST_ENTRY.</summary>
    GPA_LIST_ENTRY = 97,

    /// <summary>MIG_BUFF_LIST_ENTRY.</summary>
    MIG_BUFF_LIST_ENTRY = 98,

    /// <summary>NEW_PAGE_LIST_ENTRY.</summary>
    NEW_PAGE_LIST_ENTRY = 99,

    /// <summary>TDR.</summary>
    TDR = 128,

    /// <summary>TDCX.</summary>
    TDCX = 129,

    /// <summary>TDVPR.</summary>
    TDVPR = 130,

    /// <summary>REG_PAGE.</summary>
    REG_PAGE = 132,

    /// <summary>TDCS.</summary>
    TDCS = 144,

    /// <summary>TDVPS.</summary>
    TDVPS = 145,

    /// <summary>SEPT_TREE.</summary>
    SEPT_TREE = 146,

    /// <summary>SEPT_ENTRY.</summary>
    SEPT_ENTRY = 147,

    /// <summary>RTMR.</summary>
    RTMR = 168,

    /// <summary>TD_EPOCH.</summary>
    TD_EPOCH = 169,

    /// <summary>L2_VAPIC_GPA.</summary>
    L2_VAPIC_GPA = 170,

    /// <summary>MIGSC.</summary>
    MIGSC = 171,

    /// <summary>OP_STATE.</summary>
    OP_STATE = 172,

    /// <summary>MIG.</summary>
    MIG = 173,

    /// <summary>SERVTD_BINDINGS.</summary>
    SERVTD_BINDINGS = 174,

    /// <summary>METADATA_FIELD.</summary>
    METADATA_FIELD = 176,

    /// <summary>SYS.</summary>
    SYS = 184,

    /// <summary>TDMR.</summary>
    TDMR = 185,

    /// <summary>KOT.</summary>
    KOT = 186,

    /// <summary>KET.</summary>
    KET = 187,

    /// <summary>WBCACHE.</summary>
    WBCACHE = 188,
}
