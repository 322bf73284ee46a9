using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>TDH.VP.CREATE, ADDCX and INIT (facts/checks.md; INIT version 1: facts/profile-1.5.05.md).</summary>
internal static unsafe class VpBuild
{
    private const int TdvpxPagesForL2 = 9;
    private const uint TscAdjustMsr = 0x3B;

    public static ulong Create(TdxModule module, in RegisterFile registers)
    {
        ulong status = HeldTd.Open(
            module, registers.Rdx, OperandId.RDX, LockMode.Shared, OpStates.VpCreate, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = ExplicitPage.Lock4K(
            module, registers.Rcx, OperandId.RCX, LockMode.Exclusive, PamtPageType.Nda, out PageLock page);
        if (status == Answer.Success)
        {
            var vcpu = (Tdvps*)module.Memory.Zeroed(registers.Rcx);
            vcpu->PageCount = 1;
            vcpu->AssociatedLp = Tdvps.NoLp;
            td.Tdr->AddChildren(1);
            page.Entry->OwnerHpa = td.TdrHpa;
            page.Entry->Type = PamtPageType.Tdvpr;
            module.ForgetGuest(registers.Rcx);
            page.Release();
        }

        td.Release();
        return status;
    }

    public static ulong Addcx(TdxModule module, in RegisterFile registers)
    {
        ulong status = HeldVcpu.Lock(
            module, registers.Rdx, OperandId.RDX, LockMode.Exclusive, LockMode.Shared, out HeldVcpu held);
        if (status != Answer.Success)
            return status;
        status = Addcx(module, registers.Rcx, ref held, out PageLock page, out bool pageLocked);
        held.TdvprLock.Release();
        if (pageLocked)
            page.Release();
        held.ReleaseOpState();
        held.ReleaseTdr();
        return status;
    }

    private static ulong Addcx(
        TdxModule module, ulong hpa, ref HeldVcpu held, out PageLock page, out bool pageLocked)
    {
        page = default;
        pageLocked = false;
        ulong status = held.CheckTdState(module, OpStates.VpAddcx);
        if (status != Answer.Success)
            return status;
        if (held.Vcpu->State != VcpuState.Uninitialized)
            return Status.TDX_VCPU_STATE_INCORRECT;
        if (held.Vcpu->PageCount >= module.TdvpsPages + TdvpxPagesForL2)
            return Status.TDX_TDCX_NUM_INCORRECT;
        status = ExplicitPage.Lock4K(
            module, hpa, OperandId.RCX, LockMode.Exclusive, PamtPageType.Nda, out page);
        if (status != Answer.Success)
            return status;
        pageLocked = true;

        // Nothing that these pages hold is modelled.
        module.Memory.Clear(hpa);
        held.Vcpu->PageCount++;
        held.Tdr->AddChildren(1);
        page.Entry->OwnerHpa = held.TdrHpa;
        page.Entry->Type = PamtPageType.Tdcx;
        return Answer.Success;
    }

    public static ulong Init(TdxModule module, int lp, ulong version, in RegisterFile registers)
    {
        if (version > 1)
            return Answer.Invalid(OperandId.RAX);
        LockMode tdrMode = version == 0 ? LockMode.Shared : LockMode.Exclusive;
        ulong status = HeldVcpu.Lock(
            module, registers.Rcx, OperandId.RCX, LockMode.Exclusive, tdrMode, out HeldVcpu held);
        if (status != Answer.Success)
            return status;
        status = Init(module, lp, version, registers.R8, ref held);
        held.Release();
        return status;
    }

    private static ulong Init(TdxModule module, int lp, ulong version, ulong x2ApicId, ref HeldVcpu held)
    {
        ulong status = held.CheckTdState(module, OpStates.Initialized);
        if (status != Answer.Success)
            return status;
        Tdvps* vcpu = held.Vcpu;
        Tdcs* tdcs = held.Tdcs;
        if (vcpu->PageCount < module.TdvpsPages)
            return Status.TDX_TDCX_NUM_INCORRECT;
        if (vcpu->State != VcpuState.Uninitialized)
            return Status.TDX_VCPU_STATE_INCORRECT;

        int index = Interlocked.Increment(ref tdcs->VcpuCount) - 1;
        if (index >= tdcs->MaxVcpus)
        {
            Interlocked.Decrement(ref tdcs->VcpuCount);
            return Status.TDX_MAX_VCPUS_EXCEEDED;
        }

        vcpu->Index = index;
        if (version == 0)
        {
            tdcs->TopologyEnumConfigured = false;
        }
        else
        {
            if (x2ApicId >> 32 != 0)
            {
                Interlocked.Decrement(ref tdcs->VcpuCount);
                return Answer.Invalid(OperandId.R8);
            }

            // Slots below that no version 1 call wrote count as id 0. The index is not given back.
            Span<uint> slots = Metadata.X2ApicSlots(module, held.Tdr);
            if (slots[..index].Contains((uint)x2ApicId))
                return Status.TDX_X2APIC_ID_NOT_UNIQUE | (uint)x2ApicId;
            slots[index] = (uint)x2ApicId;
        }

        // The count stays raised here as well.
        if (module.Choices.Fails(ChoicePoint.TscAdjustChanged))
            return Status.TDX_INCONSISTENT_MSR | TscAdjustMsr;

        vcpu->Rip = Tdvps.ResetRip;
        vcpu->Epoch = 0;
        vcpu->LastExit = LastTdExit.AsyncFault;
        vcpu->State = VcpuState.Ready;
        Volatile.Write(ref vcpu->AssociatedLp, lp);
        Interlocked.Increment(ref tdcs->AssociatedCount);
        return Answer.Success;
    }
}
