using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>What a vCPU is told to do, and what became of it (Hardware/README.md, "The vCPU's conventions").</summary>
internal sealed class GuestProgram
{
    /// <summary>RIP of the TDG.VP.VMCALL by which the guest leaves.</summary>
    public const ulong VmcallRip = 0xFFFF_8000_0010_0000;

    /// <summary>RIP of the TDG.VP.VEINFO.GET that follows a #VE.</summary>
    public const ulong VeInfoRip = 0xFFFF_8000_0020_0000;

    /// <summary>Length of the TDCALL instruction.</summary>
    public const ulong TdcallLength = 4;

    /// <summary>The latest operation.</summary>
    public GuestOperation Operation;

    /// <summary>What became of it.</summary>
    public GuestResult Result;

    /// <summary>The vCPU was told something since it was created.</summary>
    public bool WasSubmitted { get; private set; }

    /// <summary>It is still to be done.</summary>
    public bool IsPending { get; private set; }

    /// <summary>A TDCALL returned to the guest: <see cref="Result"/> holds its registers.</summary>
    public bool TdcallReturned { get; private set; }

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
    public void Clear()
    {
        Operation = default;
        Result = default;
        WasSubmitted = false;
        IsPending = false;
        TdcallReturned = false;
    }

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
