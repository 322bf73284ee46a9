using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>Events as a person reads them: what is asked, without the answer.</summary>
public static class TraceEventText
{
    /// <summary>
    /// What an event does, in one line, such as
    /// <c>LP 1: TDH.MEM.PAGE.AUG GPA 0x40402000 level 0, TD 0x100000000, page 0x10001a000</c>.
    /// </summary>
    public static string Describe(in TraceEvent e) => e.Kind switch
    {
        TraceEventKind.Reset => $"reset: sequence {e.Sequence}",
        TraceEventKind.Seamcall => CallText.Seamcall(e.Lp, e.Input),
        TraceEventKind.Enter => $"{CallText.Seamcall(e.Lp, e.Input)}, up to the VM entry",
        TraceEventKind.Exit => $"{CallText.Seamcall(e.Lp, e.Input)}, the guest runs and leaves",
        TraceEventKind.Begin => $"call {e.Id} begins: {CallText.Seamcall(e.Lp, e.Input)}",
        TraceEventKind.End => $"call {e.Id} ends: {CallText.Seamcall(e.Lp, e.Input)}",
        TraceEventKind.Guest => $"vCPU 0x{e.Hpa:x} will {Operation(e)}",
        TraceEventKind.GuestResult => $"vCPU 0x{e.Hpa:x}: what became of its operation",
        TraceEventKind.Write when e.Data is null => $"the host fills {e.Length} bytes at 0x{e.Hpa:x} with 0x{e.Fill:x2}",
        TraceEventKind.Write => $"the host writes {e.Length} bytes at 0x{e.Hpa:x}",
        TraceEventKind.Interrupt => e.Pending ? "an external interrupt is pending" : "no external interrupt is pending any more",
        TraceEventKind.Lock => $"{Agent(e.Lock)} takes the {Lock(e.Lock)}",
        TraceEventKind.Unlock => $"{Agent(e.Lock)} drops the {Lock(e.Lock)}",
        _ => "no event",
    };

    /// <summary>The name of a register as traces write it, such as <c>rax</c>.</summary>
    public static string Name(Register register) => RegisterNames.Of(register);

    /// <summary>What a vCPU is told to do, such as <c>write GPA 0x40402000 from RIP 0x1000</c>.</summary>
    public static string Operation(in TraceEvent e) => e.Operation switch
    {
        GuestOperationKind.Access => $"{Access(e.Access)} GPA 0x{e.Gpa:x} from RIP 0x{e.Rip:x}",
        GuestOperationKind.Tdcall => $"call {CallText.Tdcall(e.Input)}, from RIP 0x{e.Rip:x}",
        _ => "be idle",
    };

    /// <summary>A lock with its mode, such as <c>S-EPT tree lock of TD 0x100000000, shared</c>.</summary>
    public static string Lock(in LockOperation operation)
    {
        string mode = operation.Exclusive ? "exclusive" : "shared";
        return operation.Which switch
        {
            PortLock.Tdr => $"PAMT lock of TDR page 0x{operation.Argument:x}, {mode}",
            PortLock.OpState => $"OP_STATE lock of TD 0x{operation.Argument:x}, {mode}",
            PortLock.SeptTree => $"S-EPT tree lock of TD 0x{operation.Argument:x}, {mode}",
            PortLock.Epoch => $"TD epoch lock of TD 0x{operation.Argument:x}, {mode}",
            PortLock.SeptEntry =>
                $"S-EPT entry lock of GPA 0x{new PageInfo(operation.Argument2).Gpa:x} level {new PageInfo(operation.Argument2).Level}, TD 0x{operation.Argument:x}",
            PortLock.Tdvps => $"PAMT lock of TDVPR page 0x{operation.Argument:x}, {mode}",
            _ => $"PAMT lock of page 0x{operation.Argument:x}, {mode}",
        };
    }

    /// <summary>Who takes a lock and keeps it.</summary>
    public static string Agent(in LockOperation operation) => operation.Guest ? "another vCPU" : "another host call";

    private static string Access(GuestAccess access)
    {
        (GuestAccess Bit, string Verb)[] verbs =
            [(GuestAccess.Read, "read"), (GuestAccess.Write, "write"), (GuestAccess.Execute, "execute")];
        return string.Join(" and ", verbs.Where(verb => access.HasFlag(verb.Bit)).Select(verb => verb.Verb));
    }
}
