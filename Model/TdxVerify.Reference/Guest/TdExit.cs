using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>The ways from the guest back to the host (facts/checks.md, "TD exit"). No lock is taken, all are dropped.</summary>
internal static unsafe class TdExit
{
    public const ulong EptViolationReason = 48;

    private const ulong ExternalInterruptReason = 1;
    private const ulong VmcallReason = 77;
    private const ulong TdcallLength = 4;
    private const ulong PageOffsetMask = Hpa.PageSize - 1;

    // The registers that TDG.VP.VMCALL can pass, by their number; RBP (5) only where the TD lets it.
    private const ulong VmcallPassable = 0xFFEC;

    /// <summary>TDG.VP.VMCALL: passes the registers that the guest's RCX selects.</summary>
    public static void Vmcall(LogicalProcessor lp, in RegisterFile guest, out RegisterFile host)
    {
        host = default;
        ulong selected = guest.Rcx & VmcallPassable;
        foreach (Register register in RegisterFile.All)
        {
            if ((selected & (1UL << (int)register)) != 0)
                host[register] = guest[register];
        }

        if (lp.Tdcs->NoRbpModification)
            host.Rbp = lp.HostRbp;
        host.Rax = VmcallReason;
        host.Rcx = (uint)guest.Rcx;
        lp.Vcpu->Rip += TdcallLength;
        Leave(lp, LastTdExit.Tdvmcall);
    }

    /// <summary>An EPT violation: the guest's RIP stays, the operation is repeated after the next entry.</summary>
    public static void EptViolation(
        LogicalProcessor lp, ulong gpa, ulong qualification, ulong extendedQualification, out RegisterFile host)
    {
        host = default;
        host.Rax = EptViolationReason;
        host.Rcx = (uint)qualification;
        host.Rdx = extendedQualification;
        host.R8 = gpa & ~PageOffsetMask;
        Leave(lp, LastTdExit.AsyncFault);
    }

    /// <summary>A pending interrupt, seen by an interruptible operation.</summary>
    public static void ExternalInterrupt(LogicalProcessor lp, out RegisterFile host)
    {
        host = default;
        host.Rax = ExternalInterruptReason;
        Leave(lp, LastTdExit.AsyncFault);
    }

    /// <summary>State first, then the reference count, then TDR and TDVPR.</summary>
    private static void Leave(LogicalProcessor lp, LastTdExit exit)
    {
        Tdvps* vcpu = lp.Vcpu;
        vcpu->LastExit = exit;
        vcpu->State = VcpuState.Ready;
        lp.Tdcs->Epoch.Leave(vcpu->Epoch);
        lp.Running = false;
        HostPriorityLock.Release(ref lp.TdrEntry->Lock, LockMode.Shared);
        lp.TdvprLock.Release();
    }
}
