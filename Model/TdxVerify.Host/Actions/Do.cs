using TdxVerify.Abi;

namespace TdxVerify.Host;

/// <summary>The actions of host programs, in the kernel's words. Programs import them with <c>using static</c>.</summary>
public static class Do
{
    /// <summary>A SEAMCALL. Operands come from the agent's bindings: its TD, vCPU, GPA, and the page of the GPA.</summary>
    /// <param name="leaf">The leaf.</param>
    /// <param name="level">The level of the S-EPT entry, for leaves that name one.</param>
    /// <param name="version">The version.</param>
    /// <param name="operands">Operands other than those.</param>
    public static HostAction Seamcall(HostLeaf leaf, int level = SeptLevel.Page4K, int version = 0, params (Register Register, Operand Operand)[] operands) =>
        new SeamcallAction(leaf, level, version, operands.ToDictionary(operand => operand.Register, operand => operand.Operand));

    /// <summary>Goes on.</summary>
    public static HostAction Goto { get; } = new GotoAction();

    /// <summary>Calls another program.</summary>
    public static HostAction Call(HostProgram program) => new CallAction(program);

    /// <summary>KVM_BUG_ON.</summary>
    public static HostAction BugVm(string why) => new BugVmAction(why);

    /// <summary>Something happens or not: a signal, an event, the scheduler. Both are explored.</summary>
    public static HostAction Perhaps(string what) => new ChoiceAction(what);

    /// <summary>read_lock(mmu_lock).</summary>
    public static HostAction ReadLockMmu { get; } = new TakeLockAction(KernelLocks.MmuLock, false);

    /// <summary>write_lock(mmu_lock).</summary>
    public static HostAction WriteLockMmu { get; } = new TakeLockAction(KernelLocks.MmuLock, true);

    /// <summary>unlock(mmu_lock), however it was taken.</summary>
    public static HostAction UnlockMmu { get; } = new DropLockAction(KernelLocks.MmuLock);

    /// <summary>Takes a mutex, or a lock exclusively: <see cref="KernelLocks"/>.</summary>
    public static HostAction Lock(string name) => new TakeLockAction(name, true);

    /// <summary>Takes a lock shared.</summary>
    public static HostAction LockShared(string name) => new TakeLockAction(name, false);

    /// <summary>Drops a lock.</summary>
    public static HostAction Unlock(string name) => new DropLockAction(name);

    /// <summary>Somebody waits for a lock.</summary>
    public static HostAction IsContended(string name) => new IsContendedAction(name);

    /// <summary>srcu_read_lock.</summary>
    public static HostAction SrcuReadLock { get; } = new SrcuLockAction();

    /// <summary>srcu_read_unlock.</summary>
    public static HostAction SrcuReadUnlock { get; } = new SrcuUnlockAction();

    /// <summary>synchronize_srcu.</summary>
    public static HostAction SynchronizeSrcu { get; } = new SrcuSynchronizeAction();

    /// <summary>local_irq_disable.</summary>
    public static HostAction IrqOff { get; } = new IrqOffAction();

    /// <summary>local_irq_enable: IPIs that waited are served.</summary>
    public static HostAction IrqOn { get; } = new IrqOnAction();

    /// <summary>A host interrupt becomes pending, or is served: what interruptible SEAMCALLs look at.</summary>
    public static HostAction SetHostInterrupt(bool pending) => new SetHostInterruptAction(pending);

    /// <summary>Reads the mirror SPTE of the GPA: none, frozen or present.</summary>
    public static HostAction ReadSpte(int level = SeptLevel.Page4K) => new ReadSpteAction(level);

    /// <summary>cmpxchg of the mirror SPTE of the GPA.</summary>
    public static HostAction CompareExchangeSpte(SpteKind old, SpteKind to, int level = SeptLevel.Page4K) => new CompareSpteAction(level, old, to);

    /// <summary>Writes the mirror SPTE of the GPA.</summary>
    public static HostAction WriteSpte(SpteKind to, int level = SeptLevel.Page4K) => new WriteSpteAction(level, to);

    /// <summary>kvm_mmu_invalidate_begin.</summary>
    public static HostAction InvalidateBegin { get; } = new InvalidateBeginAction();

