using static TdxVerify.Host.Do;

namespace TdxVerify.Host.Kvm;

/// <summary>What zaps private pages, and under which locks (facts/kvm.md, 3.1, 8.2, 8.3).</summary>
internal static class ZapCallers
{
    /// <summary>What a zapper reports when it is through.</summary>
    public const string Zapped = "zapped";

    /// <summary>fallocate(PUNCH_HOLE) on guest_memfd. A later fault allocates the page anew.</summary>
    /// <param name="release">The release.</param>
    /// <param name="zapLeafs">tdp_mmu_zap_leafs.</param>
    /// <param name="inodeLock">The invalidate_lock of the guest_memfd inode that it works on.</param>
    public static HostProgram PunchHole(KvmRelease release, HostProgram zapLeafs, string inodeLock = KernelLocks.InvalidateLock) =>
        Invalidation(HostProgram.Named("kvm_gmem_punch_hole", release.In("guest_memfd.c"))
                .State("Z0", Lock(inodeLock)).Next("Z1"), zapLeafs, "Z9")
            .State("Z9", WriteLockMmu).Next("Z9 end")
            .State("Z9 end", InvalidateEnd).Next("Z9 unlock")
            .State("Z9 unlock", UnlockMmu).Next("Z10")
            .State("Z10", Unlock(inodeLock)).Next(HostProgram.Done).Progress(Zapped)
            .Build();

    /// <summary>KVM_SET_MEMORY_ATTRIBUTES: to shared, and later back to private, which makes no SEAMCALL.</summary>
    public static HostProgram ConvertToShared(KvmRelease release, HostProgram zapLeafs) =>
        Invalidation(HostProgram.Named("kvm_vm_set_mem_attributes", release.In("kvm_main.c"))
                .State("Z0", Lock(KernelLocks.SlotsLock)).Next("Z1"), zapLeafs, "Z8")
            .State("Z8", Set(KvmVariables.IsShared)).Next("Z9")
            .State("Z9", WriteLockMmu).Next("Z9 end")
            .State("Z9 end", InvalidateEnd).Next("Z9 unlock")
            .State("Z9 unlock", UnlockMmu).Next("back begin")
            .State("back begin", WriteLockMmu).Next("back window")
            .State("back window", InvalidateBegin).Next("back unlock")
            .State("back unlock", UnlockMmu).Next("back")
            .State("back", Clear(KvmVariables.IsShared)).Next("back end lock")
            .State("back end lock", WriteLockMmu).Next("back end")
            .State("back end", InvalidateEnd).Next("back end unlock")
            .State("back end unlock", UnlockMmu).Next("Z10")
            .State("Z10", Unlock(KernelLocks.SlotsLock)).Next(HostProgram.Done).Progress("converted")
            .Build();

    /// <summary>A memslot is deleted, and created anew afterwards. No invalidation window: INVALID and SRCU take its place.</summary>
    public static HostProgram DeleteMemslot(KvmRelease release, HostProgram zapLeafs) =>
        HostProgram.Named("kvm_set_memslot", release.In("kvm_main.c"))
            .State("C1", Lock(KernelLocks.SlotsLock)).Next("C2")
            .State("C2", Set(KvmVariables.SlotInvalid), "kvm_invalidate_memslot").Next("C3")
            .State("C3", SynchronizeSrcu, "kvm_swap_active_memslots").Next("C4")
            .State("C4", WriteLockMmu, "kvm_mmu_zap_memslot").Next("C4 zap")
            .State("C4 zap", Call(zapLeafs), "kvm_mmu_zap_memslot").Next("C4 unlock")
            .State("C4 unlock", UnlockMmu, "kvm_mmu_zap_memslot").Next("C5")
            .State("C5", Clear(KvmVariables.SlotInvalid), "kvm_swap_active_memslots").Next("C5 wait")
            .State("C5 wait", SynchronizeSrcu, "kvm_swap_active_memslots").Next("C6")
            .State("C6", Unlock(KernelLocks.SlotsLock)).Next(HostProgram.Done).Progress("deleted the memslot")
            .Build();

    /// <summary>
    /// An invalidation of shared memory by the host's own memory management (facts/kvm.md, 8.1): no SEAMCALL, but every
    /// fault that began before its end begins anew. Left out: mn_active_invalidate_count (B1, B5).
    /// </summary>
    public static HostProgram MmuNotifier(KvmRelease release) => HostProgram.Named("kvm_mmu_notifier_invalidate_range", release.In("kvm_main.c"))
        .State("B2", WriteLockMmu).Next("B2 begin")
        .State("B2 begin", InvalidateBegin).Next("B2 unlock")
        .State("B2 unlock", UnlockMmu).Next("B4")
        .State("B4", WriteLockMmu).Next("B4 end")
        .State("B4 end", InvalidateEnd).Next("B4 unlock")
        .State("B4 unlock", UnlockMmu).Next(HostProgram.Done).Progress("invalidated")
        .Build();

    // Z1 to Z7: the window opens in the same critical section as the zap.
    private static ProgramBuilder Invalidation(ProgramBuilder program, HostProgram zapLeafs, string then) => program
        .State("Z1", WriteLockMmu).Next("Z1 begin")
        .State("Z1 begin", InvalidateBegin).Next("Z2")
        .State("Z2", Call(zapLeafs)).Next("Z7")
        .State("Z7", UnlockMmu).Next(then);
}
