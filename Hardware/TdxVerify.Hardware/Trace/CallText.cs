using System.Text;
using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>Calls with their operands as a person reads them.</summary>
public static class CallText
{
    /// <summary>A SEAMCALL, such as <c>LP 1: TDH.MEM.PAGE.AUG GPA 0x40402000 level 0, TD 0x100000000, page 0x10001a000</c>.</summary>
    public static string Seamcall(int lp, in RegisterFile registers) => $"LP {lp}: {Seamcall(registers)}";

    /// <summary>A SEAMCALL without its LP.</summary>
    public static string Seamcall(in RegisterFile registers) => Call(
        HostLeafName(registers.Rax), LeafOperands.Of((HostLeaf)LeafNames.Number(registers.Rax)), registers);

    /// <summary>A TDCALL, such as <c>TDG.MEM.PAGE.ACCEPT GPA 0x40402000 level 0</c>.</summary>
    public static string Tdcall(in RegisterFile registers) => Call(
        GuestLeafName(registers.Rax), LeafOperands.Of((GuestLeaf)LeafNames.Number(registers.Rax)), registers);

    /// <summary>The name of the SEAMCALL leaf in RAX, its version where that is not 0.</summary>
    public static string HostLeafName(ulong rax) =>
        LeafName(rax, ((HostLeaf)LeafNames.Number(rax)).Name(), "SEAMCALL");

    /// <summary>The name of the TDCALL leaf in RAX, its version where that is not 0.</summary>
    public static string GuestLeafName(ulong rax) =>
        LeafName(rax, ((GuestLeaf)LeafNames.Number(rax)).Name(), "TDCALL");

    private static string LeafName(ulong rax, string? name, string instruction)
    {
        if (name is null || rax >> 24 != 0)
            return $"{name ?? instruction} (rax 0x{rax:x})";
        return LeafNames.Version(rax) == 0 ? name : $"{name} version {LeafNames.Version(rax)}";
    }

    private static string Call(string leaf, IReadOnlyList<LeafOperand> operands, in RegisterFile registers)
    {
        var text = new StringBuilder(leaf);
        RegisterSet named = new RegisterSet().With(Register.Rax);
        string separator = " ";
        foreach (LeafOperand operand in operands)
        {
            named = named.With(operand.Register);
            Append(Operand(operand, registers[operand.Register]));
        }

        // What a leaf does not read is still part of what was passed.
        separator = operands.Count == 0 ? " " : "; also ";
        foreach (Register register in RegisterFile.All)
        {
            if (!named.Contains(register) && registers[register] != 0)
                Append($"{RegisterNames.Of(register)}=0x{registers[register]:x}");
        }

        return text.ToString();

        void Append(string part)
        {
            text.Append(separator).Append(part);
            separator = ", ";
        }
    }

    private static string Operand(LeafOperand operand, ulong value) => operand.Kind switch
    {
        OperandKind.PageInfo => Entry(new PageInfo(value)),
        OperandKind.Gpa => $"GPA 0x{value:x}",
        OperandKind.Td => $"TD 0x{value:x}",
        OperandKind.Vcpu => $"vCPU 0x{value:x}",
        OperandKind.Number => $"{operand.Name} {value}",
        _ => $"{operand.Name} 0x{value:x}",
    };

    private static string Entry(PageInfo info)
    {
        string text = $"GPA 0x{info.Gpa:x} level {info.Level}";
        return info.ReservedAreZero ? text : $"{text} (reserved bits 0x{info.Value & PageInfo.ReservedMask:x})";
    }
}
