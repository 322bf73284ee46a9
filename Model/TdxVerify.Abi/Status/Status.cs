namespace TdxVerify.Abi;

/// <summary>The values of the TDX completion statuses, operand id and details left out (facts/status.csv).</summary>
public static class Status
{
    /// <summary>TDX_SUCCESS: success/informational; class completion / TD-exit / generic.</summary>
    public const ulong TDX_SUCCESS = 0x0000_0000_0000_0000;

    /// <summary>TDX_NON_RECOVERABLE_VCPU: non-recoverable TD exit; class completion / TD-exit / generic.</summary>
    public const ulong TDX_NON_RECOVERABLE_VCPU = 0x4000_0001_0000_0000;

    /// <summary>TDX_NON_RECOVERABLE_TD: non-recoverable TD exit; class completion / TD-exit / generic.</summary>
    public const ulong TDX_NON_RECOVERABLE_TD = 0x6000_0002_0000_0000;

    /// <summary>TDX_INTERRUPTED_RESUMABLE: recoverable error; class completion / TD-exit / generic.</summary>
    public const ulong TDX_INTERRUPTED_RESUMABLE = 0x8000_0003_0000_0000;

    /// <summary>TDX_INTERRUPTED_RESTARTABLE: recoverable error; class completion / TD-exit / generic.</summary>
    public const ulong TDX_INTERRUPTED_RESTARTABLE = 0x8000_0004_0000_0000;

    /// <summary>TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE: non-recoverable TD exit; class completion / TD-exit / generic.</summary>
    public const ulong TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE = 0x6000_0005_0000_0000;

    /// <summary>TDX_INVALID_RESUMPTION: non-recoverable error; class completion / TD-exit / generic.</summary>
    public const ulong TDX_INVALID_RESUMPTION = 0xC000_0006_0000_0000;

    /// <summary>TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE: non-recoverable fatal error; class completion / TD-exit / generic.</summary>
    public const ulong TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE = 0xE000_0007_0000_0000;

    /// <summary>TDX_CROSS_TD_FAULT: recoverable error; class completion / TD-exit / generic.</summary>
    public const ulong TDX_CROSS_TD_FAULT = 0x8000_0008_0000_0000;

    /// <summary>TDX_CROSS_TD_TRAP: recoverable error; class completion / TD-exit / generic.</summary>
    public const ulong TDX_CROSS_TD_TRAP = 0x9000_0009_0000_0000;

    /// <summary>TDX_NON_RECOVERABLE_TD_CORRUPTED_MD: non-recoverable TD exit; class completion / TD-exit / generic.</summary>
    public const ulong TDX_NON_RECOVERABLE_TD_CORRUPTED_MD = 0x6000_000A_0000_0000;

    /// <summary>TDX_OPERAND_INVALID: non-recoverable error; class operand.</summary>
    public const ulong TDX_OPERAND_INVALID = 0xC000_0100_0000_0000;

    /// <summary>TDX_OPERAND_ADDR_RANGE_ERROR: non-recoverable error; class operand.</summary>
    public const ulong TDX_OPERAND_ADDR_RANGE_ERROR = 0xC000_0101_0000_0000;

    /// <summary>TDX_OPERAND_BUSY: recoverable error; class resource busy or no entropy.</summary>
    public const ulong TDX_OPERAND_BUSY = 0x8000_0200_0000_0000;

    /// <summary>TDX_PREVIOUS_TLB_EPOCH_BUSY: recoverable error; class resource busy or no entropy.</summary>
    public const ulong TDX_PREVIOUS_TLB_EPOCH_BUSY = 0x8000_0201_0000_0000;

    /// <summary>TDX_SYS_BUSY: recoverable error; class resource busy or no entropy.</summary>
    public const ulong TDX_SYS_BUSY = 0x8000_0202_0000_0000;

    /// <summary>TDX_RND_NO_ENTROPY: recoverable error; class resource busy or no entropy.</summary>
    public const ulong TDX_RND_NO_ENTROPY = 0x8000_0203_0000_0000;

    /// <summary>TDX_OPERAND_BUSY_HOST_PRIORITY: recoverable error; class resource busy or no entropy.</summary>
    public const ulong TDX_OPERAND_BUSY_HOST_PRIORITY = 0x8000_0204_0000_0000;

    /// <summary>TDX_HOST_PRIORITY_BUSY_TIMEOUT: recoverable error; class resource busy or no entropy.</summary>
    public const ulong TDX_HOST_PRIORITY_BUSY_TIMEOUT = 0x9000_0205_0000_0000;

