using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>How a TDCALL ended.</summary>
internal enum TdcallOutcome
{
    /// <summary>It returns to the guest with a status.</summary>
    Returned,

    /// <summary>It left to the host; RIP stays and it will be repeated.</summary>
    LeftForRepeat,

    /// <summary>TDG.VP.VMCALL: it left to the host and is done.</summary>
    LeftDone,
}

/// <summary>The guest dispatcher (facts/checks.md).</summary>
internal static unsafe class Tdcall
{
    private const ulong ReservedMask = 0xFFFF_FFFF_FF00_0000;
    private const int VersionShift = 16;
    private const ulong TdcallLength = 4;

    /// <summary>The TDCALL passes the dispatcher and its leaf is none of those below.</summary>
    public static bool IsUnmodelled(ulong rax) =>
        Check(rax, out GuestLeaf leaf) == Answer.Success
        && leaf is not (GuestLeaf.TDG_VP_VMCALL or GuestLeaf.TDG_VP_INFO or GuestLeaf.TDG_VP_VEINFO_GET
            or GuestLeaf.TDG_MEM_PAGE_ACCEPT or GuestLeaf.TDG_MEM_PAGE_ATTR_RD or GuestLeaf.TDG_MEM_PAGE_ATTR_WR);

    /// <summary>Executes a TDCALL. True: it left to the host.</summary>
    public static bool Execute(TdxModule module, LogicalProcessor lp, GuestProgram program, out RegisterFile host)
    {
        host = default;
        lp.Vcpu->Rip = program.Operation.Rip;
        ZeroStep.OnVmExit(lp);
        RegisterFile guest = program.Operation.Registers;
        ulong status = Check(guest.Rax, out GuestLeaf leaf);
        if (status == Answer.Success)
        {
            TdcallOutcome outcome = Dispatch(module, lp, leaf, ref guest, ref status, ref host);
            if (outcome == TdcallOutcome.LeftDone)
                program.Complete();
            if (outcome != TdcallOutcome.Returned)
                return true;
        }

        guest.Rax = status;
        lp.Vcpu->Rip += TdcallLength;
        program.Return(guest);
        return false;
    }

    private static TdcallOutcome Dispatch(
        TdxModule module, LogicalProcessor lp, GuestLeaf leaf, ref RegisterFile guest, ref ulong status,
        ref RegisterFile host)
    {
        switch (leaf)
        {
            case GuestLeaf.TDG_VP_VMCALL:
                return GuestVp.Vmcall(lp, guest, ref status, ref host);
            case GuestLeaf.TDG_VP_INFO:
                GuestVp.Info(lp, ref guest);
                return TdcallOutcome.Returned;
            case GuestLeaf.TDG_VP_VEINFO_GET:
                status = GuestVp.VeInfoGet(lp, ref guest);
                return TdcallOutcome.Returned;
            case GuestLeaf.TDG_MEM_PAGE_ACCEPT:
                return PageAccept.Execute(module, lp, guest, ref status, ref host);
            case GuestLeaf.TDG_MEM_PAGE_ATTR_RD:
                return PageAttributes.Read(module, lp, ref guest, ref status, ref host);
            default:
                return PageAttributes.Write(module, lp, ref guest, ref status, ref host);
        }
    }

    private static ulong Check(ulong rax, out GuestLeaf leaf)
    {
        leaf = (GuestLeaf)(ushort)rax;
        if ((rax & ReservedMask) != 0)
            return Answer.Invalid(OperandId.RAX);
        ulong version = (rax >> VersionShift) & 0xFF;
        if (version > 0 && leaf != GuestLeaf.TDG_VM_RD)
            return Answer.Invalid(OperandId.RAX);
        return Enum.IsDefined(leaf) ? Answer.Success : Answer.Invalid(OperandId.RAX);
    }
}
