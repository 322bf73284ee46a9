using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>What a vCPU is told to do, and what became of it (Hardware/README.md, "The vCPU's conventions").</summary>
public struct GuestProgram
{
    /// <summary>RIP of the TDG.VP.VMCALL by which the guest leaves.</summary>
    public const ulong VmcallRip = 0xFFFF_8000_0010_0000;

    /// <summary>RIP of the TDG.VP.VEINFO.GET that follows a #VE.</summary>
    public const ulong VeInfoRip = 0xFFFF_8000_0020_0000;

    /// <summary>Length of the TDCALL instruction.</summary>
    public const ulong TdcallLength = 4;

    /// <summary>The TDG.VP.VMCALL by which the guest leaves.</summary>
    public static readonly RegisterFile Vmcall = new() { Rax = (ulong)GuestLeaf.TDG_VP_VMCALL, Rcx = 0xFC00, R10 = 0, R11 = 12 };

    /// <summary>The TDG.VP.VEINFO.GET that follows a #VE.</summary>
    public static readonly RegisterFile VeInfoGet = new() { Rax = (ulong)GuestLeaf.TDG_VP_VEINFO_GET };

    /// <summary>The latest operation.</summary>
    public GuestOperation Operation;

    /// <summary>What became of it.</summary>
    public GuestResult Result;

    /// <summary>The vCPU was told something since it was created.</summary>
    public bool WasSubmitted { readonly get; private set; }

    /// <summary>It is still to be done.</summary>
    public bool IsPending { readonly get; private set; }

    /// <summary>A TDCALL returned to the guest: <see cref="Result"/> holds its registers.</summary>
    public bool TdcallReturned { readonly get; private set; }

    /// <summary>A new operation replaces the one before.</summary>
    public void Submit(in GuestOperation operation)
    {
        Operation = operation;
        Result = default;
        WasSubmitted = true;
        IsPending = true;
        TdcallReturned = false;
    }

    /// <summary>The vCPU was created anew.</summary>
    public void Clear() => this = default;

    /// <summary>The operation ran to its end.</summary>
    public void Complete()
    {
        IsPending = false;
        Result.Completed = true;
    }

    /// <summary>A TDCALL returned to the guest with these registers.</summary>
    public void Complete(in RegisterFile registers)
    {
        Complete();
        Result.Registers = registers;
        TdcallReturned = true;
    }

    /// <summary>The operation was dropped by an exception.</summary>
    public void Drop(bool virtualizationException)
    {
        IsPending = false;
        Result.VirtualizationException = virtualizationException;
    }
}
