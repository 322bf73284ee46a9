using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// What a vCPU does from the VM entry to its TD exit: the operation that the port was given, then, unless that left
/// to the host, the idle TDG.VP.VMCALL (Hardware/README.md, "The vCPU's conventions").
/// </summary>
internal static unsafe class GuestExecution
{
    private const ulong IdleRip = 0xFFFF_8000_0010_0000;
    private const ulong VeHandlerRip = 0xFFFF_8000_0020_0000;

    private static readonly RegisterFile s_idle = new() { Rcx = 0xFC00, R11 = 12 };

    /// <summary>Runs the guest until it leaves; <paramref name="host"/>: the outputs of TDH.VP.ENTER.</summary>
    public static void Run(TdxModule module, LogicalProcessor lp, out RegisterFile host)
    {
        GuestProgram? program = module.Guests[module.PageIndex(lp.TdvprHpa)];
        if (program is { Pending: true })
        {
            bool left;
            switch (program.Operation.Kind)
            {
                case GuestOperationKind.Access:
                    left = GuestMemory.Access(module, lp, program, out host);
                    break;
                case GuestOperationKind.Tdcall:
                    left = Tdcall.Execute(module, lp, program, out host);
                    break;
                default:
                    program.Complete();
                    left = false;
                    host = default;
                    break;
            }

            if (left)
                return;
            if (program.Result.VirtualizationException)
                ReadVeInfo(lp);
        }

        lp.Vcpu->Rip = IdleRip;
        ZeroStep.OnVmExit(lp);
        TdExit.Vmcall(lp, s_idle, out host);
    }

    /// <summary>The #VE handler's TDG.VP.VEINFO.GET.</summary>
    private static void ReadVeInfo(LogicalProcessor lp)
    {
        if (!lp.Vcpu->VeInfoValid)
            return;
        lp.Vcpu->Rip = VeHandlerRip;
        ZeroStep.OnVmExit(lp);
        lp.Vcpu->VeInfoValid = false;
    }
}