    /// <summary>TDX_PAGE_METADATA_INCORRECT: non-recoverable error; class physical page metadata (PAMT).</summary>
    public const ulong TDX_PAGE_METADATA_INCORRECT = 0xC000_0300_0000_0000;

    /// <summary>TDX_PAGE_ALREADY_FREE: success/informational; class physical page metadata (PAMT).</summary>
    public const ulong TDX_PAGE_ALREADY_FREE = 0x0000_0301_0000_0000;

    /// <summary>TDX_PAGE_NOT_OWNED_BY_TD: non-recoverable error; class physical page metadata (PAMT).</summary>
    public const ulong TDX_PAGE_NOT_OWNED_BY_TD = 0xC000_0302_0000_0000;

    /// <summary>TDX_PAGE_NOT_FREE: non-recoverable error; class physical page metadata (PAMT).</summary>
    public const ulong TDX_PAGE_NOT_FREE = 0xC000_0303_0000_0000;

    /// <summary>TDX_TD_ASSOCIATED_PAGES_EXIST: non-recoverable error; class physical page dependency.</summary>
    public const ulong TDX_TD_ASSOCIATED_PAGES_EXIST = 0xC000_0400_0000_0000;

    /// <summary>TDX_SYS_INIT_NOT_PENDING: non-recoverable error; class TDX module system state.</summary>
    public const ulong TDX_SYS_INIT_NOT_PENDING = 0xC000_0500_0000_0000;

    /// <summary>TDX_SYS_LP_INIT_NOT_DONE: non-recoverable error; class TDX module system state.</summary>
    public const ulong TDX_SYS_LP_INIT_NOT_DONE = 0xC000_0502_0000_0000;

    /// <summary>TDX_SYS_LP_INIT_DONE: non-recoverable error; class TDX module system state.</summary>
    public const ulong TDX_SYS_LP_INIT_DONE = 0xC000_0503_0000_0000;

    /// <summary>TDX_SYS_NOT_READY: non-recoverable error; class TDX module system state.</summary>
    public const ulong TDX_SYS_NOT_READY = 0xC000_0505_0000_0000;

    /// <summary>TDX_SYS_SHUTDOWN: non-recoverable error; class TDX module system state.</summary>
    public const ulong TDX_SYS_SHUTDOWN = 0xC000_0506_0000_0000;

    /// <summary>TDX_SYS_KEY_CONFIG_NOT_PENDING: non-recoverable error; class TDX module system state.</summary>
    public const ulong TDX_SYS_KEY_CONFIG_NOT_PENDING = 0xC000_0507_0000_0000;

    /// <summary>TDX_SYS_STATE_INCORRECT: non-recoverable error; class TDX module system state.</summary>
    public const ulong TDX_SYS_STATE_INCORRECT = 0xC000_0508_0000_0000;

    /// <summary>TDX_SYS_INVALID_HANDOFF: non-recoverable error; class TDX module system state.</summary>
    public const ulong TDX_SYS_INVALID_HANDOFF = 0xC000_0509_0000_0000;

    /// <summary>TDX_SYS_INCOMPATIBLE_SIGSTRUCT: non-recoverable error; class TDX module system state.</summary>
    public const ulong TDX_SYS_INCOMPATIBLE_SIGSTRUCT = 0xC000_050A_0000_0000;

    /// <summary>TDX_SYS_LP_INIT_NOT_PENDING: non-recoverable error; class TDX module system state.</summary>
    public const ulong TDX_SYS_LP_INIT_NOT_PENDING = 0xC000_050B_0000_0000;

    /// <summary>TDX_SYS_CONFIG_NOT_PENDING: non-recoverable error; class TDX module system state.</summary>
    public const ulong TDX_SYS_CONFIG_NOT_PENDING = 0xC000_050C_0000_0000;

    /// <summary>TDX_INCOMPATIBLE_SEAM_CAPABILITIES: non-recoverable error; class TDX module system state.</summary>
    public const ulong TDX_INCOMPATIBLE_SEAM_CAPABILITIES = 0xC000_050D_0000_0000;

    /// <summary>TDX_TD_FATAL: non-recoverable fatal error; class TD state.</summary>
    public const ulong TDX_TD_FATAL = 0xE000_0604_0000_0000;

    /// <summary>TDX_TD_NON_DEBUG: non-recoverable error; class TD state.</summary>
    public const ulong TDX_TD_NON_DEBUG = 0xC000_0605_0000_0000;

    /// <summary>TDX_TDCS_NOT_ALLOCATED: non-recoverable error; class TD state.</summary>
    public const ulong TDX_TDCS_NOT_ALLOCATED = 0xC000_0606_0000_0000;

