using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>TDH.VP.ENTER up to the VM entry (facts/checks.md, facts/zerostep.md). What follows is in Guest/.</summary>
internal static unsafe class VpEnter
{
    private const ulong ReservedMask = 0xFFC0_0000_0000_0FFF;
    private const ulong HpaMask = 0x000F_FFFF_FFFF_F000;
    private const ulong HostRecoverabilityHint = 1UL << 52;
    private const ulong ResumeL1 = 1UL << 53;
    private const uint TscAdjustMsr = 0x3B;
    private const uint MiscEnableMsr = 0x1A0;
    private const ulong DataWrite = 2;
    private const ulong PageOffsetMask = Hpa.PageSize - 1;

    /// <summary>
    /// The first half. <paramref name="running"/> true: the vCPU is in the guest on <paramref name="lp"/>, which keeps
    /// TDVPR and TDR locked shared; false: the call ended, the registers hold its outputs but for RAX.
    /// </summary>
    public static ulong Begin(TdxModule module, LogicalProcessor lp, ref RegisterFile registers, out bool running)
    {
        running = false;
        ulong operand = registers.Rcx;
        if (module.Choices.Fails(ChoicePoint.CpuidLimited))
            return Status.TDX_LIMIT_CPUID_MAXVAL_SET;
        if ((operand & ReservedMask) != 0)
            return Answer.Invalid(OperandId.RCX);
        ulong status = HeldVcpu.Lock(
            module, operand & HpaMask, OperandId.RCX, LockMode.Shared, LockMode.Shared, out HeldVcpu held);
        if (status != Answer.Success)
            return status;
        bool treeLocked = false;
        status = Prepare(module, lp, operand, ref held, ref treeLocked, ref registers);
        if (status != Answer.Success)
        {
            held.Release();
            return status;
        }

        // OP_STATE is not held while the guest runs; the tree goes last, just before the entry.
        held.ReleaseOpState();
        lp.TdvprHpa = operand & HpaMask;
        lp.Vcpu = held.Vcpu;
        lp.Tdcs = held.Tdcs;
        lp.TdvprLock = held.TdvprLock;
        lp.TdrEntry = held.TdrEntry;
        lp.HostRbp = registers.Rbp;
        held.Vcpu->State = VcpuState.Active;
        if (treeLocked)
            SharexLock.Release(ref held.Tdcs->SeptTreeLock, LockMode.Exclusive);
        lp.Running = true;
        running = true;
        return Answer.Success;
    }

    private static ulong Prepare(
        TdxModule module, LogicalProcessor lp, ulong operand, ref HeldVcpu held, ref bool treeLocked,
        ref RegisterFile registers)
    {
        ulong status = held.CheckTdState(module, OpStates.VpEnter);
        if (status != Answer.Success)
            return status;
        Tdvps* vcpu = held.Vcpu;
        if (vcpu->PageCount < module.TdvpsPages)
            return Status.TDX_TDCX_NUM_INCORRECT;
        if (vcpu->State != VcpuState.Ready)
            return Status.TDX_VCPU_STATE_INCORRECT;

        // The association stays, whatever fails after it.
        status = held.Associate(lp.Index);
        if (status != Answer.Success)
            return status;
        if ((operand & HostRecoverabilityHint) != 0 && vcpu->LastExit != LastTdExit.AsyncTrap)
            return Answer.Invalid(OperandId.RCX);

        // There is no L2 VM to resume L1 from.
        if ((operand & ResumeL1) != 0)
            return Answer.Invalid(OperandId.RCX);
        if (module.Choices.Fails(ChoicePoint.TscAdjustChanged))
            return Status.TDX_INCONSISTENT_MSR | TscAdjustMsr;
        if (module.Choices.Fails(ChoicePoint.TscRollback))
            return Status.TDX_TSC_ROLLBACK;
        if (module.Choices.Fails(ChoicePoint.MonitorDisabled))
            return Status.TDX_INCORRECT_MSR_VALUE | MiscEnableMsr;

        if (!TryCountIn(module, held.Tdcs, vcpu))
            return Answer.Busy(OperandId.TD_EPOCH);

        lp.RipAtEntry = vcpu->Rip;
        return vcpu->FaultListLength == 0
            ? Answer.Success
            : CheckFaultList(module, held.Tdcs, vcpu, ref treeLocked, ref registers);
    }

    /// <summary>Samples TD_EPOCH and counts the vCPU in, under the epoch lock.</summary>
    private static bool TryCountIn(TdxModule module, Tdcs* tdcs, Tdvps* vcpu)
    {
        if (!module.Lacks(RemovedLock.Epoch) && !SharexLock.TryAcquireShared(ref tdcs->EpochLock))
            return false;
        ulong epoch = tdcs->Epoch.Epoch;
        module.PauseUnder(RemovedLock.Epoch);
        tdcs->Epoch.Enter(epoch);
        SharexLock.Release(ref tdcs->EpochLock, LockMode.Shared);
        vcpu->Epoch = epoch;
        return true;
    }

    /// <summary>The zero-step path: with the tree locked exclusively, each listed GPA has to be mapped.</summary>
    private static ulong CheckFaultList(
        TdxModule module, Tdcs* tdcs, Tdvps* vcpu, ref bool treeLocked, ref RegisterFile registers)
    {
        if (!module.Lacks(RemovedLock.SeptTree) && !SharexLock.TryAcquireExclusive(ref tdcs->SeptTreeLock))
        {
            tdcs->Epoch.Leave(vcpu->Epoch);
            return Answer.Busy(OperandId.SEPT_TREE);
        }

        treeLocked = true;
        if (!ZeroStep.TryFindFaulting(module, tdcs, vcpu, out ulong gpa))
            return Answer.Success;

        SharexLock.Release(ref tdcs->SeptTreeLock, LockMode.Exclusive);
        treeLocked = false;
        tdcs->Epoch.Leave(vcpu->Epoch);
        vcpu->LastExit = LastTdExit.AsyncFault;
        ulong rbp = registers.Rbp;
        registers = default;
        registers.Rcx = DataWrite;
        registers.R8 = gpa & ~PageOffsetMask;
        registers.Rbp = rbp;
        return TdExit.EptViolationReason;
    }
}
