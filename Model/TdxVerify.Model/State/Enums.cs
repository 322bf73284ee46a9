namespace TdxVerify.Model;

/// <summary>Page types of the PAMT, with the module's values (facts/pamt.md).</summary>
public enum PageType : byte
{
    /// <summary>Not assigned.</summary>
    PT_NDA = 0,

    /// <summary>Reserved.</summary>
    PT_RSVD = 1,

    /// <summary>TD private page.</summary>
    PT_REG = 3,

    /// <summary>TD root.</summary>
    PT_TDR = 4,

    /// <summary>Page of a TDCS or TDVPS.</summary>
    PT_TDCX = 5,

    /// <summary>TD vCPU root.</summary>
    PT_TDVPR = 6,

    /// <summary>S-EPT page.</summary>
    PT_EPT = 8,
}

/// <summary>TD lifecycle (facts/op-states.csv).</summary>
public enum TdLifecycle : byte
{
    /// <summary>After TDH.MNG.CREATE.</summary>
    TD_HKID_ASSIGNED = 0,

    /// <summary>The key is configured on all packages.</summary>
    TD_KEYS_CONFIGURED = 1,

    /// <summary>After TDH.MNG.VPFLUSHDONE.</summary>
    TD_BLOCKED = 2,

    /// <summary>After TDH.MNG.KEY.FREEID.</summary>
    TD_TEARDOWN = 3,
}

/// <summary>OP_STATE of a TD (facts/op-states.csv); the migration states are never reached here.</summary>
public enum OpState : byte
{
    /// <summary>Before TDH.MNG.INIT.</summary>
    UNINITIALIZED = 0,

    /// <summary>Being built.</summary>
    INITIALIZED = 1,

    /// <summary>After TDH.MR.FINALIZE.</summary>
    RUNNABLE = 2,
}

/// <summary>State of a vCPU, with the module's values (facts/op-states.csv).</summary>
public enum VcpuState : byte
{
    /// <summary>Before TDH.VP.INIT.</summary>
    VCPU_UNINITIALIZED = 0,

    /// <summary>May be entered.</summary>
    VCPU_READY = 2,

    /// <summary>In the guest.</summary>
    VCPU_ACTIVE = 4,

    /// <summary>Lost after a non-recoverable exit.</summary>
    VCPU_DISABLED = 8,
}

/// <summary>How the vCPU left the guest last (facts/op-states.csv).</summary>
public enum LastTdExit : byte
{
    /// <summary>Asynchronous, fault-like.</summary>
    ASYNC_FAULT = 0,

    /// <summary>Asynchronous, trap-like.</summary>
    ASYNC_TRAP = 1,

    /// <summary>TDG.VP.VMCALL.</summary>
    TDVMCALL = 2,
}

/// <summary>State of a private key id in the key ownership table (facts/op-states.csv).</summary>
public enum HkidState : byte
{
    /// <summary>Free.</summary>
    HKID_FREE = 0,

    /// <summary>Assigned to a TD.</summary>
    HKID_ASSIGNED = 1,

    /// <summary>TDH.MNG.VPFLUSHDONE done; caches still hold its lines.</summary>
    HKID_FLUSHED = 2,

    /// <summary>The module's own.</summary>
    HKID_RESERVED = 3,
}
