using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Properties.Shrinking;

/// <summary>The pages and GPAs that events name, and events that name others instead.</summary>
internal static class EventOperands
{
    private const ulong PageMask = 0x000F_FFFF_FFFF_F000;

    /// <summary>HPAs of the pages that an event names, flag bits removed.</summary>
    public static IEnumerable<ulong> Pages(TraceEvent e)
    {
        var pages = new List<ulong>();
        MapPages(ref e, page =>
        {
            pages.Add(page);
            return page;
        });
        return pages;
    }

    /// <summary>The S-EPT entry that an event names, as a number that is no page; 0: none.</summary>
    public static ulong Entry(TraceEvent e)
    {
        ulong entry = 0;
        MapGpas(ref e, gpa =>
        {
            entry = 1 | (gpa & PageMask);
            return gpa;
        });
        return entry;
    }

    /// <summary>Names other pages.</summary>
    public static void MapPages(ref TraceEvent e, Func<ulong, ulong> map)
    {
        switch (e.Kind)
        {
            case TraceEventKind.Guest or TraceEventKind.Write:
                e.Hpa = Mapped(e.Hpa, map);
                break;
            case TraceEventKind.Lock or TraceEventKind.Unlock:
                e.Lock = e.Lock with { Argument = Mapped(e.Lock.Argument, map) };
                break;
            default:
                foreach (LeafOperand operand in Operands(e))
                {
                    if (operand.Kind is OperandKind.Td or OperandKind.Vcpu or OperandKind.Page or OperandKind.Memory)
                        e.Input[operand.Register] = Mapped(e.Input[operand.Register], map);
                }

                break;
        }
    }

    /// <summary>Names other GPAs: bits 51:12, of an access all bits.</summary>
    public static void MapGpas(ref TraceEvent e, Func<ulong, ulong> map)
    {
        switch (e.Kind)
        {
            case TraceEventKind.Guest when e.Operation == GuestOperationKind.Access:
                e.Gpa = map(e.Gpa);
                break;
            case TraceEventKind.Lock or TraceEventKind.Unlock when e.Lock.Which == PortLock.SeptEntry:
                e.Lock = e.Lock with { Argument2 = Mapped(e.Lock.Argument2, map) };
                break;
            default:
                foreach (LeafOperand operand in Operands(e))
                {
                    if (operand.Kind is OperandKind.PageInfo or OperandKind.Gpa)
                        e.Input[operand.Register] = Mapped(e.Input[operand.Register], map);
                }

                break;
        }
    }

    private static IReadOnlyList<LeafOperand> Operands(in TraceEvent e) => e.Kind switch
    {
        TraceEventKind.Seamcall or TraceEventKind.Enter => LeafOperands.Of((HostLeaf)LeafNames.Number(e.Input.Rax)),
        TraceEventKind.Guest when e.Operation == GuestOperationKind.Tdcall => LeafOperands.Of((GuestLeaf)LeafNames.Number(e.Input.Rax)),
        _ => [],
    };

    private static ulong Mapped(ulong value, Func<ulong, ulong> map) => (value & ~PageMask) | (map(value & PageMask) & PageMask);
}
