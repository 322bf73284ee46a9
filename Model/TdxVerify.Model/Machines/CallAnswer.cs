using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>What a call that has carried out its steps answers.</summary>
internal static class CallAnswer<S>
    where S : struct, IState
{
    /// <summary>The registers of a SEAMCALL or of a TDCALL that returned.</summary>
    public static void Finish(ref S s, ref Call c, ref RegisterFile registers)
    {
        switch (c.Detail)
        {
            case FailureDetail.SeptEntry:
                SeptSteps<S>.ReturnEntry(ref s, ref c, 0);
                break;
            case FailureDetail.InputsRestored:
                c.Out.Rcx = c.In.Rcx;
                c.Out.Rdx = c.In.Rdx;
                break;
            case FailureDetail.LevelInStatus:
                c.Status += (uint)c.Level;
                break;
            case FailureDetail.X2ApicIdInStatus:
                c.Status += (uint)c.In.R8;
                break;
            case FailureDetail.EmulatedEptViolation:
                c.Out = new RegisterFile
                {
                    Rcx = (ulong)GuestAccess.Write, R8 = c.Gpa & ~(ulong)(Hpa.PageSize - 1), Rbp = c.In.Rbp,
                };
                break;
            default:
                break;
        }

        // In this order: a copy of registers of which one was written just before waits for that write.
        RegisterFile.Copy(c.Out, ref registers);
        registers.Rax = c.Out.Rax = c.Status;
    }

    /// <summary>The registers that the host sees after a TD exit.</summary>
    public static RegisterFile Exit(in Call c) => c.End switch
    {
        CallEnd.EptViolation => new RegisterFile { Rax = (ulong)ExitReason.EptViolation, Rcx = c.Out.Rcx, Rdx = c.Out.Rdx, R8 = c.Out.R8 },
        CallEnd.InterruptExit => new RegisterFile { Rax = (ulong)ExitReason.ExternalInterrupt },
        _ => c.Out with { Rax = c.Status },
    };

    /// <summary>The processor delivers #VE. The guest's handler reads the information at once, so it is never valid at a second one.</summary>
    public static void DeliverVirtualizationException(ref S s, in Call c)
    {
        s.SetVcpu(c.Vcpu, VcpuField.VeExitReason, (ulong)ExitReason.EptViolation);
        s.SetVcpu(c.Vcpu, VcpuField.VeQualification, (ulong)c.Access);
        s.SetVcpu(c.Vcpu, VcpuField.VeGla, 0);
        s.SetVcpu(c.Vcpu, VcpuField.VeGpa, c.Gpa);
        s.SetVcpu(c.Vcpu, VcpuField.VeValid, 1);
        s.SetVcpu(c.Vcpu, VcpuField.Rip, GuestProgram.VeInfoRip);
    }
}