    /// <summary>TDX_LIFECYCLE_STATE_INCORRECT: non-recoverable error; class TD state.</summary>
    public const ulong TDX_LIFECYCLE_STATE_INCORRECT = 0xC000_0607_0000_0000;

    /// <summary>TDX_OP_STATE_INCORRECT: non-recoverable error; class TD state.</summary>
    public const ulong TDX_OP_STATE_INCORRECT = 0xC000_0608_0000_0000;

    /// <summary>TDX_NO_VCPUS: non-recoverable error; class TD state.</summary>
    public const ulong TDX_NO_VCPUS = 0xC000_0609_0000_0000;

    /// <summary>TDX_TDCX_NUM_INCORRECT: non-recoverable error; class TD state.</summary>
    public const ulong TDX_TDCX_NUM_INCORRECT = 0xC000_0610_0000_0000;

    /// <summary>TDX_VCPU_STATE_INCORRECT: non-recoverable error; class vCPU state.</summary>
    public const ulong TDX_VCPU_STATE_INCORRECT = 0xC000_0700_0000_0000;

    /// <summary>TDX_VCPU_ASSOCIATED: recoverable error; class vCPU state.</summary>
    public const ulong TDX_VCPU_ASSOCIATED = 0x8000_0701_0000_0000;

    /// <summary>TDX_VCPU_NOT_ASSOCIATED: recoverable error; class vCPU state.</summary>
    public const ulong TDX_VCPU_NOT_ASSOCIATED = 0x8000_0702_0000_0000;

    /// <summary>TDX_NO_VALID_VE_INFO: non-recoverable error; class vCPU state.</summary>
    public const ulong TDX_NO_VALID_VE_INFO = 0xC000_0704_0000_0000;

    /// <summary>TDX_MAX_VCPUS_EXCEEDED: non-recoverable error; class vCPU state.</summary>
    public const ulong TDX_MAX_VCPUS_EXCEEDED = 0xC000_0705_0000_0000;

    /// <summary>TDX_TSC_ROLLBACK: non-recoverable error; class vCPU state.</summary>
    public const ulong TDX_TSC_ROLLBACK = 0xC000_0706_0000_0000;

    /// <summary>TDX_TD_VMCS_FIELD_NOT_INITIALIZED: non-recoverable error; class vCPU state.</summary>
    public const ulong TDX_TD_VMCS_FIELD_NOT_INITIALIZED = 0xC000_0730_0000_0000;

    /// <summary>TD_VMCS_FIELD_ERROR: non-recoverable error; class vCPU state.</summary>
    public const ulong TD_VMCS_FIELD_ERROR = 0xC000_0731_0000_0000;

    /// <summary>TDX_KEY_GENERATION_FAILED: recoverable error; class key / HKID / cache write-back.</summary>
    public const ulong TDX_KEY_GENERATION_FAILED = 0x8000_0800_0000_0000;

    /// <summary>TDX_TD_KEYS_NOT_CONFIGURED: recoverable error; class key / HKID / cache write-back.</summary>
    public const ulong TDX_TD_KEYS_NOT_CONFIGURED = 0x8000_0810_0000_0000;

    /// <summary>TDX_KEY_STATE_INCORRECT: non-recoverable error; class key / HKID / cache write-back.</summary>
    public const ulong TDX_KEY_STATE_INCORRECT = 0xC000_0811_0000_0000;

    /// <summary>TDX_KEY_CONFIGURED: success/informational; class key / HKID / cache write-back.</summary>
    public const ulong TDX_KEY_CONFIGURED = 0x0000_0815_0000_0000;

    /// <summary>TDX_WBCACHE_NOT_COMPLETE: recoverable error; class key / HKID / cache write-back.</summary>
    public const ulong TDX_WBCACHE_NOT_COMPLETE = 0x8000_0817_0000_0000;

    /// <summary>TDX_HKID_NOT_FREE: non-recoverable error; class key / HKID / cache write-back.</summary>
    public const ulong TDX_HKID_NOT_FREE = 0xC000_0820_0000_0000;

    /// <summary>TDX_NO_HKID_READY_TO_WBCACHE: success/informational; class key / HKID / cache write-back.</summary>
    public const ulong TDX_NO_HKID_READY_TO_WBCACHE = 0x0000_0821_0000_0000;

    /// <summary>TDX_WBCACHE_RESUME_ERROR: non-recoverable error; class key / HKID / cache write-back.</summary>
    public const ulong TDX_WBCACHE_RESUME_ERROR = 0xC000_0823_0000_0000;

    /// <summary>TDX_FLUSHVP_NOT_DONE: recoverable error; class key / HKID / cache write-back.</summary>
    public const ulong TDX_FLUSHVP_NOT_DONE = 0x8000_0824_0000_0000;

