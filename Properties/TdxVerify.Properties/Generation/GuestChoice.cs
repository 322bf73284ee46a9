using TdxVerify.Abi;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using static TdxVerify.Properties.Generation.TdSearch;

namespace TdxVerify.Properties.Generation;

/// <summary>What a vCPU does when it next runs.</summary>
internal static class GuestChoice
{
    private const int RipCount = 4;

    private static readonly GuestAccess[] s_accesses = [GuestAccess.Read, GuestAccess.Write, GuestAccess.Execute];

    /// <summary>Mostly an access; any modelled TDCALL, and some that do not exist.</summary>
    public static GuestOperation Any(ref ChoiceReader choices, TdView td)
    {
        Range range = choices.Percent(60) ? SomeMapped(ref choices, td) : SomeRange(ref choices);
        int kind = choices.Weighted([60, 10, 8, 8, 6, 4, 2, 2]);
        if (kind is 1 or 2 or 3 && choices.Percent(6))
            range = range with { Gpa = range.Gpa ^ (1UL << choices.OneOf<int>([47, 48, 51])) };
        switch (kind)
        {
            case 0:
                ulong gpa = range.Gpa + (choices.Percent(20) ? 0x123UL : 0);
                if (choices.Percent(6))
                    gpa |= 1UL << choices.OneOf<int>([47, 48, 51]);
                return new GuestOperation
                {
                    Kind = GuestOperationKind.Access,
                    Access = SomeAccess(ref choices),
                    Rip = 0x40_0000 + (0x10 * (ulong)choices.Below(RipCount)),
                    Gpa = gpa,
                };
            case 1:
                return Tdcall(ref choices, GuestLeaf.TDG_MEM_PAGE_ACCEPT, PageInfo.Of(range.Gpa, range.Level).Value ^ (choices.Percent(15) ? 1UL << choices.Below(14) : 0));
            case 2:
                return Tdcall(ref choices, GuestLeaf.TDG_MEM_PAGE_ATTR_RD, range.Gpa + (choices.Percent(20) ? 0x777UL : 0));
            case 3:
                GuestOperation write = Tdcall(ref choices, GuestLeaf.TDG_MEM_PAGE_ATTR_WR, PageInfo.Of(range.Gpa, range.Level).Value ^ (choices.Percent(10) ? 1UL << choices.Below(14) : 0));
                if (choices.Percent(20))
                    write.Registers.Rdx = 1UL << choices.Below(64);
                if (choices.Percent(20))
                    write.Registers.R8 = 1UL << choices.Below(64);
                return write;
            case 4:
                GuestOperation call = Tdcall(ref choices, GuestLeaf.TDG_VP_VMCALL, 0xFC00);
                if (choices.Percent(30))
                    call.Registers.Rcx = choices.Next() & 0xFFFF;
                call.Registers.R12 = 0x1234;
                return call;
            case 5:
                return Tdcall(ref choices, GuestLeaf.TDG_VP_INFO, 0);
            case 6:
                return Tdcall(ref choices, GuestLeaf.TDG_VP_VEINFO_GET, 0);
            default:
                GuestOperation unknown = Tdcall(ref choices, GuestLeaf.TDG_VP_INFO, 0);
                unknown.Registers.Rax = choices.OneOf<ulong>([64, 0x63, 0x1_0001, 0x1_0000_0001, 1UL << 63]);
                return unknown;
        }
    }

    /// <summary>TDG.MEM.PAGE.ACCEPT, of a pending page if there is one.</summary>
    public static GuestOperation Accept(ref ChoiceReader choices, in ObservedState s, TdView td)
    {
        Range range = Find(ref choices, s, td, td.Leaves, SeptStates.PENDING) ?? SomeMapped(ref choices, td);
        return Tdcall(ref choices, GuestLeaf.TDG_MEM_PAGE_ACCEPT, PageInfo.Of(range.Gpa, range.Level).Value);
    }

    /// <summary>A TDCALL.</summary>
    public static GuestOperation Tdcall(ref ChoiceReader choices, GuestLeaf leaf, ulong rcx) => new()
    {
        Kind = GuestOperationKind.Tdcall,
        Rip = 0x40_0000 + (0x10 * (ulong)choices.Below(RipCount)),
        Registers = new RegisterFile { Rax = (ulong)leaf, Rcx = rcx },
    };

    /// <summary>A read, a write or an execution.</summary>
    public static GuestAccess SomeAccess(ref ChoiceReader choices) => choices.OneOf<GuestAccess>(s_accesses);
}
