namespace TdxVerify.Host.Kvm;

/// <summary>Variables of the VM that KVM's paths share (facts/kvm.md, 0.2). All are 0 at the start unless a configuration says otherwise.</summary>
public static class KvmVariables
{
    /// <summary>kvm_tdx->wait_for_sept_zap: vCPUs do not enter.</summary>
    public const string WaitForSeptZap = "wait_for_sept_zap";

    /// <summary>kvm_tdx->state is TD_STATE_RUNNABLE.</summary>
    public const string Runnable = "TD_STATE_RUNNABLE";

    /// <summary>kvm->arch.pre_fault_allowed.</summary>
    public const string PreFaultAllowed = "pre_fault_allowed";

    /// <summary>The memslot carries KVM_MEMSLOT_INVALID. One memslot holds all GPAs of a configuration.</summary>
    public const string SlotInvalid = "KVM_MEMSLOT_INVALID";

    /// <summary>The memory attribute of the GPAs is shared. It is one for all GPAs of a configuration.</summary>
    public const string IsShared = "attribute is shared";

    /// <summary>kvm_tdx->nr_premapped, 6.16 only.</summary>
    public const string NrPremapped = "nr_premapped";

    /// <summary>The slot's guest-inhibit bit: no huge page there any more (facts/kvm.md, 9).</summary>
    public const string GuestInhibit = "guest inhibits 2M";
}

/// <summary>Codes that KVM's programs return, in the kernel's words.</summary>
public static class KvmCodes
{
    /// <summary>The fault is resolved: run the vCPU again.</summary>
    public const string Fixed = "RET_PF_FIXED";

    /// <summary>Another vCPU resolved it: run the vCPU again.</summary>
    public const string Spurious = "RET_PF_SPURIOUS";

    /// <summary>The fault is not resolved: try again.</summary>
    public const string Retry = "RET_PF_RETRY";

    /// <summary>Proposed: not resolved because the mirror SPTE is frozen.</summary>
    public const string RetryFrozen = "RET_PF_RETRY_FROZEN";

    /// <summary>A memory-fault exit to user space.</summary>
    public const string MemoryFault = "-EFAULT";

    /// <summary>The VM is dead.</summary>
    public const string Dead = "-EIO";

    /// <summary>The call is busy; user space may repeat.</summary>
    public const string Busy = "-EBUSY";

    /// <summary>An exit that is handled: run the vCPU again (a result of 1).</summary>
    public const string Handled = "EXIT_HANDLED";

    /// <summary>An EPT violation of a private GPA.</summary>
    public const string EptViolation = "EPT_VIOLATION";

    /// <summary>An EPT violation of a pending page.</summary>
    public const string PendingViolation = "EPT_VIOLATION, pending";

    /// <summary>An EPT violation of an ACCEPT of 4 KiB.</summary>
    public const string AcceptViolation = "EPT_VIOLATION, accept";

    /// <summary>KVM_EXIT_INTERNAL_ERROR: a status that KVM does not handle.</summary>
    public const string InternalError = "KVM_EXIT_INTERNAL_ERROR";
}

/// <summary>What may happen or not around KVM; configurations say which of it does.</summary>
public static class Surroundings
{
    /// <summary>kvm_vcpu_has_events, or a signal is pending. Never where interrupts are absent.</summary>
    public const string EventPending = "event or signal pending";

    /// <summary>The scheduler moves the vCPU's thread to another processor.</summary>
    public const string Migration = "the scheduler moves the thread";
}
