using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>
/// One event of a trace: a plain value that may be copied and kept. Which fields have a meaning depends on
/// <see cref="Kind"/>; the others are zero. <see cref="Input"/> and <see cref="Output"/> are complete: what the file
/// leaves out has been filled in.
/// </summary>
public struct TraceEvent
{
    /// <summary>
    /// All 15 registers before the call: of seamcall, enter and begin, and of a guest's TDCALL. An exit has those of
    /// the enter on its LP, an end those of the begin with its id, a guest-result those of the vCPU's latest TDCALL.
    /// </summary>
    public RegisterFile Input;

    /// <summary>
    /// All 15 registers after the call, where <see cref="HasOutput"/>: a register that the recording does not list
    /// equals its input.
    /// </summary>
    public RegisterFile Output;

    /// <summary>guest, guest-result: HPA of the vCPU's TDVPR page. write: the address written.</summary>
    public ulong Hpa;

    /// <summary>guest: address of the instruction that does the access or the TDCALL.</summary>
    public ulong Rip;

    /// <summary>guest: the address of an access, SHARED bit included.</summary>
    public ulong Gpa;

    /// <summary>begin, end: the call.</summary>
    public long Id;

    /// <summary>begin, end: when, in ns; in interleaved recordings a logical clock.</summary>
    public long Time;

    /// <summary>lock, unlock: which, how, by whom.</summary>
    public LockOperation Lock;

    /// <summary>write: the bytes written; null where <see cref="Fill"/> is.</summary>
    public byte[]? Data;

    /// <summary>The line of the file, from 1; 0 where the event is from no file.</summary>
    public int Line;

    /// <summary>The sequence's number: what its reset says, else one more than the sequence before.</summary>
    public int Sequence;

    /// <summary>seamcall, enter, exit, begin, end: the logical processor.</summary>
    public int Lp;

    /// <summary>write: how many bytes.</summary>
    public int Length;

    /// <summary>guest: what is done.</summary>
    public GuestOperationKind Operation;

    /// <summary>guest: how an access touches memory.</summary>
    public GuestAccess Access;

    /// <summary>The registers that <c>out</c> lists in the file; RAX is always one.</summary>
    public RegisterSet Listed;

    /// <summary>What the event is.</summary>
    public TraceEventKind Kind;

    /// <summary>write: the byte written <see cref="Length"/> times, where <see cref="Data"/> is null.</summary>
    public byte Fill;

    /// <summary>reset: the recording numbers its sequences itself.</summary>
    public bool HasSequence;

    /// <summary>The event says what registers are after the call.</summary>
    public bool HasOutput;

    /// <summary>enter: the vCPU now runs in the guest; false: the call ended before the entry.</summary>
    public bool Running;

    /// <summary>interrupt: it is pending; false: it no longer is.</summary>
    public bool Pending;

    /// <summary>lock, unlock: the agent got it, or could drop it.</summary>
    public bool Ok;

    /// <summary>guest-result: the operation ran to its end.</summary>
    public bool Completed;

    /// <summary>guest-result: a virtualization exception (#VE) was injected.</summary>
    public bool VirtualizationException;

    /// <summary>guest: the operation, as a port takes it.</summary>
    public readonly GuestOperation GuestOperation => new()
    {
        Kind = Operation,
        Access = Access,
        Rip = Rip,
        Gpa = Gpa,
        Registers = Input,
    };

    /// <summary>A new sequence.</summary>
    public static TraceEvent OfReset(int sequence) =>
        new() { Kind = TraceEventKind.Reset, Sequence = sequence, HasSequence = true };

    /// <summary>A SEAMCALL and its answer.</summary>
    public static TraceEvent OfSeamcall(int lp, in RegisterFile input, in RegisterFile output) =>
        Answered(TraceEventKind.Seamcall, lp, input, output);

    /// <summary>The first half of a TDH.VP.ENTER that entered the guest.</summary>
    public static TraceEvent OfEnter(int lp, in RegisterFile input) =>
        new() { Kind = TraceEventKind.Enter, Lp = lp, Input = input, Running = true };

