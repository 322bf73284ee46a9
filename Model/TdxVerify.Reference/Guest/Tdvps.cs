using System.Runtime.InteropServices;

namespace TdxVerify.Reference;

/// <summary>State of a vCPU (facts/op-states.csv).</summary>
internal enum VcpuState : byte
{
    Uninitialized = 0,
    Ready = 2,
    Active = 4,
    Disabled = 8,
    Import = 16,
}

/// <summary>How a vCPU last left to the host (facts/op-states.csv).</summary>
internal enum LastTdExit : byte
{
    AsyncFault = 0,
    AsyncTrap = 1,
    Tdvmcall = 2,
}

/// <summary>
/// The contents of a TDVPR page: the part of TDVPS that decides anything. A fresh page is zero but for the
/// association.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Tdvps
{
    /// <summary>Not associated with any logical processor.</summary>
    public const int NoLp = -1;

    /// <summary>Where a vCPU stands before its first entry.</summary>
    public const ulong ResetRip = 0xFFFF_FFF0;

    private byte _state;
    public LastTdExit LastExit;

    /// <summary>VE_INFO holds something that the guest has not read.</summary>
    public bool VeInfoValid;

    /// <summary>Faults seen at one RIP, up to the threshold (facts/zerostep.md).</summary>
    public byte FaultCount;
    public byte FaultListLength;
    public int PageCount;
    public int AssociatedLp;
    public int Index;
    public ulong Epoch;
    public ulong Rip;
    public VeInfo VeInfo;
    public fixed ulong FaultList[ZeroStep.ListSize];

    public VcpuState State
    {
        get => (VcpuState)Volatile.Read(ref _state);
        set => Volatile.Write(ref _state, (byte)value);
    }
}

/// <summary>What TDG.VP.VEINFO.GET returns.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct VeInfo
{
    public uint ExitReason;
    public ulong Qualification;
    public ulong Gla;
    public ulong Gpa;
    public ulong InstructionInfo;
}
