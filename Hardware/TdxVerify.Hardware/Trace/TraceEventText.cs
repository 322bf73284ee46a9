using System.Text;
using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>Events and registers as a person reads them.</summary>
public static class TraceEventText
{
    /// <summary>
    /// What an event does, in one line, such as <c>TDH.MEM.PAGE.AUG on LP 1: rcx=0x1000 rdx=0x100000000</c>.
    /// </summary>
    public static string Describe(in TraceEvent e) => e.Kind switch
    {
        TraceEventKind.Reset => $"reset: sequence {e.Sequence}",
        TraceEventKind.Seamcall => Call(HostLeafName(e.Input.Rax), e),
        TraceEventKind.Enter => $"{Call(HostLeafName(e.Input.Rax), e)} (first half)",
        TraceEventKind.Exit => $"{Call(HostLeafName(e.Input.Rax), e)} (second half)",
        TraceEventKind.Begin => $"begin of call {e.Id}, {Call(HostLeafName(e.Input.Rax), e)}",
        TraceEventKind.End => $"end of call {e.Id}, {Call(HostLeafName(e.Input.Rax), e)}",
        TraceEventKind.Guest => $"vCPU 0x{e.Hpa:x} will {Operation(e)}",
        TraceEventKind.GuestResult => $"guest result of vCPU 0x{e.Hpa:x}",
        TraceEventKind.Write when e.Data is null => $"host fills {e.Length} bytes at 0x{e.Hpa:x} with 0x{e.Fill:x2}",
        TraceEventKind.Write => $"host writes {e.Length} bytes at 0x{e.Hpa:x}",
        TraceEventKind.Interrupt => e.Pending ? "an external interrupt is pending" : "no external interrupt is pending any more",
        TraceEventKind.Lock => $"{Agent(e.Lock)} takes {Lock(e.Lock)}",
        TraceEventKind.Unlock => $"{Agent(e.Lock)} drops {Lock(e.Lock)}",
        _ => "no event",
    };

    /// <summary>The name of the SEAMCALL leaf in RAX, its version where that is not 0.</summary>
    public static string HostLeafName(ulong rax) =>
        LeafName(rax, ((HostLeaf)LeafNames.Number(rax)).Name(), "SEAMCALL");

    /// <summary>The name of the TDCALL leaf in RAX, its version where that is not 0.</summary>
    public static string GuestLeafName(ulong rax) =>
        LeafName(rax, ((GuestLeaf)LeafNames.Number(rax)).Name(), "TDCALL");

    /// <summary>The registers that are not zero, RAX left out, such as <c>rcx=0x1000 rdx=0x2000</c>.</summary>
    public static string Operands(in RegisterFile registers)
    {
        var text = new StringBuilder();
        foreach (Register register in RegisterFile.All)
        {
            if (register != Register.Rax && registers[register] != 0)
                text.Append(text.Length == 0 ? "" : " ").Append(RegisterNames.Of(register)).Append($"=0x{registers[register]:x}");
        }

        return text.ToString();
    }

    /// <summary>The name of a register as traces write it, such as <c>rax</c>.</summary>
    public static string Name(Register register) => RegisterNames.Of(register);

    private static string LeafName(ulong rax, string? name, string instruction)
    {
        if (name is null || rax >> 24 != 0)
            return $"{name ?? instruction} (rax 0x{rax:x})";
        return LeafNames.Version(rax) == 0 ? name : $"{name} version {LeafNames.Version(rax)}";
    }

    private static string Call(string leaf, in TraceEvent e)
    {
        string operands = Operands(e.Input);
        return operands.Length == 0 ? $"{leaf} on LP {e.Lp}" : $"{leaf} on LP {e.Lp}: {operands}";
    }

    private static string Operation(in TraceEvent e) => e.Operation switch
    {
        GuestOperationKind.Access => $"access 0x{e.Gpa:x} ({TraceWords.TextOf(e.Access)}) from rip 0x{e.Rip:x}",
        GuestOperationKind.Tdcall => $"call {GuestLeafName(e.Input.Rax)} from rip 0x{e.Rip:x}: {Operands(e.Input)}".TrimEnd(' ', ':'),
        _ => "be idle",
    };

    private static string Agent(in LockOperation operation) => operation.Guest ? "a guest" : "a host call";

    private static string Lock(in LockOperation operation)
    {
        string mode = TraceWords.TextOf(TraceWords.Modes, operation.Exclusive);
        string which = TraceWords.TextOf(TraceWords.Locks, operation.Which);
        return operation.Which == PortLock.SeptEntry
            ? $"the {which} lock of TD 0x{operation.Argument:x}, GPA 0x{operation.Argument2 & ~0xFFFUL:x} level {operation.Argument2 & 0xFFF}"
            : $"the {which} lock of 0x{operation.Argument:x} in {mode} mode";
    }
}