    /// <summary>The first half of a TDH.VP.ENTER that ended before the entry.</summary>
    public static TraceEvent OfEnter(int lp, in RegisterFile input, in RegisterFile output) =>
        Answered(TraceEventKind.Enter, lp, input, output);

    /// <summary>The second half of a TDH.VP.ENTER, with the input of its first half.</summary>
    public static TraceEvent OfExit(int lp, in RegisterFile input, in RegisterFile output) =>
        Answered(TraceEventKind.Exit, lp, input, output);

    /// <summary>What a vCPU does when it next runs.</summary>
    public static TraceEvent OfGuest(ulong tdvprHpa, in GuestOperation operation) => new()
    {
        Kind = TraceEventKind.Guest,
        Hpa = tdvprHpa,
        Operation = operation.Kind,
        Access = operation.Access,
        Rip = operation.Rip,
        Gpa = operation.Gpa,
        Input = operation.Registers,
    };

    /// <summary>What became of an operation that is no TDCALL, or that returned nothing to the guest.</summary>
    public static TraceEvent OfGuestResult(ulong tdvprHpa, bool completed, bool virtualizationException) => new()
    {
        Kind = TraceEventKind.GuestResult,
        Hpa = tdvprHpa,
        Completed = completed,
        VirtualizationException = virtualizationException,
    };

    /// <summary>What became of a TDCALL that returned to the guest.</summary>
    /// <param name="tdvprHpa">HPA of the vCPU's TDVPR page.</param>
    /// <param name="input">The registers of the TDCALL, from its guest event.</param>
    /// <param name="result">What the port said of it.</param>
    public static TraceEvent OfGuestResult(ulong tdvprHpa, in RegisterFile input, in GuestResult result)
    {
        TraceEvent e = OfGuestResult(tdvprHpa, result.Completed, result.VirtualizationException);
        e.Input = input;
        e.Answer(result.Registers);
        return e;
    }

    /// <summary>The host writes these bytes, all in one page.</summary>
    public static TraceEvent OfWrite(ulong hpa, byte[] data) =>
        new() { Kind = TraceEventKind.Write, Hpa = hpa, Data = data, Length = data.Length };

    /// <summary>The host writes one byte, <paramref name="length"/> times, all in one page.</summary>
    public static TraceEvent OfFill(ulong hpa, byte fill, int length) =>
        new() { Kind = TraceEventKind.Write, Hpa = hpa, Fill = fill, Length = length };

    /// <summary>An external interrupt is, or is no longer, pending.</summary>
    public static TraceEvent OfInterrupt(bool pending) =>
        new() { Kind = TraceEventKind.Interrupt, Pending = pending };

    /// <summary>Another agent takes a lock.</summary>
    public static TraceEvent OfLock(in LockOperation operation, bool ok) =>
        new() { Kind = TraceEventKind.Lock, Lock = operation, Ok = ok };

    /// <summary>Another agent drops a lock.</summary>
    public static TraceEvent OfUnlock(in LockOperation operation, bool ok) =>
        new() { Kind = TraceEventKind.Unlock, Lock = operation, Ok = ok };

    /// <summary>write: the bytes, without allocating.</summary>
    /// <param name="page">Room for <see cref="Length"/> bytes; overwritten where the bytes are a fill.</param>
    public readonly ReadOnlySpan<byte> BytesIn(Span<byte> page)
    {
        if (Data is not null)
            return Data;
        Span<byte> filled = page[..Length];
        filled.Fill(Fill);
        return filled;
    }

    /// <summary>The call has returned with these registers.</summary>
    public void Answer(in RegisterFile output)
    {
        Output = output;
        HasOutput = true;
        Listed = RegisterSet.Differing(Input, output).With(Register.Rax);
    }

    /// <summary>The vCPU is in the guest: there are no registers to tell yet.</summary>
    public void Run()
    {
        Output = default;
        HasOutput = false;
        Listed = default;
        Running = true;
    }

    private static TraceEvent Answered(TraceEventKind kind, int lp, in RegisterFile input, in RegisterFile output) => new()
    {
        Kind = kind,
        Lp = lp,
        Input = input,
        Output = output,
        HasOutput = true,
        Listed = RegisterSet.Differing(input, output).With(Register.Rax),
    };
}