    /// <summary>TDX_NUM_ACTIVATED_HKIDS_NOT_SUPPORTED: non-recoverable error; class key / HKID / cache write-back.</summary>
    public const ulong TDX_NUM_ACTIVATED_HKIDS_NOT_SUPPORTED = 0xC000_0825_0000_0000;

    /// <summary>TDX_INCORRECT_CPUID_VALUE: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_INCORRECT_CPUID_VALUE = 0xC000_0900_0000_0000;

    /// <summary>TDX_LIMIT_CPUID_MAXVAL_SET: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_LIMIT_CPUID_MAXVAL_SET = 0xC000_0901_0000_0000;

    /// <summary>TDX_INCONSISTENT_CPUID_FIELD: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_INCONSISTENT_CPUID_FIELD = 0xC000_0902_0000_0000;

    /// <summary>TDX_CPUID_MAX_SUBLEAVES_UNRECOGNIZED: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_CPUID_MAX_SUBLEAVES_UNRECOGNIZED = 0xC000_0903_0000_0000;

    /// <summary>TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED = 0xC000_0904_0000_0000;

    /// <summary>TDX_INVALID_WBINVD_SCOPE: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_INVALID_WBINVD_SCOPE = 0xC000_0905_0000_0000;

    /// <summary>TDX_INVALID_PKG_ID: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_INVALID_PKG_ID = 0xC000_0906_0000_0000;

    /// <summary>TDX_ENABLE_MONITOR_FSM_NOT_SET: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_ENABLE_MONITOR_FSM_NOT_SET = 0xC000_0907_0000_0000;

    /// <summary>TDX_CPUID_LEAF_NOT_SUPPORTED: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_CPUID_LEAF_NOT_SUPPORTED = 0xC000_0908_0000_0000;

    /// <summary>TDX_SMRR_NOT_LOCKED: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_SMRR_NOT_LOCKED = 0xC000_0910_0000_0000;

    /// <summary>TDX_INVALID_SMRR_CONFIGURATION: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_INVALID_SMRR_CONFIGURATION = 0xC000_0911_0000_0000;

    /// <summary>TDX_SMRR_OVERLAPS_CMR: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_SMRR_OVERLAPS_CMR = 0xC000_0912_0000_0000;

    /// <summary>TDX_SMRR_LOCK_NOT_SUPPORTED: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_SMRR_LOCK_NOT_SUPPORTED = 0xC000_0913_0000_0000;

    /// <summary>TDX_SMRR_NOT_SUPPORTED: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_SMRR_NOT_SUPPORTED = 0xC000_0914_0000_0000;

    /// <summary>TDX_INCONSISTENT_MSR: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_INCONSISTENT_MSR = 0xC000_0920_0000_0000;

    /// <summary>TDX_INCORRECT_MSR_VALUE: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_INCORRECT_MSR_VALUE = 0xC000_0921_0000_0000;

    /// <summary>TDX_SEAMREPORT_NOT_AVAILABLE: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_SEAMREPORT_NOT_AVAILABLE = 0xC000_0930_0000_0000;

    /// <summary>TDX_SEAMDB_GETREF_NOT_AVAILABLE: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_SEAMDB_GETREF_NOT_AVAILABLE = 0xC000_0931_0000_0000;

    /// <summary>TDX_SEAMDB_REPORT_NOT_AVAILABLE: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_SEAMDB_REPORT_NOT_AVAILABLE = 0xC000_0932_0000_0000;

    /// <summary>TDX_SEAMVERIFYREPORT_NOT_AVAILABLE: non-recoverable error; class platform configuration.</summary>
    public const ulong TDX_SEAMVERIFYREPORT_NOT_AVAILABLE = 0xC000_0933_0000_0000;

    /// <summary>TDX_INVALID_TDMR: non-recoverable error; class TDMR/PAMT/CMR configuration.</summary>
    public const ulong TDX_INVALID_TDMR = 0xC000_0A00_0000_0000;

    /// <summary>TDX_NON_ORDERED_TDMR: non-recoverable error; class TDMR/PAMT/CMR configuration.</summary>
    public const ulong TDX_NON_ORDERED_TDMR = 0xC000_0A01_0000_0000;

    /// <summary>TDX_TDMR_OUTSIDE_CMRS: non-recoverable error; class TDMR/PAMT/CMR configuration.</summary>
    public const ulong TDX_TDMR_OUTSIDE_CMRS = 0xC000_0A02_0000_0000;

    /// <summary>TDX_TDMR_ALREADY_INITIALIZED: success/informational; class TDMR/PAMT/CMR configuration.</summary>
    public const ulong TDX_TDMR_ALREADY_INITIALIZED = 0x0000_0A03_0000_0000;

