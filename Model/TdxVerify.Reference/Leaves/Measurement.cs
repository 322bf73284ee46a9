using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// TDH.MR.EXTEND and MR.FINALIZE (facts/checks.md). MRTD itself is not computed: no field of the scope shows it.
/// </summary>
internal static unsafe class Measurement
{
    private const ulong ChunkSize = 256;

    public static ulong Extend(TdxModule module, ref RegisterFile registers)
    {
        ulong gpa = registers.Rcx;
        ulong tdrHpa = registers.Rdx;
        registers.Rcx = 0;
        registers.Rdx = 0;
        ulong status = HeldTd.Open(
            module, tdrHpa, OperandId.RDX, LockMode.Exclusive, OpStates.Initialized, out HeldTd td);
        if (status != Answer.Success)
            return status;
        status = Extend(module, td, gpa, ref registers);
        td.Release();
        return status;
    }

    private static ulong Extend(TdxModule module, in HeldTd td, ulong gpa, ref RegisterFile registers)
    {
        if ((gpa & (ChunkSize - 1)) != 0 || !SeptWalk.IsPrivate(td.Tdcs, gpa))
            return Answer.Invalid(OperandId.RCX);
        int level = SeptLevel.Page4K;
        SeptWalk.Walk(module, td.Tdcs, gpa, ref level, out ulong entry);
        if (!SeptEntry.IsLeaf(entry) || (entry & SeptEntry.PermissionsMask) == 0)
        {
            HeldSeptEntry.Describe(entry, level, ref registers);
            return Status.TDX_EPT_ENTRY_NOT_PRESENT | (uint)OperandId.RCX;
        }

        return SeptStates.Of(entry).Has(SeptTraits.MrExtend) ? Answer.Success : Status.TDX_EPT_ENTRY_NOT_PRESENT;
    }

    public static ulong Finalize(TdxModule module, in RegisterFile registers)
    {
        ulong status = HeldTd.Open(
            module, registers.Rcx, OperandId.RCX, LockMode.Exclusive, OpStates.Initialized, out HeldTd td);
        if (status != Answer.Success)
            return status;
        if (td.Tdcs->VcpuCount == 0)
            status = Status.TDX_NO_VCPUS;
        else
            td.Tdcs->OpState = OpState.Runnable;
        td.Release();
        return status;
    }
}
