using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;

namespace TdxVerify.Properties.Generation;

/// <summary>Alters one operand of a call that could succeed: wrong level, page, TD, key id, version or reserved bit.</summary>
internal static class NearMiss
{
    public static void Alter(ref ChoiceReader choices, World world, in ObservedState s, ref RegisterFile registers)
    {
        switch (choices.Below(12))
        {
            case 0:
                registers.Rcx ^= 1;
                break;
            case 1:
                registers.Rcx = (registers.Rcx & ~7UL) | (uint)choices.Below(8);
                break;
            case 2:
                registers.Rcx += 1UL << (12 + (9 * choices.Below(4)));
                break;
            case 3:
                registers.Rcx ^= 1UL << choices.OneOf<int>([3, 11, 46, 47, 51, 52, 63]);
                break;
            case 4:
                registers.Rdx = SomePage(ref choices, world, s);
                break;
            case 5:
                registers.Rdx ^= 1UL << choices.OneOf<int>([0, 1, 12, 46, 51, 52, 63]);
                break;
            case 6:
                registers.R8 = SomePage(ref choices, world, s);
                break;
            case 7:
                registers.R8 ^= 1UL << choices.OneOf<int>([0, 12, 20, 30, 46, 52, 63]);
                break;
            case 8:
                registers.Rcx = SomePage(ref choices, world, s);
                break;
            case 9:
                registers.Rax ^= 1UL << choices.OneOf<int>([16, 17, 24, 32, 63]);
                break;
            case 10:
                registers.R9 = choices.OneOf([0UL, ulong.MaxValue, 1UL << 63, SomePage(ref choices, world, s)]);
                break;
            default:
                registers.R8 = choices.OneOf([ulong.MaxValue, 0UL, 1UL << 63]);
                break;
        }
    }

    /// <summary>The address of a page: of a TDR, a TDVPR, a page that a TD owns, an unassigned one, or none of the TDMR.</summary>
    public static ulong SomePage(ref ChoiceReader choices, World world, in ObservedState s)
    {
        switch (choices.Below(6))
        {
            case 0 when world.Tds.Count > 0:
                return choices.OneOf<TdView>(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(world.Tds)).Tdr;
            case 1 when world.Vcpus.Count > 0:
                return choices.OneOf<VcpuView>(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(world.Vcpus)).Tdvpr;
            case 2 or 3 when world.Tds.Count > 0:
                TdView td = choices.OneOf<TdView>(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(world.Tds));
                return td.Pages.Count == 0 ? td.Tdr : WithinPage(ref choices, td.Pages[choices.Below(td.Pages.Count)]);
            case 4 when world.Tds.Count > 0 && choices.Percent(50):
                TdView some = choices.OneOf<TdView>(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(world.Tds));
                return some.LargePages.Count == 0 ? some.Tdr : WithinPage(ref choices, some.LargePages[choices.Below(some.LargePages.Count)]);
            case 4:
                return choices.OneOf([0x1000UL, s.Platform.PageEnd, s.Platform.PageBase - Hpa.PageSize]);
            default:
                return world.FreePage(s, reuse: false);
        }
    }

    // Of a large page, any of its 4 KiB parts.
    private static ulong WithinPage(ref ChoiceReader choices, (ulong Hpa, int Size) page) =>
        page.Hpa + ((ulong)choices.Below((int)SeptLevel.Pages(page.Size)) << Hpa.PageShift);
}