    /// <summary>TDX_INVALID_PAMT: non-recoverable error; class TDMR/PAMT/CMR configuration.</summary>
    public const ulong TDX_INVALID_PAMT = 0xC000_0A10_0000_0000;

    /// <summary>TDX_PAMT_OUTSIDE_CMRS: non-recoverable error; class TDMR/PAMT/CMR configuration.</summary>
    public const ulong TDX_PAMT_OUTSIDE_CMRS = 0xC000_0A11_0000_0000;

    /// <summary>TDX_PAMT_OVERLAP: non-recoverable error; class TDMR/PAMT/CMR configuration.</summary>
    public const ulong TDX_PAMT_OVERLAP = 0xC000_0A12_0000_0000;

    /// <summary>TDX_INVALID_RESERVED_IN_TDMR: non-recoverable error; class TDMR/PAMT/CMR configuration.</summary>
    public const ulong TDX_INVALID_RESERVED_IN_TDMR = 0xC000_0A20_0000_0000;

    /// <summary>TDX_NON_ORDERED_RESERVED_IN_TDMR: non-recoverable error; class TDMR/PAMT/CMR configuration.</summary>
    public const ulong TDX_NON_ORDERED_RESERVED_IN_TDMR = 0xC000_0A21_0000_0000;

    /// <summary>TDX_CMR_LIST_INVALID: non-recoverable error; class TDMR/PAMT/CMR configuration.</summary>
    public const ulong TDX_CMR_LIST_INVALID = 0xC000_0A22_0000_0000;

    /// <summary>TDX_EPT_WALK_FAILED: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_EPT_WALK_FAILED = 0xC000_0B00_0000_0000;

    /// <summary>TDX_EPT_ENTRY_FREE: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_EPT_ENTRY_FREE = 0xC000_0B01_0000_0000;

    /// <summary>TDX_EPT_ENTRY_NOT_FREE: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_EPT_ENTRY_NOT_FREE = 0xC000_0B02_0000_0000;

    /// <summary>TDX_EPT_ENTRY_NOT_PRESENT: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_EPT_ENTRY_NOT_PRESENT = 0xC000_0B03_0000_0000;

    /// <summary>TDX_EPT_ENTRY_NOT_LEAF: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_EPT_ENTRY_NOT_LEAF = 0xC000_0B04_0000_0000;

    /// <summary>TDX_EPT_ENTRY_LEAF: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_EPT_ENTRY_LEAF = 0xC000_0B05_0000_0000;

    /// <summary>TDX_GPA_RANGE_NOT_BLOCKED: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_GPA_RANGE_NOT_BLOCKED = 0xC000_0B06_0000_0000;

    /// <summary>TDX_GPA_RANGE_ALREADY_BLOCKED: success/informational; class Secure EPT / GPA.</summary>
    public const ulong TDX_GPA_RANGE_ALREADY_BLOCKED = 0x0000_0B07_0000_0000;

    /// <summary>TDX_TLB_TRACKING_NOT_DONE: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_TLB_TRACKING_NOT_DONE = 0xC000_0B08_0000_0000;

    /// <summary>TDX_EPT_INVALID_PROMOTE_CONDITIONS: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_EPT_INVALID_PROMOTE_CONDITIONS = 0xC000_0B09_0000_0000;

    /// <summary>TDX_PAGE_ALREADY_ACCEPTED: success/informational; class Secure EPT / GPA.</summary>
    public const ulong TDX_PAGE_ALREADY_ACCEPTED = 0x0000_0B0A_0000_0000;

    /// <summary>TDX_PAGE_SIZE_MISMATCH: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_PAGE_SIZE_MISMATCH = 0xC000_0B0B_0000_0000;

    /// <summary>TDX_GPA_RANGE_BLOCKED: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_GPA_RANGE_BLOCKED = 0xC000_0B0C_0000_0000;

    /// <summary>TDX_EPT_ENTRY_STATE_INCORRECT: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_EPT_ENTRY_STATE_INCORRECT = 0xC000_0B0D_0000_0000;

    /// <summary>TDX_EPT_PAGE_NOT_FREE: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_EPT_PAGE_NOT_FREE = 0xC000_0B0E_0000_0000;

    /// <summary>TDX_L2_SEPT_WALK_FAILED: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_L2_SEPT_WALK_FAILED = 0xC000_0B0F_0000_0000;

    /// <summary>TDX_L2_SEPT_ENTRY_NOT_FREE: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_L2_SEPT_ENTRY_NOT_FREE = 0xC000_0B10_0000_0000;

