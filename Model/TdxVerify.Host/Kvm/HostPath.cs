namespace TdxVerify.Host.Kvm;

/// <summary>What a host thread of a configuration does: one of KVM's paths.</summary>
public enum HostPath
{
    /// <summary>KVM_RUN of the agent's vCPU, again and again.</summary>
    RunVcpu,

    /// <summary>The same; the scheduler moves the thread between processors 0 and 1.</summary>
    RunMigratingVcpu,

    /// <summary>The same, in a TD whose GPAs are mapped by 2 MiB pages.</summary>
    RunVcpuWithHugePages,

    /// <summary>guest_memfd PUNCH_HOLE over the agent's GPAs: zaps them.</summary>
    PunchHole,

    /// <summary>KVM_SET_MEMORY_ATTRIBUTES over the agent's GPAs, to shared and back.</summary>
    ConvertToShared,

    /// <summary>The memslot is deleted and created anew.</summary>
    DeleteMemslot,

    /// <summary>An invalidation of shared memory by the MMU notifier, over the agent's GPAs.</summary>
    MmuNotifier,

    /// <summary>KVM_PRE_FAULT_MEMORY over the agent's GPAs, on its vCPU.</summary>
    Prefault,

    /// <summary>KVM_TDX_INIT_MEM_REGION over the agent's GPAs.</summary>
    InitMemRegion,

    /// <summary>KVM_TDX_INIT_VCPU of the agent's vCPU.</summary>
    InitVcpu,

    /// <summary>KVM_TDX_FINALIZE_VM.</summary>
    FinalizeVm,

    /// <summary>KVM_TDX_GET_CPUID.</summary>
    GetCpuid,

    /// <summary>The 2 MiB page of the agent's GPA is split.</summary>
    SplitHugePage,

    /// <summary>The processor of the agent's vCPU goes offline.</summary>
    OfflineProcessor,

    /// <summary>The VM is destroyed.</summary>
    DestroyVm,

    /// <summary>No path of KVM: a device whose interrupts make interruptible SEAMCALLs stop.</summary>
    DeviceInterrupts,
}
