using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>Makes a call ready for its first step: nothing held, nothing failed.</summary>
internal static class CallStart<S>
    where S : struct, IState
{
    /// <summary>A SEAMCALL.</summary>
    public static void Begin(ref Call c, int lp, in RegisterFile registers, uint choices)
    {
        RegisterFile.Copy(registers, ref c.In);
        RegisterFile.Copy(registers, ref c.Out);
        c.Status = Status.TDX_SUCCESS;
        c.Held = 0;
        c.Size = default;
        c.FailedStep = 0;
        c.Detail = FailureDetail.None;
        c.End = CallEnd.Returned;
        c.OutOfScope = false;
        c.Lp = lp;
        c.Choices = choices;
    }

    /// <summary>A TDCALL of a vCPU, or its access to memory.</summary>
    public static void BeginGuest(ref S s, ref Call c, int lp, int vcpu, in RegisterFile registers, uint choices)
    {
        Begin(ref c, lp, registers, choices);
        c.Vcpu = vcpu;
        c.Td = s.Holder((int)s.Pamt(new PamtRef(0, (int)s.Vcpu(vcpu, VcpuField.TdvprPage)), PamtField.Owner) - 1);
    }
}