    /// <summary>TDX_PAGE_ATTR_INVALID: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_PAGE_ATTR_INVALID = 0xC000_0B11_0000_0000;

    /// <summary>TDX_L2_SEPT_PAGE_NOT_PROVIDED: non-recoverable error; class Secure EPT / GPA.</summary>
    public const ulong TDX_L2_SEPT_PAGE_NOT_PROVIDED = 0xC000_0B12_0000_0000;

    /// <summary>TDX_METADATA_FIELD_ID_INCORRECT: non-recoverable error; class metadata field access.</summary>
    public const ulong TDX_METADATA_FIELD_ID_INCORRECT = 0xC000_0C00_0000_0000;

    /// <summary>TDX_METADATA_FIELD_NOT_WRITABLE: non-recoverable error; class metadata field access.</summary>
    public const ulong TDX_METADATA_FIELD_NOT_WRITABLE = 0xC000_0C01_0000_0000;

    /// <summary>TDX_METADATA_FIELD_NOT_READABLE: non-recoverable error; class metadata field access.</summary>
    public const ulong TDX_METADATA_FIELD_NOT_READABLE = 0xC000_0C02_0000_0000;

    /// <summary>TDX_METADATA_FIELD_VALUE_NOT_VALID: non-recoverable error; class metadata field access.</summary>
    public const ulong TDX_METADATA_FIELD_VALUE_NOT_VALID = 0xC000_0C03_0000_0000;

    /// <summary>TDX_METADATA_LIST_OVERFLOW: non-recoverable error; class metadata field access.</summary>
    public const ulong TDX_METADATA_LIST_OVERFLOW = 0xC000_0C04_0000_0000;

    /// <summary>TDX_INVALID_METADATA_LIST_HEADER: non-recoverable error; class metadata field access.</summary>
    public const ulong TDX_INVALID_METADATA_LIST_HEADER = 0xC000_0C05_0000_0000;

    /// <summary>TDX_REQUIRED_METADATA_FIELD_MISSING: non-recoverable error; class metadata field access.</summary>
    public const ulong TDX_REQUIRED_METADATA_FIELD_MISSING = 0xC000_0C06_0000_0000;

    /// <summary>TDX_METADATA_ELEMENT_SIZE_INCORRECT: non-recoverable error; class metadata field access.</summary>
    public const ulong TDX_METADATA_ELEMENT_SIZE_INCORRECT = 0xC000_0C07_0000_0000;

    /// <summary>TDX_METADATA_LAST_ELEMENT_INCORRECT: non-recoverable error; class metadata field access.</summary>
    public const ulong TDX_METADATA_LAST_ELEMENT_INCORRECT = 0xC000_0C08_0000_0000;

    /// <summary>TDX_METADATA_FIELD_CURRENTLY_NOT_WRITABLE: non-recoverable error; class metadata field access.</summary>
    public const ulong TDX_METADATA_FIELD_CURRENTLY_NOT_WRITABLE = 0xC000_0C09_0000_0000;

    /// <summary>TDX_METADATA_WR_MASK_NOT_VALID: non-recoverable error; class metadata field access.</summary>
    public const ulong TDX_METADATA_WR_MASK_NOT_VALID = 0xC000_0C0A_0000_0000;

    /// <summary>TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT: success/informational; class metadata field access.</summary>
    public const ulong TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT = 0x0000_0C0B_0000_0000;

    /// <summary>TDX_METADATA_FIELD_SKIP: success/informational; class metadata field access.</summary>
    public const ulong TDX_METADATA_FIELD_SKIP = 0x0000_0C0C_0000_0000;

    /// <summary>TDX_SERVTD_ALREADY_BOUND_FOR_TYPE: non-recoverable error; class service TD.</summary>
    public const ulong TDX_SERVTD_ALREADY_BOUND_FOR_TYPE = 0xC000_0D00_0000_0000;

    /// <summary>TDX_SERVTD_TYPE_MISMATCH: non-recoverable error; class service TD.</summary>
    public const ulong TDX_SERVTD_TYPE_MISMATCH = 0xC000_0D01_0000_0000;

    /// <summary>TDX_SERVTD_ATTR_MISMATCH: non-recoverable error; class service TD.</summary>
    public const ulong TDX_SERVTD_ATTR_MISMATCH = 0xC000_0D02_0000_0000;

    /// <summary>TDX_SERVTD_INFO_HASH_MISMATCH: non-recoverable error; class service TD.</summary>
    public const ulong TDX_SERVTD_INFO_HASH_MISMATCH = 0xC000_0D03_0000_0000;

    /// <summary>TDX_SERVTD_UUID_MISMATCH: non-recoverable error; class service TD.</summary>
    public const ulong TDX_SERVTD_UUID_MISMATCH = 0xC000_0D04_0000_0000;

