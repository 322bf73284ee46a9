using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TdxVerify.Abi;

namespace TdxVerify.Hardware.Native;

/// <summary><c>struct tdxv_info</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeInfo
{
    public uint AbiVersion;
    public uint LpCount;
    public ulong PageBase;
    public ulong PageCount;
    public uint HkidFirst;
    public uint HkidCount;
    public uint TdcsPages;
    public uint TdvpxPages;
    public uint Threads;
    public NativeName Name;
}

/// <summary><c>char name[64]</c>.</summary>
[InlineArray(64)]
internal struct NativeName
{
    private byte _first;
}

/// <summary>The functions of Hardware/native/tdxverify_port.h, as a library exports them. Optional ones may be null.</summary>
internal sealed unsafe class NativeFunctions
{
    /// <summary>The functions that a library may lack, in the order of the header.</summary>
    public static readonly string[] Optional =
        ["tdxv_enter_begin", "tdxv_enter_end", "tdxv_interrupt", "tdxv_lock", "tdxv_unlock"];

    public readonly delegate* unmanaged<nint*, int> Open;
    public readonly delegate* unmanaged<nint, void> Close;
    public readonly delegate* unmanaged<nint, void*, int> Info;
    public readonly delegate* unmanaged<nint, int> Reset;
    public readonly delegate* unmanaged<nint, uint, RegisterFile*, int> Seamcall;
    public readonly delegate* unmanaged<nint, ulong, GuestOperation*, int> GuestSubmit;
    public readonly delegate* unmanaged<nint, ulong, GuestResult*, int> GuestResult;
    public readonly delegate* unmanaged<nint, ulong, void*, ulong, int> MemoryWrite;
    public readonly delegate* unmanaged<nint, ulong, void*, ulong, int> MemoryRead;
    public readonly delegate* unmanaged<nint, uint, RegisterFile*, int> EnterBegin;
    public readonly delegate* unmanaged<nint, uint, RegisterFile*, int> EnterEnd;
    public readonly delegate* unmanaged<nint, int, int> Interrupt;
    public readonly delegate* unmanaged<nint, PortLock, int, int, ulong, ulong, int> Lock;
    public readonly delegate* unmanaged<nint, PortLock, int, int, ulong, ulong, int> Unlock;

    private readonly string _file;
    private readonly nint _library;

    public NativeFunctions(string file, nint library)
    {
        _file = file;
        _library = library;
        Open = (delegate* unmanaged<nint*, int>)Mandatory("tdxv_open");
        Close = (delegate* unmanaged<nint, void>)Mandatory("tdxv_close");
        Info = (delegate* unmanaged<nint, void*, int>)Mandatory("tdxv_info");
        Reset = (delegate* unmanaged<nint, int>)Mandatory("tdxv_reset");
        Seamcall = (delegate* unmanaged<nint, uint, RegisterFile*, int>)Mandatory("tdxv_seamcall");
        GuestSubmit = (delegate* unmanaged<nint, ulong, GuestOperation*, int>)Mandatory("tdxv_guest_submit");
        GuestResult = (delegate* unmanaged<nint, ulong, GuestResult*, int>)Mandatory("tdxv_guest_result");
        MemoryWrite = (delegate* unmanaged<nint, ulong, void*, ulong, int>)Mandatory("tdxv_mem_write");
        MemoryRead = (delegate* unmanaged<nint, ulong, void*, ulong, int>)Mandatory("tdxv_mem_read");
        EnterBegin = (delegate* unmanaged<nint, uint, RegisterFile*, int>)Find("tdxv_enter_begin");
        EnterEnd = (delegate* unmanaged<nint, uint, RegisterFile*, int>)Find("tdxv_enter_end");
        Interrupt = (delegate* unmanaged<nint, int, int>)Find("tdxv_interrupt");
        Lock = (delegate* unmanaged<nint, PortLock, int, int, ulong, ulong, int>)Find("tdxv_lock");
        Unlock = (delegate* unmanaged<nint, PortLock, int, int, ulong, ulong, int>)Find("tdxv_unlock");
        MissingSymbols = [.. Optional.Where(symbol => Find(symbol) == 0)];
    }

    /// <summary>The optional functions that the library does not export.</summary>
    public IReadOnlyList<string> MissingSymbols { get; }

    private nint Mandatory(string symbol)
    {
        nint address = Find(symbol);
        return address != 0
            ? address
            : throw new NativePortException(_file, $"the symbol {symbol} is missing; the library must export the functions of tdxverify_port.h");
    }

    private nint Find(string symbol) => NativeLibrary.TryGetExport(_library, symbol, out nint address) ? address : 0;
}
