using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>TDG.VP.VMCALL, VP.INFO and VP.VEINFO.GET (facts/checks.md).</summary>
internal static unsafe class GuestVp
{
    // RAX, RCX and RSP cannot be passed, and bits 63:32 are reserved.
    private const ulong VmcallReserved = 0xFFFF_FFFF_0000_0013;
    private const ulong VmcallRbp = 1UL << 5;

    public static TdcallOutcome Vmcall(
        LogicalProcessor lp, in RegisterFile guest, ref ulong status, ref RegisterFile host)
    {
        ulong reserved = lp.Tdcs->NoRbpModification ? VmcallReserved | VmcallRbp : VmcallReserved;
        if ((guest.Rcx & reserved) != 0)
        {
            status = Answer.Invalid(OperandId.RCX);
            return TdcallOutcome.Returned;
        }

        TdExit.Vmcall(lp, guest, out host);
        return TdcallOutcome.LeftDone;
    }

    public static void Info(LogicalProcessor lp, ref RegisterFile guest)
    {
        Tdcs* tdcs = lp.Tdcs;
        guest.Rcx = tdcs->Gpaw ? 52u : 48u;
        guest.Rdx = tdcs->Attributes;
        guest.R8 = (uint)Volatile.Read(ref tdcs->VcpuCount) | ((ulong)tdcs->MaxVcpus << 32);
        guest.R9 = (uint)lp.Vcpu->Index;
        guest.R10 = 1;
        guest.R11 = 0;
    }

    public static ulong VeInfoGet(LogicalProcessor lp, ref RegisterFile guest)
    {
        VeInfo info = default;
        ulong status = Status.TDX_NO_VALID_VE_INFO;
        if (lp.Vcpu->VeInfoValid)
        {
            info = lp.Vcpu->VeInfo;
            lp.Vcpu->VeInfoValid = false;
            status = Answer.Success;
        }

        guest.Rcx = info.ExitReason;
        guest.Rdx = info.Qualification;
        guest.R8 = info.Gla;
        guest.R9 = info.Gpa;
        guest.R10 = info.InstructionInfo;
        return status;
    }
}
