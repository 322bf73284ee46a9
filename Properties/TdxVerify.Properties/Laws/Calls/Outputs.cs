using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>
/// The registers that a call returns, by own arithmetic from the state before it (facts/checks.md "regs" and "How to
/// read", facts/zerostep.md, facts/guest.md). A register that no rule names keeps its input, after a TD exit 0.
/// </summary>
internal static class Outputs
{
    private const ulong NoPage = ulong.MaxValue;
    private const ulong PageFlag = 1UL << 63;
    private const ulong SuppressVe = 1UL << 63;
    private const ulong LeafBits = 0xF0;
    private const ulong Rwx = 7;
    private const ulong PendingType = 6;
    private const ulong Write = 2;

    /// <summary>A SEAMCALL that returned to its caller.</summary>
    public static RegisterFile OfHost(CallVerdict call, HostLeaf leaf)
    {
        CallFacts c = call.Facts;
        if (call.End == CallEnd.EmulatedEptViolation)
        {
            return new RegisterFile { Rax = call.Status, Rcx = Write, R8 = PageOf(c.UntranslatedGpa), Rbp = c.In.Rbp };
        }

        RegisterFile r = Presets(call);
        if (call.Rules!.IsDispatcher)
            return r;
        if (leaf == HostLeaf.TDH_MEM_SEPT_ADD && c.Version == 1)
            SeptAddPages(call, ref r);
        if (leaf is HostLeaf.TDH_MNG_RD or HostLeaf.TDH_VP_RD && c.Version != 0)
            r.Rdx = ulong.MaxValue;
        if (call.Expected is { } rule && rule.Kind != RuleKind.Done)
            Show(rule.Shows, c, ref r);
        else
            Succeed(c, leaf, call.First < 0, ref r);
        return r;
    }

    /// <summary>A TDCALL that returned to the guest.</summary>
    public static RegisterFile OfTdcall(CallVerdict call)
    {
        CallFacts c = call.Facts;
        RegisterFile r = Presets(call);
        if (!call.Succeeded)
            return r;
        ulong pending = c.Value.State == SeptState.PENDING ? 1UL << 62 : 0;
        switch ((GuestLeaf)LeafNames.Number(c.In.Rax))
        {
            case GuestLeaf.TDG_VP_INFO:
                r.Rcx = (c.Of(TdField.ConfigFlags) & 1) != 0 ? 52UL : 48;
                r.Rdx = c.Of(TdField.Attributes);
                r.R8 = c.Of(TdField.NumVcpus) | (c.Of(TdField.MaxVcpus) << 32);
                r.R9 = c.Of(VcpuField.Index);
                r.R10 = 1;
                r.R11 = 0;
                break;
            case GuestLeaf.TDG_MEM_PAGE_ATTR_RD:
                r.Rcx = (c.Gpa >> (12 + (9 * c.Level)) << (12 + (9 * c.Level))) | (uint)c.Level | pending;
                break;
            case GuestLeaf.TDG_MEM_PAGE_ATTR_WR:
                r.Rcx = c.In.Rcx | pending;
                break;
            default:
                break;
        }

        return r;
    }

    /// <summary>What the host sees of a TD exit; null call: the guest had nothing to do.</summary>
    public static RegisterFile OfExit(CallVerdict? call, GuestOutcome guest)
    {
        CallFacts? c = call?.Facts;
        switch (c is null ? CallEnd.Returned : call!.End)
        {
            case CallEnd.EptViolation:
                var exit = new RegisterFile { Rax = (ulong)ExitReason.EptViolation, R8 = PageOf(c!.Gpa) };
                if (guest.Kind == GuestOperationKind.Access)
                {
                    exit.Rcx = (ulong)c.Access;
                    exit.Rdx = c.Value.State == SeptState.PENDING ? PendingType : 0;
                }
                else if (ExtendedType(c) is > 0 and { } type)
                {
                    exit.Rcx = Write | (Permissions(c.Value.State) << 3);
                    exit.Rdx = type | (ErrorInfo(c) << 32);
                }

                return exit;
            case CallEnd.InterruptExit:
                return new RegisterFile { Rax = (ulong)ExitReason.ExternalInterrupt };
            case CallEnd.Vmcall:
                var selected = new RegisterFile();
                foreach (Register register in RegisterFile.All)
                {
                    if ((c!.In.Rcx >> (int)register & 1) != 0)
                        selected[register] = c.In[register];
                }

                selected.Rax = (ulong)ExitReason.Tdcall;
                selected.Rcx = (uint)c!.In.Rcx;
                return selected;
            default:
                // The guest's own TDG.VP.VMCALL after its operation (Hardware/README.md, "Leaving").
                return new RegisterFile { Rax = (ulong)ExitReason.Tdcall, Rcx = 0xFC00, R11 = 12 };
        }
    }

    private static RegisterFile Presets(CallVerdict call)
    {
        RegisterFile r = call.Facts.In;
        r.Rax = call.Status;
        int zeroed = call.Rules!.Zeroed;
        int ones = call.Rules.AllOnes;
        for (int set = zeroed | ones; set != 0; set &= set - 1)
        {
            int register = System.Numerics.BitOperations.TrailingZeroCount(set);
            r[(Register)register] = (ones >> register & 1) != 0 ? ulong.MaxValue : 0;
        }

        return r;
    }

