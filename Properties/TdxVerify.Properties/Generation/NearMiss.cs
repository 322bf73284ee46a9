using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;

namespace TdxVerify.Properties.Generation;

/// <summary>Alters one operand of a call that could succeed: wrong level, page, TD, key id, version or reserved bit.</summary>
internal static class NearMiss
{
    private static readonly Register[] s_others = [Register.R9, Register.R8, Register.R10, Register.R11, Register.R12, Register.Rdx];

    public static void Alter(ref ChoiceReader choices, World world, in ObservedState s, ref RegisterFile registers)
    {
        IReadOnlyList<LeafOperand> operands = LeafOperands.Of((HostLeaf)LeafNames.Number(registers.Rax));
        int which = choices.Below(12);
        if (which == 0)
        {
            registers.Rax ^= 1UL << choices.OneOf<int>([16, 17, 24, 32, 63]);
        }
        else if (which == 1 || operands.Count == 0)
        {
            Register other = choices.OneOf<Register>(s_others);
            registers[other] = choices.OneOf([ulong.MaxValue, 0UL, 1UL << 63, registers[other] ^ 1, SomePage(ref choices, world, s)]);
        }
        else
        {
            LeafOperand operand = operands[which % operands.Count];
            ulong value = registers[operand.Register];
            registers[operand.Register] = operand.Kind switch
            {
                OperandKind.Td or OperandKind.Vcpu or OperandKind.Page or OperandKind.Memory => OtherPage(ref choices, world, s, value),
                OperandKind.PageInfo or OperandKind.Gpa => OtherEntry(ref choices, value),
                _ => choices.OneOf([value ^ 1, 0UL, ulong.MaxValue, value ^ (1UL << choices.Below(64))]),
            };
        }
    }

    /// <summary>The address of a page: of a TDR, a TDVPR, a page that a TD owns, an unassigned one, or none of the TDMR.</summary>
    public static ulong SomePage(ref ChoiceReader choices, World world, in ObservedState s)
    {
        switch (choices.Below(6))
        {
            case 0 when world.Tds.Count > 0:
                return SomeTd(ref choices, world).Tdr;
            case 1 when world.Vcpus.Count > 0:
                return choices.OneOf<VcpuView>(CollectionsMarshal.AsSpan(world.Vcpus)).Tdvpr;
            case 2 or 3 when world.Tds.Count > 0:
                TdView td = SomeTd(ref choices, world);
                return td.Pages.Count == 0 ? td.Tdr : WithinPage(ref choices, td.Pages[choices.Below(td.Pages.Count)]);
            case 4 when world.Tds.Count > 0 && choices.Percent(60):
                TdView some = SomeTd(ref choices, world);
                return some.LargePages.Count == 0 ? some.Tdr : WithinPage(ref choices, some.LargePages[choices.Below(some.LargePages.Count)]);
            case 4:
                return choices.OneOf([0x1000UL, s.Platform.PageEnd, s.Platform.PageBase - Hpa.PageSize]);
            default:
                return world.FreePage(s, reuse: false);
        }
    }

    private static TdView SomeTd(ref ChoiceReader choices, World world) => choices.OneOf<TdView>(CollectionsMarshal.AsSpan(world.Tds));

    private static ulong OtherPage(ref ChoiceReader choices, World world, in ObservedState s, ulong value) => choices.Below(12) switch
    {
        0 => value ^ 1,
        1 => value ^ (1UL << choices.Below(12)),
        2 => value ^ (1UL << choices.OneOf<int>([46, 47, 51])),
        3 => value ^ (1UL << choices.OneOf<int>([52, 53, 63])),
        4 => value ^ (1UL << choices.OneOf<int>([12, 20, 21, 30])),
        < 9 when LockedPage(ref choices, world) is { } locked => locked,
        _ => SomePage(ref choices, world, s),
    };

    private static ulong OtherEntry(ref ChoiceReader choices, ulong value) => choices.Below(8) switch
    {
        0 => value ^ 1,
        1 => (value & ~7UL) | (uint)choices.Below(8),
        2 or 3 => value + (1UL << (12 + (9 * choices.Below(4)))),
        4 => value ^ (1UL << choices.OneOf<int>([3, 7, 11])),
        5 => value ^ (1UL << choices.OneOf<int>([52, 63])),
        6 => value ^ (1UL << choices.OneOf<int>([46, 47, 48, 51])),
        _ => (value & ~7UL) | ((value & 7) + 1 & 7),
    };

    private static ulong? LockedPage(ref ChoiceReader choices, World world)
    {
        int first = choices.Below(Math.Max(1, world.Locks.Count));
        for (int i = 0; i < world.Locks.Count; i++)
        {
            LockOperation held = world.Locks[(first + i) % world.Locks.Count];
            if (held.Which == PortLock.Pamt)
                return held.Argument;
        }

        return null;
    }

    // Of a large page, any of its 4 KiB parts.
    private static ulong WithinPage(ref ChoiceReader choices, (ulong Hpa, int Size) page) =>
        page.Hpa + ((ulong)choices.Below((int)SeptLevel.Pages(page.Size)) << Hpa.PageShift);
}
