using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>TDH.VP.FLUSH (facts/checks.md): no FATAL, OP_STATE or vCPU state check, and no epoch.</summary>
internal static unsafe class VpFlush
{
    public static ulong Flush(TdxModule module, int lp, in RegisterFile registers)
    {
        ulong status = HeldVcpu.Lock(
            module, registers.Rcx, OperandId.RCX, LockMode.Exclusive, LockMode.Shared, out HeldVcpu held);
        if (status != Answer.Success)
            return status;
        status = Flush(module, lp, held);
        held.Release();
        return status;
    }

    private static ulong Flush(TdxModule module, int lp, in HeldVcpu held)
    {
        if (held.Tdr->Lifecycle != TdLifecycle.KeysConfigured)
            return Status.TDX_TD_KEYS_NOT_CONFIGURED;
        if (held.Vcpu->PageCount < module.TdvpsPages)
            return Status.TDX_TDCX_NUM_INCORRECT;
        if (Volatile.Read(ref held.Vcpu->AssociatedLp) != lp)
            return Status.TDX_VCPU_NOT_ASSOCIATED;

        Volatile.Write(ref held.Vcpu->AssociatedLp, Tdvps.NoLp);
        Interlocked.Decrement(ref ((Tdcs*)module.Memory.Find(held.Tdr->TdcxHpa[0]))->AssociatedCount);
        return Answer.Success;
    }
}
