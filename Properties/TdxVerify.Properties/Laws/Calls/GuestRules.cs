using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>What a guest's TDCALL or memory access ends in (facts/checks.md, facts/guest.md, facts/zerostep.md).</summary>
internal static class GuestRules
{
    private const int VmRd = 7;

    private static readonly ulong s_rcxInvalid = LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rcx);
    private static readonly ulong s_busy = LeafRules.Error(Status.TDX_OPERAND_BUSY, Register.Rcx);
    private static readonly ulong s_raxInvalid = LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rax);

    public static LeafRules Access() => new LeafRules("guest memory access")
        .Leaves(CallEnd.PageFault, "the GPA has a bit above SHARED", c => c.Gpa >> (SharedBit(c) + 1) != 0)
        .Leaves(CallEnd.VirtualizationException, "the GPA is shared", c => (c.Gpa >> SharedBit(c) & 1) != 0)
        .Leaves(
            CallEnd.AccessDone, "the page is MAPPED",
            c =>
            {
                c.Walk(SeptLevel.Page4K);
                return c.Value.State == SeptState.MAPPED;
            })
        .Leaves(
            CallEnd.VirtualizationException, "the page is PENDING and PENDING_VE_DISABLE is 0",
            c => c.Value.State == SeptState.PENDING && c.Of(TdField.PendingVeDisable) == 0)
        .Leaves(CallEnd.EptViolation, "the GPA does not translate", _ => true);

    public static LeafRules Accept() => new LeafRules("TDG.MEM.PAGE.ACCEPT")
        .GpaAndLevel(0, 1)
        .Add(WithLevel(Status.TDX_PAGE_ALREADY_ACCEPTED, "a larger page is MAPPED", c => WalkEndsAbove(c) && c.Value.State == SeptState.MAPPED))
        .Leaves(CallEnd.EptViolation, "the walk ends above the level", c => c.Level > c.WantedLevel)
        .Lock(s_busy, "the S-EPT entry is locked or has host priority", EntryRefusesGuest)
        .Add(WithLevel(Status.TDX_PAGE_SIZE_MISMATCH, "the entry points to an S-EPT page", c => c.IsIn(SeptStates.NonLeaf)))
        .Add(WithLevel(Status.TDX_PAGE_ALREADY_ACCEPTED, "the page is MAPPED", c => c.Value.State == SeptState.MAPPED))
        .Leaves(CallEnd.EptViolation, "the entry is not PENDING", c => c.Value.State != SeptState.PENDING)
        .Leaves(
            CallEnd.InterruptExit, "an interrupt is pending and a 4 KiB chunk remains",
            c => c.WantedLevel == 1 && c.S.Global(GlobalField.InterruptPending) != 0 && c.Value.AcceptCounter + 1 < 512);

    public static LeafRules AttrRd() => new LeafRules("TDG.MEM.PAGE.ATTR.RD")
        .Presets(Register.Rcx, Register.Rdx)
        .Check(
            s_rcxInvalid, "the GPA is shared or too wide",
            c =>
            {
                c.Gpa = c.In.Rcx;
                return c.Gpa >> SharedBit(c) != 0;
            })
        .Lock(
            s_busy, "the S-EPT entry is locked or has host priority",
            c =>
            {
                c.Walk(SeptLevel.Page4K);
                return EntryRefusesGuest(c);
            })
        .Leaves(CallEnd.EptViolation, "the entry is neither MAPPED nor PENDING", c => !c.IsIn(SeptStates.MAPPED | SeptStates.PENDING));

    public static LeafRules AttrWr()
    {
        LeafRules rules = new LeafRules("TDG.MEM.PAGE.ATTR.WR").Presets(Register.Rcx, Register.Rdx);
        for (int v = 0; v < 4; v++)
        {
            int vm = v;
            rules
                .Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.Rdx), $"RDX has attributes for VM {vm}", c => (c.In.Rdx >> (16 * vm) & 0xFFFF) != 0)
                .Check(LeafRules.Error(Status.TDX_OPERAND_INVALID, Register.R8), $"R8 has flags for VM {vm}", c => (c.In.R8 >> (16 * vm) & 0xFFFF) != 0);
        }

        return rules
            .GpaAndLevel(0, 2)
            .Leaves(CallEnd.EptViolation, "the walk ends above the level", WalkEndsAbove)
            .Lock(s_busy, "the S-EPT entry is locked or has host priority", EntryRefusesGuest)
            .Add(WithLevel(Status.TDX_PAGE_SIZE_MISMATCH, "the entry points to an S-EPT page", c => c.IsIn(SeptStates.NonLeaf)))
            .Leaves(CallEnd.EptViolation, "the entry is neither MAPPED nor PENDING", c => !c.IsIn(SeptStates.MAPPED | SeptStates.PENDING));
    }

    public static LeafRules Vmcall() => new LeafRules("TDG.VP.VMCALL")
        .Check(
            s_rcxInvalid, "RCX selects RAX, RCX or RSP, RBP of a TD with NO_RBP_MOD, or has bits 63:32",
            c => (c.In.Rcx & (0xFFFF_FFFF_0000_0013 | ((c.Of(TdField.ConfigFlags) & 4) << 3))) != 0)
        .Leaves(CallEnd.Vmcall, "the guest calls the host", _ => true);

    public static LeafRules Info() => new LeafRules("TDG.VP.INFO");

    public static LeafRules VeInfoGet() => new LeafRules("TDG.VP.VEINFO.GET")
        .Presets(Register.Rcx, Register.Rdx, Register.R8, Register.R9, Register.R10)
        .Check(Status.TDX_NO_VALID_VE_INFO, "there is no valid VE info", c => c.Of(VcpuField.VeValid) == 0);

    /// <summary>The dispatcher's own checks.</summary>
    public static LeafRules Dispatcher() => new LeafRules("TDCALL")
        .Check(s_raxInvalid, "RAX bits 31:24 or 63:32 are not 0", c => (c.In.Rax & 0xFFFF_FFFF_FF00_0000) != 0)
        .Check(s_raxInvalid, "the version is not 0", c => c.Version != 0 && LeafNames.Number(c.In.Rax) != VmRd)
        .Check(s_raxInvalid, "the leaf is unknown", c => !HasHandler(LeafNames.Number(c.In.Rax)));

    /// <summary>The dispatcher refuses this RAX.</summary>
    public static bool IsRefused(ulong rax) =>
        (rax & 0xFFFF_FFFF_FF00_0000) != 0
        || (LeafNames.Version(rax) != 0 && LeafNames.Number(rax) != VmRd)
        || !HasHandler(LeafNames.Number(rax));

    private static bool HasHandler(int leaf) => leaf is (>= 0 and <= 12) or 18 or 20 or (>= 22 and <= 27);

    private static Rule WithLevel(ulong status, string text, Reason holds) =>
        new(RuleKind.Check, status, text, holds) { Details = c => (uint)c.Level };

    private static bool WalkEndsAbove(CallFacts c)
    {
        c.Walk(c.WantedLevel);
        return c.Level > c.WantedLevel;
    }

    private static bool EntryRefusesGuest(CallFacts c) => c.Value.IsLocked || c.Value.HasHostPriority;

    private static int SharedBit(CallFacts c) => (c.Of(TdField.ConfigFlags) & 1) != 0 ? 51 : 47;
}