    /// <summary>TDX_SERVTD_NOT_BOUND: non-recoverable error; class service TD.</summary>
    public const ulong TDX_SERVTD_NOT_BOUND = 0xC000_0D05_0000_0000;

    /// <summary>TDX_SERVTD_BOUND: non-recoverable error; class service TD.</summary>
    public const ulong TDX_SERVTD_BOUND = 0xC000_0D06_0000_0000;

    /// <summary>TDX_TARGET_UUID_MISMATCH: non-recoverable error; class service TD.</summary>
    public const ulong TDX_TARGET_UUID_MISMATCH = 0xC000_0D07_0000_0000;

    /// <summary>TDX_TARGET_UUID_UPDATED: non-recoverable error; class service TD.</summary>
    public const ulong TDX_TARGET_UUID_UPDATED = 0xC000_0D08_0000_0000;

    /// <summary>TDX_INVALID_MBMD: non-recoverable error; class migration.</summary>
    public const ulong TDX_INVALID_MBMD = 0xC000_0E00_0000_0000;

    /// <summary>TDX_INCORRECT_MBMD_MAC: non-recoverable error; class migration.</summary>
    public const ulong TDX_INCORRECT_MBMD_MAC = 0xC000_0E01_0000_0000;

    /// <summary>TDX_NOT_WRITE_BLOCKED: non-recoverable error; class migration.</summary>
    public const ulong TDX_NOT_WRITE_BLOCKED = 0xC000_0E02_0000_0000;

    /// <summary>TDX_ALREADY_WRITE_BLOCKED: success/informational; class migration.</summary>
    public const ulong TDX_ALREADY_WRITE_BLOCKED = 0x0000_0E03_0000_0000;

    /// <summary>TDX_NOT_EXPORTED: non-recoverable error; class migration.</summary>
    public const ulong TDX_NOT_EXPORTED = 0xC000_0E04_0000_0000;

    /// <summary>TDX_MIGRATION_STREAM_STATE_INCORRECT: non-recoverable error; class migration.</summary>
    public const ulong TDX_MIGRATION_STREAM_STATE_INCORRECT = 0xC000_0E05_0000_0000;

    /// <summary>TDX_MAX_MIGS_NUM_EXCEEDED: non-recoverable error; class migration.</summary>
    public const ulong TDX_MAX_MIGS_NUM_EXCEEDED = 0xC000_0E06_0000_0000;

    /// <summary>TDX_EXPORTED_DIRTY_PAGES_REMAIN: non-recoverable error; class migration.</summary>
    public const ulong TDX_EXPORTED_DIRTY_PAGES_REMAIN = 0xC000_0E07_0000_0000;

    /// <summary>TDX_MIGRATION_DECRYPTION_KEY_NOT_SET: non-recoverable error; class migration.</summary>
    public const ulong TDX_MIGRATION_DECRYPTION_KEY_NOT_SET = 0xC000_0E08_0000_0000;

    /// <summary>TDX_TD_NOT_MIGRATABLE: non-recoverable error; class migration.</summary>
    public const ulong TDX_TD_NOT_MIGRATABLE = 0xC000_0E09_0000_0000;

    /// <summary>TDX_PREVIOUS_EXPORT_CLEANUP_INCOMPLETE: non-recoverable error; class migration.</summary>
    public const ulong TDX_PREVIOUS_EXPORT_CLEANUP_INCOMPLETE = 0xC000_0E0A_0000_0000;

    /// <summary>TDX_NUM_MIGS_HIGHER_THAN_CREATED: non-recoverable error; class migration.</summary>
    public const ulong TDX_NUM_MIGS_HIGHER_THAN_CREATED = 0xC000_0E0B_0000_0000;

    /// <summary>TDX_IMPORT_MISMATCH: non-recoverable error; class migration.</summary>
    public const ulong TDX_IMPORT_MISMATCH = 0xC000_0E0C_0000_0000;

    /// <summary>TDX_MIGRATION_EPOCH_OVERFLOW: non-recoverable error; class migration.</summary>
    public const ulong TDX_MIGRATION_EPOCH_OVERFLOW = 0xC000_0E0D_0000_0000;

    /// <summary>TDX_MAX_EXPORTS_EXCEEDED: non-recoverable error; class migration.</summary>
    public const ulong TDX_MAX_EXPORTS_EXCEEDED = 0xC000_0E0E_0000_0000;

    /// <summary>TDX_INVALID_PAGE_MAC: non-recoverable error; class migration.</summary>
    public const ulong TDX_INVALID_PAGE_MAC = 0xC000_0E0F_0000_0000;