    /// <summary>kvm_mmu_invalidate_end.</summary>
    public static HostAction InvalidateEnd { get; } = new InvalidateEndAction();

    /// <summary>mmu_seq = mmu_invalidate_seq.</summary>
    public static HostAction SnapshotInvalidateSeq { get; } = new SnapshotAction();

    /// <summary>mmu_invalidate_retry.</summary>
    public static HostAction InvalidateRetry { get; } = new InvalidateRetryAction();

    /// <summary>A variable of the VM, such as <c>wait_for_sept_zap</c>, gets a value.</summary>
    public static HostAction Set(string variable, ulong value = 1) => new WriteVariableAction(variable, value);

    /// <summary>A variable of the VM becomes 0.</summary>
    public static HostAction Clear(string variable) => new WriteVariableAction(variable, 0);

    /// <summary>A variable of the VM has a value.</summary>
    public static HostAction Test(string variable, ulong value = 1) => new TestVariableAction(variable, value);

    /// <summary>A variable of the VM goes up by one. No: it was at the limit.</summary>
    public static HostAction Increment(string variable, int limit = 3) => new CountVariableAction(variable, 1, limit);

    /// <summary>A variable of the VM goes down by one. No: it was 0.</summary>
    public static HostAction Decrement(string variable, int limit = 3) => new CountVariableAction(variable, -1, limit);

    /// <summary>vcpu->mode of the own vCPU gets a value.</summary>
    public static HostAction SetMode(VcpuMode mode) => new SetModeAction(mode);

    /// <summary>vcpu->mode of the own vCPU has a value.</summary>
    public static HostAction ModeIs(VcpuMode mode) => new TestModeAction(mode);

    /// <summary>kvm_make_request for the own vCPU, or a vCPU by its number.</summary>
    public static HostAction MakeRequest(string request, int vcpu = -1) => new MakeRequestAction(request, vcpu);

    /// <summary>kvm_check_request for the own vCPU: tested and cleared.</summary>
    public static HostAction CheckRequest(string request) => new CheckRequestAction(request);

    /// <summary>kvm_clear_request for every vCPU.</summary>
    public static HostAction ClearRequestOfAll(string request) => new ClearRequestAction(request);

    /// <summary>kvm_request_pending for the own vCPU.</summary>
    public static HostAction RequestPending { get; } = new AnyRequestAction();

    /// <summary>kvm_make_all_cpus_request: by default KVM_REQ_OUTSIDE_GUEST_MODE, which sets no bit, with wait.</summary>
    public static HostAction Kick(string? request = null, bool waits = true) => new KickAction(request, waits);

    /// <summary>smp_call_function_single to the processor of the own vCPU. Yes: what follows runs there. No: it is on none.</summary>
    public static HostAction SmpCallBegin { get; } = new SmpCallBeginAction();

    /// <summary>The function sent by <see cref="SmpCallBegin"/> has ended.</summary>
    public static HostAction SmpCallEnd { get; } = new SmpCallEndAction();

    /// <summary>vcpu->cpu = this CPU.</summary>
    public static HostAction VcpuCpuIsHere { get; } = new SetVcpuCpuAction(true);

    /// <summary>vcpu->cpu = -1.</summary>
    public static HostAction VcpuCpuIsNone { get; } = new SetVcpuCpuAction(false);

    /// <summary>vcpu->cpu is the processor that the thread runs on.</summary>
    public static HostAction IsVcpuCpuHere { get; } = new TestVcpuCpuAction();

    /// <summary>The scheduler moves the thread to another processor.</summary>
    public static HostAction MoveTo(int lp) => new MoveToAction(lp);

    /// <summary>A counter of the thread gets a value.</summary>
    public static HostAction SetCounter(string counter, int value = 0) => new SetCounterAction(counter, value);

    /// <summary>A counter of the thread goes up by one. No: it was at the limit.</summary>
    public static HostAction CountBelow(string counter, int limit) => new CountAction(counter, limit);

    /// <summary>gpa = the first of those that the agent works on.</summary>
    public static HostAction FirstGpa { get; } = new FirstGpaAction();

    /// <summary>gpa = the next of those that the agent works on. No: there is none left.</summary>
    public static HostAction NextGpa { get; } = new NextGpaAction();
}
