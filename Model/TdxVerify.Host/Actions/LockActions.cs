using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>
/// Takes a kernel lock for reading or writing; mutexes are only ever taken for writing. All queue in order of arrival: a
/// reader waits behind a writer that waits. To join the queue is a step, and so is to be granted the lock later.
/// </summary>
/// <param name="Lock">Its name: <c>mmu_lock</c>, <c>slots_lock</c>, <c>kvm->lock</c>.</param>
/// <param name="Write">Exclusively.</param>
public sealed record TakeLockAction(string Lock, bool Write) : HostAction
{
    /// <inheritdoc/>
    public override string Text => Lock == KernelLocks.MmuLock ? $"{(Write ? "write" : "read")}_lock(mmu_lock)" : $"lock({Lock})";

    internal override bool NeedsVcpu => Lock == KernelLocks.OwnVcpuMutex;

    internal override ActionEnd Run(ref HostStep at)
    {
        Cell cell = at.LockCell(Lock);
        ulong queue = at.Cells.Read(cell);
        if (at.Thread.Part == 0)
        {
            queue = LockQueue.Join(queue, at.Agent, Write);
            at.Cells.Write(cell, queue);
            if (LockQueue.IsGranted(queue, at.Agent))
                return ActionEnd.Complete;
            at.Thread.Part = 1;
            return ActionEnd.Again;
        }

        return LockQueue.IsGranted(queue, at.Agent) ? ActionEnd.Complete : ActionEnd.Wait;
    }

    internal override string Describe(HostMachine machine, in Thread thread) => thread.Part == 0 ? Text : $"{Text}: granted";
}

/// <summary>Drops a kernel lock.</summary>
/// <param name="Lock">Its name.</param>
public sealed record DropLockAction(string Lock) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"unlock({Lock})";

    internal override bool NeedsVcpu => Lock == KernelLocks.OwnVcpuMutex;

    internal override ActionEnd Run(ref HostStep at)
    {
        Cell cell = at.LockCell(Lock);
        ulong queue = at.Cells.Read(cell);
        if (!LockQueue.Contains(queue, at.Agent))
            throw new ProgramException($"{at.Bound.Name}: drops {Lock}, which it does not hold.");
        at.Cells.Write(cell, LockQueue.Leave(queue, at.Agent));
        return ActionEnd.Complete;
    }
}

/// <summary>Somebody waits for a lock that the thread holds: rwlock_is_contended.</summary>
/// <param name="Lock">Its name.</param>
public sealed record IsContendedAction(string Lock) : HostAction
{
    /// <inheritdoc/>
    public override string Text => $"{Lock} contended?";

    /// <inheritdoc/>
    public override ResultKind Result => ResultKind.YesNo;

    internal override bool NeedsVcpu => Lock == KernelLocks.OwnVcpuMutex;

    internal override ActionEnd Run(ref HostStep at)
    {
        at.Answer = Answer.Of(LockQueue.HasWaiter(at.Cells.Read(at.LockCell(Lock))));
        return ActionEnd.Complete;
    }
}

/// <summary>Names of kernel locks that programs share.</summary>
public static class KernelLocks
{
    /// <summary>kvm->mmu_lock: a queued read/write lock.</summary>
    public const string MmuLock = "mmu_lock";

    /// <summary>kvm->slots_lock.</summary>
    public const string SlotsLock = "slots_lock";

    /// <summary>kvm->lock.</summary>
    public const string KvmLock = "kvm->lock";

    /// <summary>The guest_memfd inode's invalidate_lock.</summary>
    public const string InvalidateLock = "invalidate_lock";

    /// <summary>The global tdx_lock.</summary>
    public const string TdxLock = "tdx_lock";

    /// <summary>cpu_hotplug_lock: cpus_read_lock takes it shared, a processor that comes or goes takes it exclusively.</summary>
    public const string CpuHotplugLock = "cpu_hotplug_lock";

    /// <summary>vcpu->mutex of the thread's own vCPU.</summary>
    public const string OwnVcpuMutex = "vcpu->mutex";

    /// <summary>vcpu->mutex of a vCPU.</summary>
    public static string VcpuMutex(int vcpu) => $"{OwnVcpuMutex} {vcpu}";
}
