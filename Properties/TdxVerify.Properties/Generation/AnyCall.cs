using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using static TdxVerify.Properties.Generation.Calls;
using static TdxVerify.Properties.Generation.TdSearch;

namespace TdxVerify.Properties.Generation;

/// <summary>Calls that fit any time: reads, any leaf with operands of the right kind, garbage.</summary>
internal sealed class AnyCall(World world)
{
    private static readonly HostLeaf[] s_leaves = [.. LeafNames.ModelledHost];

    /// <summary>A read: an S-EPT entry, a page, metadata of a TD or a vCPU.</summary>
    public RegisterFile Inspect(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        switch (choices.Below(4))
        {
            case 0:
                Range range = choices.Percent(30) && td.Tables.Count > 0 ? td.Tables[choices.Below(td.Tables.Count)] : SomeMapped(ref choices, td);
                return AtRange(HostLeaf.TDH_MEM_SEPT_RD, td, range);
            case 1:
                return Registers(HostLeaf.TDH_PHYMEM_PAGE_RDMD, NearMiss.SomePage(ref choices, world, s));
            case 2:
                return Registers(HostLeaf.TDH_MNG_RD, td.Tdr, choices.OneOf(Scope.TdFields));
            default:
                return Registers(
                    HostLeaf.TDH_VP_RD, td.Vcpus.Count == 0 ? world.FreePage(s, reuse: false) : td.Vcpus[choices.Below(td.Vcpus.Count)].Tdvpr,
                    choices.OneOf(Scope.VcpuFields));
        }
    }

    /// <summary>A call with operands of the right kind at any time in the life of its TD.</summary>
    public RegisterFile AnyLeaf(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        HostLeaf leaf = choices.OneOf<HostLeaf>(s_leaves);
        RegisterFile registers = Registers(leaf);
        registers.Rax |= choices.Percent(15) ? 1UL << 16 : 0;
        foreach (LeafOperand operand in LeafOperands.Of(leaf))
        {
            registers[operand.Register] = operand.Kind switch
            {
                OperandKind.Td => td.Tdr,
                OperandKind.Vcpu => td.Vcpus.Count == 0 ? td.Tdr : td.Vcpus[0].Tdvpr,
                OperandKind.Page => world.FreePage(s, reuse: true),
                OperandKind.Memory => Scope.ParametersAddress(s.Platform),
                OperandKind.PageInfo or OperandKind.Gpa => SomeMapped(ref choices, td) is var range ? PageInfo.Of(range.Gpa, range.Level).Value : 0,
                OperandKind.Number => (ulong)s.Platform.HkidFirst,
                _ => 0,
            };
        }

        return registers;
    }

    /// <summary>Registers that mean nothing.</summary>
    public RegisterFile Garbage(ref ChoiceReader choices, in ObservedState s)
    {
        IReadOnlyList<HostLeaf> leaves = LeafNames.ModelledHost;
        RegisterFile registers = Registers(leaves[choices.Below(leaves.Count)]);
        if (choices.Percent(20))
            registers.Rax = choices.OneOf<ulong>([42, 46, 99, 0xFFFF, 1UL << 32, 1UL << 24, 0x1_0000]) | (registers.Rax & 0xFF_0000);
        registers.Rcx = choices.Percent(50) ? NearMiss.SomePage(ref choices, world, s) : choices.Garbage();
        registers.Rdx = choices.Percent(50) ? NearMiss.SomePage(ref choices, world, s) : choices.Garbage();
        registers.R8 = choices.Garbage();
        registers.R9 = registers.R8 << 1;
        registers.R12 = registers.R8 ^ registers.Rdx;
        return registers;
    }
}