    /// <summary>TDX_MIGRATED_IN_CURRENT_EPOCH: non-recoverable error; class migration.</summary>
    public const ulong TDX_MIGRATED_IN_CURRENT_EPOCH = 0xC000_0E10_0000_0000;

    /// <summary>TDX_DISALLOWED_IMPORT_OVER_REMOVED: non-recoverable error; class migration.</summary>
    public const ulong TDX_DISALLOWED_IMPORT_OVER_REMOVED = 0xC000_0E11_0000_0000;

    /// <summary>TDX_SOME_VCPUS_NOT_MIGRATED: non-recoverable error; class migration.</summary>
    public const ulong TDX_SOME_VCPUS_NOT_MIGRATED = 0xC000_0E12_0000_0000;

    /// <summary>TDX_ALL_VCPUS_IMPORTED: non-recoverable error; class migration.</summary>
    public const ulong TDX_ALL_VCPUS_IMPORTED = 0xC000_0E13_0000_0000;

    /// <summary>TDX_MIN_MIGS_NOT_CREATED: non-recoverable error; class migration.</summary>
    public const ulong TDX_MIN_MIGS_NOT_CREATED = 0xC000_0E14_0000_0000;

    /// <summary>TDX_VCPU_ALREADY_EXPORTED: non-recoverable error; class migration.</summary>
    public const ulong TDX_VCPU_ALREADY_EXPORTED = 0xC000_0E15_0000_0000;

    /// <summary>TDX_INVALID_MIGRATION_DECRYPTION_KEY: non-recoverable error; class migration.</summary>
    public const ulong TDX_INVALID_MIGRATION_DECRYPTION_KEY = 0xC000_0E16_0000_0000;

    /// <summary>TDX_INVALID_CPUSVN: non-recoverable error; class report.</summary>
    public const ulong TDX_INVALID_CPUSVN = 0xC000_1000_0000_0000;

    /// <summary>TDX_INVALID_REPORTMACSTRUCT: non-recoverable error; class report.</summary>
    public const ulong TDX_INVALID_REPORTMACSTRUCT = 0xC000_1001_0000_0000;

    /// <summary>TDX_L2_EXIT_HOST_ROUTED_ASYNC: success/informational; class L2 / TD partitioning.</summary>
    public const ulong TDX_L2_EXIT_HOST_ROUTED_ASYNC = 0x0000_1100_0000_0000;

    /// <summary>TDX_L2_EXIT_HOST_ROUTED_TDVMCALL: success/informational; class L2 / TD partitioning.</summary>
    public const ulong TDX_L2_EXIT_HOST_ROUTED_TDVMCALL = 0x0000_1101_0000_0000;

    /// <summary>TDX_L2_EXIT_PENDING_INTERRUPT: success/informational; class L2 / TD partitioning.</summary>
    public const ulong TDX_L2_EXIT_PENDING_INTERRUPT = 0x0000_1102_0000_0000;

    /// <summary>TDX_PENDING_INTERRUPT: success/informational; class L2 / TD partitioning.</summary>
    public const ulong TDX_PENDING_INTERRUPT = 0x0000_1120_0000_0000;

    /// <summary>TDX_TD_EXIT_BEFORE_L2_ENTRY: success/informational; class L2 / TD partitioning.</summary>
    public const ulong TDX_TD_EXIT_BEFORE_L2_ENTRY = 0x0000_1140_0000_0000;

    /// <summary>TDX_TD_EXIT_ON_L2_VM_EXIT: success/informational; class L2 / TD partitioning.</summary>
    public const ulong TDX_TD_EXIT_ON_L2_VM_EXIT = 0x0000_1141_0000_0000;

    /// <summary>TDX_TD_EXIT_ON_L2_TO_L1: success/informational; class L2 / TD partitioning.</summary>
    public const ulong TDX_TD_EXIT_ON_L2_TO_L1 = 0x0000_1142_0000_0000;

    /// <summary>TDX_GLA_NOT_CANONICAL: non-recoverable error; class L2 / TD partitioning.</summary>
    public const ulong TDX_GLA_NOT_CANONICAL = 0xC000_1160_0000_0000;

    /// <summary>UNINITIALIZE_ERROR: internal sentinel.</summary>
    public const ulong UNINITIALIZE_ERROR = 0xFFFF_FFFF_FFFF_FFFF;

    /// <summary>TDX_X2APIC_ID_NOT_UNIQUE: non-recoverable error; class TD state; low 32 bits are the x2APIC ID itself.</summary>
    public const ulong TDX_X2APIC_ID_NOT_UNIQUE = 0xC000_0621_0000_0000;
}
