using System.Runtime.InteropServices;

namespace TdxVerify.Abi;

/// <summary>What a vCPU does when it next runs (<c>enum tdxv_guest_kind</c>).</summary>
public enum GuestOperationKind : uint
{
    /// <summary>Nothing: it exits at once by TDG.VP.VMCALL.</summary>
    Idle = 0,

    /// <summary>It touches a GPA from an instruction address.</summary>
    Access = 1,

    /// <summary>It runs one TDCALL.</summary>
    Tdcall = 2,
}

/// <summary>How a guest instruction touches memory (<c>TDXV_READ</c>, <c>TDXV_WRITE</c>, <c>TDXV_EXEC</c>); may be combined.</summary>
[Flags]
public enum GuestAccess : uint
{
    /// <summary>No access.</summary>
    None = 0,

    /// <summary>Data read.</summary>
    Read = 1,

    /// <summary>Data write.</summary>
    Write = 2,

    /// <summary>Instruction fetch.</summary>
    Execute = 4,
}

/// <summary>One guest operation: <c>struct tdxv_guest_op</c>. One is done per TDH.VP.ENTER.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GuestOperation
{
    /// <summary>What is done.</summary>
    public GuestOperationKind Kind;

    /// <summary>For <see cref="GuestOperationKind.Access"/>: how.</summary>
    public GuestAccess Access;

    /// <summary>Address of the guest instruction that does it.</summary>
    public ulong Rip;

    /// <summary>For <see cref="GuestOperationKind.Access"/>: the address touched, SHARED bit included.</summary>
    public ulong Gpa;

    /// <summary>For <see cref="GuestOperationKind.Tdcall"/>: the registers, RAX = leaf.</summary>
    public RegisterFile Registers;
}

/// <summary>What became of the latest guest operation: <c>struct tdxv_guest_result</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GuestResult
{
    private uint _completed;
    private uint _virtualizationException;

    /// <summary>
    /// The registers that the guest sees after a TDCALL that returned to it. Without meaning where none did: an
    /// operation that is no TDCALL, that did not complete, or a TDG.VP.VMCALL that left.
    /// </summary>
    public RegisterFile Registers;

    /// <summary>The operation ran to its end; false: it left to the host first, or was dropped.</summary>
    public bool Completed
    {
        readonly get => _completed != 0;
        set => _completed = value ? 1u : 0;
    }

    /// <summary>A virtualization exception (#VE) was injected.</summary>
    public bool VirtualizationException
    {
        readonly get => _virtualizationException != 0;
        set => _virtualizationException = value ? 1u : 0;
    }
}
