using TdxVerify.Abi;

namespace TdxVerify.Properties.Sweeps;

/// <summary>TDCALLs with one and with two operands wrong, and TDCALLs between faults that the zero-step mitigation counts.</summary>
internal static class GuestSweep
{
    private const int Threshold = 6;

    // Where the vCPU is after the TDG.VP.VMCALL by which it leaves (Hardware/README.md, "The vCPU's conventions").
    private const ulong RipAfterVmcall = 0xFFFF_8000_0010_0004;

    /// <summary>Each TDCALL with what can be wrong with its operands.</summary>
    public static void Operands(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        ulong rip = 0x50_0000;
        foreach ((GuestLeaf leaf, ulong gpa) in ((GuestLeaf, ulong)[])
            [
                (GuestLeaf.TDG_MEM_PAGE_ACCEPT, SweepStage.SmallGpas[3]), (GuestLeaf.TDG_MEM_PAGE_ATTR_RD, SweepStage.SmallGpas[1]),
                (GuestLeaf.TDG_MEM_PAGE_ATTR_WR, SweepStage.SmallGpas[1]),
            ])
        {
            (Register Register, ulong Flip)[] faults = [.. Faults(gpa)];
            for (int first = 0; first < faults.Length; first++)
            {
                for (int second = first; second < faults.Length; second++)
                {
                    RegisterFile registers = new() { Rax = (ulong)leaf, Rcx = gpa };
                    registers[faults[first].Register] ^= faults[first].Flip;
                    if (second != first)
                        registers[faults[second].Register] ^= faults[second].Flip;
                    Tdcall(run, stage.Running.ReadyVcpu, rip += 16, registers);
                }
            }

            Tdcall(run, stage.Running.ReadyVcpu, rip += 16, new RegisterFile { Rax = (ulong)leaf, Rcx = gpa });
        }

        // Too wide, after a #VE: who looks at the page first sees that of the access before.
        foreach (ulong gpa in (ulong[])[SweepStage.LargeGpas[1], 1UL << 51])
            run.Run(stage.Running.ReadyVcpu, 0, new GuestOperation { Kind = GuestOperationKind.Access, Access = GuestAccess.Read, Rip = rip += 16, Gpa = gpa });

        // Interrupted before anything else: an entry that is not pending decides first.
        run.Interrupt(true);
        Tdcall(
            run, stage.Running.ReadyVcpu, rip + 16,
            new RegisterFile { Rax = (ulong)GuestLeaf.TDG_MEM_PAGE_ACCEPT, Rcx = PageInfo.Of(SweepStage.LargeGpas[4], SeptLevel.Page2M).Value });
        run.Interrupt(false);
    }

    /// <summary>
    /// Faults up to the threshold, a TDCALL at another address, and faults again: forward progress has reset the counter.
    /// </summary>
    public static void ZeroStep(SweepRunner run)
    {
        SweepStage stage = SweepStage.Set(run, with1G: false, withMergeable: false);
        ulong vcpu = stage.Running.ReadyVcpu;
        ulong rip = 0x50_0000;
        foreach (GuestOperation between in Between(stage))
        {
            rip += 0x100;
            GuestOperation other = between with { Rip = rip + 0x80 };
            for (int i = 0; i < Threshold; i++)
                Fault(run, vcpu, rip);
            run.Run(vcpu, 0, other);

            // A TDCALL that left by a TD exit left the vCPU at its own address, one that returned behind the VMCALL.
            foreach (ulong at in (ulong[])[other.Rip, RipAfterVmcall])
            {
                for (int i = 0; i < 3; i++)
                    Fault(run, vcpu, at);
                for (int i = 0; i < Threshold; i++)
                    Fault(run, vcpu, rip);
                run.Run(vcpu, 0, other);
            }

            Fault(run, vcpu, RipAfterVmcall);
            Fault(run, vcpu, RipAfterVmcall);
            run.Run(vcpu, 0, default);
        }
    }

    private static IEnumerable<(Register Register, ulong Flip)> Faults(ulong gpa)
    {
        yield return (Register.Rax, 1UL << 24);
        yield return (Register.Rax, 1UL << 16);
        yield return (Register.Rax, (ulong)GuestLeaf.TDG_MEM_PAGE_ACCEPT ^ 99);
        yield return (Register.Rcx, 1UL << 3);
        yield return (Register.Rcx, 1UL << 47);
        yield return (Register.Rcx, 1UL << 51);
        yield return (Register.Rcx, gpa ^ SeptLevel.Page2M);
        yield return (Register.Rcx, gpa ^ SeptLevel.Page1G);
        yield return (Register.Rcx, gpa ^ SeptLevel.Pml4);
        yield return (Register.Rcx, gpa ^ 7);
        for (int vm = 0; vm < 4; vm++)
        {
            yield return (Register.Rdx, 1UL << (16 * vm));
            yield return (Register.R8, 1UL << (16 * vm));
        }
    }

    private static IEnumerable<GuestOperation> Between(SweepStage stage)
    {
        foreach (RegisterFile registers in (RegisterFile[])
            [
                new() { Rax = (ulong)GuestLeaf.TDG_MEM_PAGE_ACCEPT, Rcx = SweepStage.GpaUnmapped },
                new() { Rax = (ulong)GuestLeaf.TDG_MEM_PAGE_ATTR_RD, Rcx = SweepStage.GpaUnmapped },
                new() { Rax = (ulong)GuestLeaf.TDG_MEM_PAGE_ATTR_WR, Rcx = SweepStage.GpaUnmapped },
                new() { Rax = (ulong)GuestLeaf.TDG_MEM_PAGE_ACCEPT, Rcx = SweepStage.SmallGpas[1] },
                new() { Rax = (ulong)GuestLeaf.TDG_VP_INFO },
                new() { Rax = (ulong)GuestLeaf.TDG_VP_VEINFO_GET },
                new() { Rax = 99 },
            ])
        {
            yield return new GuestOperation { Kind = GuestOperationKind.Tdcall, Registers = registers };
        }

        // Pending: a #VE, whose handler asks for its reason.
        yield return new GuestOperation { Kind = GuestOperationKind.Access, Access = GuestAccess.Write, Gpa = SweepStage.LargeGpas[1] };
        yield return default;
    }

    private static void Fault(SweepRunner run, ulong vcpu, ulong rip) =>
        run.Run(vcpu, 0, new GuestOperation { Kind = GuestOperationKind.Access, Access = GuestAccess.Read, Rip = rip, Gpa = SweepStage.GpaUnmapped });

    private static void Tdcall(SweepRunner run, ulong vcpu, ulong rip, in RegisterFile registers) =>
        run.Run(vcpu, 0, new GuestOperation { Kind = GuestOperationKind.Tdcall, Rip = rip, Registers = registers });
}
