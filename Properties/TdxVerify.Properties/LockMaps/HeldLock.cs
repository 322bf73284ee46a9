using TdxVerify.Host;

namespace TdxVerify.Properties.LockMaps;

/// <summary>How far a kernel lock reaches: two threads can meet at it only where they have that much in common.</summary>
public enum LockScope
{
    /// <summary>One for the machine: tdx_lock, cpu_hotplug_lock.</summary>
    Machine,

    /// <summary>One for the VM: mmu_lock, slots_lock, kvm->lock.</summary>
    Vm,

    /// <summary>One for each vCPU: vcpu->mutex, the processor that the vCPU is on.</summary>
    Vcpu,

    /// <summary>One for a GPA, or for some: a frozen mirror SPTE; the invalidate_lock of a guest_memfd inode.</summary>
    Gpa,
}

/// <summary>Something that a thread holds and that keeps others out.</summary>
/// <param name="Name">Its name: <c>mmu_lock</c>.</param>
/// <param name="IsExclusive">Held for writing.</param>
/// <param name="Scope">How far it reaches.</param>
public sealed record HeldLock(string Name, bool IsExclusive, LockScope Scope)
{
    /// <summary>kvm->srcu, held for reading. Nobody holds it otherwise, so it excludes nobody.</summary>
    public const string Srcu = "srcu";

    /// <summary>
    /// Interrupts are off on the processor that the vCPU is on: in the run loop, and in a function sent there. The two
    /// cannot be at once, since the function waits for interrupts to come on.
    /// </summary>
    public const string InterruptsOff = "irq off";

    /// <summary>
    /// Requests that keep vCPUs from entering: a thread that set one for every vCPU and waited for the kick holds it
    /// exclusively, a vCPU that found no request pending after it said IN_GUEST_MODE holds it shared.
    /// </summary>
    public const string Requests = "vcpu->requests";

    private const string FrozenPrefix = "frozen SPTE";

    // facts/kvm.md, 0.7.
    private static readonly string[] s_order =
        [KernelLocks.CpuHotplugLock, KernelLocks.TdxLock, KernelLocks.KvmLock, KernelLocks.OwnVcpuMutex, KernelLocks.SlotsLock, KernelLocks.InvalidateLock, KernelLocks.MmuLock, FrozenPrefix, Srcu, InterruptsOff];

    /// <summary>All kernel locks but the vCPUs' mutexes are held by name; to hold the numbered mutexes is to hold those of all vCPUs.</summary>
    public static HeldLock Of(TakeLockAction take) => take.Lock switch
    {
        KernelLocks.TdxLock or KernelLocks.CpuHotplugLock => new HeldLock(take.Lock, take.Write, LockScope.Machine),
        KernelLocks.OwnVcpuMutex => new HeldLock(take.Lock, take.Write, LockScope.Vcpu),
        _ when NameOf(take.Lock) == KernelLocks.OwnVcpuMutex => new HeldLock(KernelLocks.OwnVcpuMutex, take.Write, LockScope.Vm),
        _ when take.Lock.StartsWith(KernelLocks.InvalidateLock, StringComparison.Ordinal) => new HeldLock(take.Lock, take.Write, LockScope.Gpa),
        _ => new HeldLock(take.Lock, take.Write, LockScope.Vm),
    };

    /// <summary>A mirror SPTE that the thread has frozen.</summary>
    public static HeldLock Frozen(int level) => new(level == 0 ? FrozenPrefix : $"{FrozenPrefix} level {level}", true, LockScope.Gpa);

    /// <summary>A flag that keeps vCPUs from entering: exclusive for the thread that set it and kicked, shared for a vCPU that found it clear.</summary>
    public static HeldLock Gate(string flag, bool isExclusive) => new(flag, isExclusive, LockScope.Vm) { IsGate = true };

    /// <summary>It is no lock of the kernel, but a flag or request that keeps vCPUs from entering.</summary>
    public bool IsGate { get; init; }

    /// <summary>The name under which a kernel lock is held.</summary>
    public static string NameOf(string kernelLock) =>
        kernelLock.StartsWith(KernelLocks.OwnVcpuMutex + " ", StringComparison.Ordinal) ? KernelLocks.OwnVcpuMutex : kernelLock;

    /// <summary>Its place in the order in which the kernel takes locks; those that are not in it come first.</summary>
    public int Rank => Array.FindIndex(s_order, name => Name.StartsWith(name, StringComparison.Ordinal));

    /// <summary>As tables show it.</summary>
    public string Text => Name switch
    {
        _ when IsGate => $"{Name} set, kicked",
        KernelLocks.CpuHotplugLock => IsExclusive ? "cpus write" : "cpus read",
        KernelLocks.MmuLock => $"{Name} {(IsExclusive ? "write" : "read")}",
        KernelLocks.OwnVcpuMutex => Scope == LockScope.Vm ? $"every {Name}" : $"own {Name}",
        _ => Name,
    };
}
