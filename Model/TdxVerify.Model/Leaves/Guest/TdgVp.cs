using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDG.VP.VMCALL, TDG.VP.INFO and TDG.VP.VEINFO.GET, and the answer to a TDCALL that is no leaf.</summary>
internal static class TdgVp<S>
    where S : struct, IState
{
    private const ulong VmcallForbidden = 0xFFFF_FFFF_0000_0013;
    private const ulong RbpSelected = 1UL << 5;
    private const ulong NoRbpMod = 1UL << 2;

    public static Leaf<S> DeclareVmcall() => GuestSteps<S>.Tdcall(GuestLeaf.TDG_VP_VMCALL)
        .Check("RCX: bits 0, 1, 4 and 63:32 are 0, bit 5 too if CONFIG_FLAGS.NO_RBP_MOD", SelectionIsLegal, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rcx))
        .Effect("TD exit: RAX = exit reason 77, RCX = guest RCX bits 31:0, selected registers passed, others 0", Exit, ends: CallEnd.Vmcall)
        .Build();

    public static Leaf<S> DeclareInfo() => GuestSteps<S>.Tdcall(GuestLeaf.TDG_VP_INFO)
        .Effect("RCX = GPA width", ReturnGpaWidth, writes: Register.Rcx)
        .Effect("RDX = ATTRIBUTES", ReturnAttributes, writes: Register.Rdx)
        .Effect("R8 = number of vCPUs | MAX_VCPUS << 32", ReturnVcpus, writes: Register.R8)
        .Effect("R9 = vCPU index", ReturnIndex, writes: Register.R9)
        .Effect("R10 = 1, R11 = 0", ReturnFeatures, writes: [Register.R10, Register.R11])
        .Build();

    public static Leaf<S> DeclareVeInfoGet() => GuestSteps<S>.Tdcall(GuestLeaf.TDG_VP_VEINFO_GET)
        .Preset(Register.Rcx, Register.Rdx, Register.R8, Register.R9, Register.R10)
        .Check("VE info is valid", VeInfoIsValid, new Failure(Status.TDX_NO_VALID_VE_INFO))
        .Effect("RCX = exit reason, RDX = qualification, R8 = GLA, R9 = GPA, R10 = instruction", ReturnVeInfo, writes: [Register.Rcx, Register.Rdx, Register.R8, Register.R9, Register.R10])
        .Effect("VE info is not valid any more", ClearVeInfo)
        .Build();

    public static Leaf<S> DeclareDispatcher() => GuestSteps<S>.VmExit(new LeafBuilder<S>(new LeafId("TDCALL dispatcher", true, -1)))
        .Check("RAX: bits 31:24 and 63:32 are 0", RaxReservedAreZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rax))
        .Check("version is 0 (TDG.VM.RD: any)", VersionIs0, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rax))
        .Check("leaf is known", LeafIsKnown, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rax))
        .Build();

    private static bool SelectionIsLegal(ref S s, ref Call c, int arg)
    {
        ulong forbidden = VmcallForbidden;
        if ((s.Td(c.Td, TdField.ConfigFlags) & NoRbpMod) != 0)
            forbidden |= RbpSelected;
        return (c.In.Rcx & forbidden) == 0;
    }

    private static void Exit(ref S s, ref Call c, int arg)
    {
        ulong selected = c.In.Rcx;
        c.End = CallEnd.Vmcall;
        c.Status = (ulong)ExitReason.Tdcall;
        c.Out = default;
        foreach (Register register in RegisterFile.All)
        {
            if ((selected >> (int)register & 1) != 0)
                c.Out[register] = c.In[register];
        }

        c.Out.Rcx = (uint)selected;
    }

    private static void ReturnGpaWidth(ref S s, ref Call c, int arg) => c.Out.Rcx = SeptSteps<S>.HasWideGpa(ref s, c.Td) ? 52UL : 48;

    private static void ReturnAttributes(ref S s, ref Call c, int arg) => c.Out.Rdx = s.Td(c.Td, TdField.Attributes);

    private static void ReturnVcpus(ref S s, ref Call c, int arg) =>
        c.Out.R8 = s.Td(c.Td, TdField.NumVcpus) | (s.Td(c.Td, TdField.MaxVcpus) << 32);

    private static void ReturnIndex(ref S s, ref Call c, int arg) => c.Out.R9 = s.Vcpu(c.Vcpu, VcpuField.Index);

    private static void ReturnFeatures(ref S s, ref Call c, int arg)
    {
        c.Out.R10 = 1;
        c.Out.R11 = 0;
    }

    private static bool VeInfoIsValid(ref S s, ref Call c, int arg) => s.Vcpu(c.Vcpu, VcpuField.VeValid) != 0;

    private static void ReturnVeInfo(ref S s, ref Call c, int arg)
    {
        c.Out.Rcx = s.Vcpu(c.Vcpu, VcpuField.VeExitReason);
        c.Out.Rdx = s.Vcpu(c.Vcpu, VcpuField.VeQualification);
        c.Out.R8 = s.Vcpu(c.Vcpu, VcpuField.VeGla);
        c.Out.R9 = s.Vcpu(c.Vcpu, VcpuField.VeGpa);
        c.Out.R10 = 0;
    }

    private static void ClearVeInfo(ref S s, ref Call c, int arg) => s.SetVcpu(c.Vcpu, VcpuField.VeValid, 0);

    private static bool RaxReservedAreZero(ref S s, ref Call c, int arg) => (c.In.Rax & 0xFFFF_FFFF_FF00_0000) == 0;

    private static bool VersionIs0(ref S s, ref Call c, int arg) =>
        LeafNames.Version(c.In.Rax) == 0 || LeafNames.Number(c.In.Rax) == (ushort)GuestLeaf.TDG_VM_RD;

    private static bool LeafIsKnown(ref S s, ref Call c, int arg) => ((GuestLeaf)LeafNames.Number(c.In.Rax)).Exists();
}