    private static void Show(Shown shown, CallFacts c, ref RegisterFile r)
    {
        switch (shown)
        {
            case Shown.Entry:
                r.Rcx = ArchEntry(c);
                r.Rdx = LevelAndState(c);
                break;
            case Shown.Inputs:
                r.Rcx = c.In.Rcx;
                r.Rdx = c.In.Rdx;
                break;
            case Shown.Page:
                ShowPage(c, ref r);
                break;
            case Shown.CpuidLeaf:
                r.Rcx = 0x1F | ((ulong)InitRules.IllegalTopologyLevel(c) << 32);
                break;
            default:
                break;
        }
    }

    private static void Succeed(CallFacts c, HostLeaf leaf, bool usedPage, ref RegisterFile r)
    {
        switch (leaf)
        {
            case HostLeaf.TDH_MEM_SEPT_RD:
                r.Rcx = ArchEntry(c);
                r.Rdx = LevelAndState(c);
                if ((c.In.Rdx & 1) != 0)
                    r.R8 = 0;
                break;
            case HostLeaf.TDH_MEM_SEPT_REMOVE or HostLeaf.TDH_MEM_PAGE_REMOVE or HostLeaf.TDH_MEM_PAGE_RELOCATE or HostLeaf.TDH_MEM_PAGE_PROMOTE:
                r.Rcx = c.MappedHpa;
                break;
            case HostLeaf.TDH_MEM_SEPT_ADD when c.Version == 1 && usedPage:
                r.R8 = NoPage;
                break;
            case HostLeaf.TDH_MNG_RD:
                r.R8 = MetadataFields.Value(c, MetadataFields.Find(c.In.Rdx, ofVcpu: false, c.Platform.Profile));
                break;
            case HostLeaf.TDH_VP_RD:
                r.R8 = MetadataFields.Value(c, MetadataFields.Find(c.In.Rdx, ofVcpu: true, c.Platform.Profile));
                break;
            case HostLeaf.TDH_PHYMEM_PAGE_RECLAIM:
                ShowPage(c, ref r);
                break;
            case HostLeaf.TDH_PHYMEM_PAGE_RDMD:
                ShowPage(c, ref r);
                if (c.TargetType is PageType.PT_REG or PageType.PT_EPT)
                    r.R9 = c.S.Pamt(c.Target, PamtField.Bepoch);
                break;
            default:
                break;
        }
    }

    private static void ShowPage(CallFacts c, ref RegisterFile r)
    {
        r.Rcx = (ulong)c.TargetType;
        r.Rdx = c.TargetOwner == 0 ? 0 : c.HpaOf((int)c.TargetOwner - 1);
        r.R8 = (ulong)c.TargetSize;
    }

    // Bit 63 of a page that is no list end is a flag: ignored on input, set on output where the page was not needed.
    private static void SeptAddPages(CallVerdict call, ref RegisterFile r)
    {
        CallFacts c = call.Facts;
        for (Register page = Register.R8; page <= Register.R11; page++)
        {
            if (c.In[page] != NoPage)
                r[page] = c.In[page] & ~PageFlag;
        }

        if (c.PassedEntryState && c.In.R8 != NoPage && c.Value.State != SeptState.FREE)
            r.R8 |= PageFlag;
    }

    private static ulong ArchEntry(CallFacts c) => c.Value.State switch
    {
        SeptState.FREE => SuppressVe,
        SeptState.NL_MAPPED => Rwx,
        SeptState.NL_BLOCKED => 0,
        SeptState.MAPPED => SuppressVe | LeafBits | HpaAndCounter(c) | Rwx,
        _ => SuppressVe | LeafBits | HpaAndCounter(c),
    };

    // An interrupted accept keeps its counter of 4 KiB chunks in bits 20:12, where the HPA of a 2 MiB page is 0.
    private static ulong HpaAndCounter(CallFacts c) => c.HpaOf(c.Value.Target) | ((ulong)c.Value.AcceptCounter << 12);

    private static ulong LevelAndState(CallFacts c) => (uint)c.Level | (ArchState(c.Value.State) << 8);

    private static ulong ArchState(SeptState state) => state switch
    {
        SeptState.FREE => 0x00,
        SeptState.NL_MAPPED => 0x84,
        SeptState.NL_BLOCKED => 0x81,
        SeptState.MAPPED => 0x04,
        SeptState.BLOCKED => 0x01,
        SeptState.PENDING => 0x02,
        _ => 0x03,
    };

    private static ulong Permissions(SeptState state) => state is SeptState.NL_MAPPED or SeptState.MAPPED ? Rwx : 0;

    // Requested level, level, state and leaf flag of the failing entry.
    private static ulong ErrorInfo(CallFacts c) =>
        (uint)c.WantedLevel | ((ulong)c.Level << 3) | (ArchState(c.Value.State) << 6) | (c.Value.IsLeaf ? 1UL << 14 : 0);

    private static ulong ExtendedType(CallFacts c) => (GuestLeaf)LeafNames.Number(c.In.Rax) switch
    {
        GuestLeaf.TDG_MEM_PAGE_ACCEPT => 1,
        GuestLeaf.TDG_MEM_PAGE_ATTR_WR => 5,
        _ => 0,
    };

    private static ulong PageOf(ulong gpa) => gpa & ~0xFFFUL;
}
