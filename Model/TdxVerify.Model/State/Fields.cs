namespace TdxVerify.Model;

/// <summary>Fields of a PAMT entry (facts/pamt.md).</summary>
public enum PamtField
{
    /// <summary>Lock word: shared/exclusive with host priority.</summary>
    Lock,

    /// <summary>A <see cref="PageType"/>.</summary>
    Type,

    /// <summary>Page index of the owner TDR plus 1; 0 before the page was ever owned, and for a TDR. Stale once the page is PT_NDA.</summary>
    Owner,

    /// <summary>The TD epoch at which the page was blocked.</summary>
    Bepoch,
}

/// <summary>Fields of a TD: its TDR and TDCS.</summary>
public enum TdField
{
    /// <summary>Page index of the TDR.</summary>
    TdrPage,

    /// <summary>TDR.FATAL.</summary>
    Fatal,

    /// <summary>A <see cref="TdLifecycle"/>.</summary>
    Lifecycle,

    /// <summary>The private key id.</summary>
    Hkid,

    /// <summary>Packages whose key is configured, as a bitmap.</summary>
    KeysConfigured,

    /// <summary>TDCS pages added so far.</summary>
    TdcsPages,

    /// <summary>TDR.CHLDCNT: 4 KiB pages that the TD owns, the TDR not counted.</summary>
    ChildCount,

    /// <summary>An <see cref="OpState"/>.</summary>
    OpState,

    /// <summary>OP_STATE lock word: shared/exclusive with host priority.</summary>
    OpStateLock,

    /// <summary>S-EPT tree lock word: plain shared/exclusive.</summary>
    SeptTreeLock,

    /// <summary>TD epoch lock word: plain shared/exclusive.</summary>
    EpochLock,

    /// <summary>TD_EPOCH.</summary>
    Epoch,

    /// <summary>REFCOUNT[0]: vCPUs running since an even epoch.</summary>
    RefCountEven,

    /// <summary>REFCOUNT[1]: vCPUs running since an odd epoch.</summary>
    RefCountOdd,

    /// <summary>vCPUs initialised by TDH.VP.INIT.</summary>
    NumVcpus,

    /// <summary>vCPUs associated with a logical processor.</summary>
    AssociatedVcpus,

    /// <summary>MAX_VCPUS of TD_PARAMS.</summary>
    MaxVcpus,

    /// <summary>ATTRIBUTES of TD_PARAMS.</summary>
    Attributes,

    /// <summary>XFAM of TD_PARAMS.</summary>
    Xfam,

    /// <summary>CONFIG_FLAGS of TD_PARAMS; bit 0 is GPAW.</summary>
    ConfigFlags,

    /// <summary>EPTP controls of TD_PARAMS.</summary>
    EptpControls,

    /// <summary>TSC frequency of TD_PARAMS, in units of 25 MHz.</summary>
    TscFrequency,

    /// <summary>The level of the root's entries: 3 for a 4-level tree, 4 for a 5-level tree.</summary>
    RootLevel,

    /// <summary>The root S-EPT table.</summary>
    RootTable,

    /// <summary>TD_CTLS bit 0: pending pages cause an EPT violation instead of a #VE.</summary>
    PendingVeDisable,

    /// <summary>TOPOLOGY_ENUM_CONFIGURED (profile 1.5.05).</summary>
    TopologyEnumConfigured,
}

/// <summary>Fields of a vCPU: its TDVPS.</summary>
public enum VcpuField
{
    /// <summary>Page index of the TDVPR.</summary>
    TdvprPage,

    /// <summary>TDVPS pages so far, the TDVPR counted.</summary>
    Pages,

    /// <summary>A <see cref="VcpuState"/>.</summary>
    State,

    /// <summary>The associated logical processor plus 1; 0: none.</summary>
    AssociatedLp,

    /// <summary>vCPU epoch: TD_EPOCH at its last TDH.VP.ENTER.</summary>
    Epoch,

    /// <summary>Index of the vCPU in the TD.</summary>
    Index,

    /// <summary>A <see cref="LastTdExit"/>.</summary>
    LastExit,

    /// <summary>Guest RIP.</summary>
    Rip,

    /// <summary>Zero-step fault counter, 0 to the threshold.</summary>
    FaultCount,

    /// <summary>Length of the list of faulting GPAs.</summary>
    FaultListLength,

    /// <summary>VE info is valid: a #VE was delivered and its information not yet read.</summary>
    VeValid,

    /// <summary>VE info: exit reason.</summary>
    VeExitReason,

    /// <summary>VE info: exit qualification.</summary>
    VeQualification,

    /// <summary>VE info: guest linear address.</summary>
    VeGla,

    /// <summary>VE info: guest physical address.</summary>
    VeGpa,
}

/// <summary>Fields of a logical processor.</summary>
public enum LpField
{
    /// <summary>RIP of the vCPU at the last TDH.VP.ENTER on this processor.</summary>
    RipAtEntry,

    /// <summary>The vCPU that ran last here plus 1; 0: none.</summary>
    LastVcpu,

    /// <summary>The vCPU that is in the guest here plus 1; 0: none.</summary>
    RunningVcpu,
}

/// <summary>Fields of a key ownership table (KOT) entry.</summary>
public enum KeyField
{
    /// <summary>An <see cref="HkidState"/>.</summary>
    State,

    /// <summary>Packages whose cache is still to be written back, as a bitmap.</summary>
    WritebackBitmap,
}

/// <summary>Fields of the platform as a whole.</summary>
public enum GlobalField
{
    /// <summary>KOT lock word: plain shared/exclusive.</summary>
    KotLock,

    /// <summary>The package's cache write-back mutex.</summary>
    WritebackMutex,

    /// <summary>Sub-blocks done by an interrupted TDH.PHYMEM.CACHE.WB; 0: no interruption point is saved.</summary>
    WritebackPoint,

    /// <summary>Key ids that the interrupted TDH.PHYMEM.CACHE.WB found flushed at its start, as a bitmap.</summary>
    WritebackKeys,

    /// <summary>An external interrupt is pending.</summary>
    InterruptPending,
}
