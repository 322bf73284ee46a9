using TdxVerify.Abi;
using TdxVerify.Model;

namespace TdxVerify.Properties.Laws.Calls;

/// <summary>
/// The documented ends of one leaf, in the order of facts/checks.md: the first reason that holds is the one that the
/// call must show. This table is written from the facts and shares nothing with the model's own steps, so a fault in
/// either shows.
/// </summary>
internal sealed class LeafRules(string name)
{
    private readonly List<Rule> _rules = [];
    private Rule[]? _ordered;

    /// <summary>The leaf.</summary>
    public string Name => name;

    /// <summary>The dispatcher's own checks: RAX says nothing of a leaf yet.</summary>
    public bool IsDispatcher { get; init; }

    /// <summary>The rules in order.</summary>
    public Rule[] Ordered => _ordered ??= [.. _rules];

    /// <summary>Registers that are 0 unless a success or failure says otherwise: bit <see cref="Register"/>.</summary>
    public int Zeroed { get; private set; }

    /// <summary>Registers that are all ones unless a success says otherwise.</summary>
    public int AllOnes { get; private set; }

    public static ulong Error(ulong status, Register operand) => status + (uint)operand;

    public static ulong Error(ulong status, OperandId operand) => status + (uint)operand;

    public LeafRules Presets(params ReadOnlySpan<Register> registers)
    {
        foreach (Register register in registers)
            Zeroed |= 1 << (int)register;
        return this;
    }

    public LeafRules PresetsOnes(params ReadOnlySpan<Register> registers)
    {
        foreach (Register register in registers)
            AllOnes |= 1 << (int)register;
        return this;
    }

    public LeafRules Check(ulong status, string text, Reason holds, Shown shows = Shown.Presets) =>
        Add(new Rule(RuleKind.Check, status, text, holds) { Shows = shows });

    public LeafRules Lock(ulong status, string text, Reason refused, Shown shows = Shown.Presets) =>
        Add(new Rule(RuleKind.Lock, status, text, refused) { Shows = shows });

    public LeafRules Choice(ChoicePoint choice, ulong status, string text, Reason? reached = null) =>
        Add(new Rule(RuleKind.Choice, status, text, reached ?? (_ => true)) { Choice = choice });

    public LeafRules Done(string text, Reason holds) => Add(new Rule(RuleKind.Done, Status.TDX_SUCCESS, text, holds));

    /// <summary>A guest's call or access ends in a TD exit or an exception.</summary>
    public LeafRules Leaves(CallEnd end, string text, Reason holds) =>
        Add(new Rule(RuleKind.Check, 0, text, holds) { End = end, Shows = end == CallEnd.EptViolation ? Shown.EptViolation : Shown.Presets });

    public LeafRules Add(Rule rule)
    {
        _rules.Add(rule);
        return this;
    }

    /// <summary>The TDR operand: address, TDMR, PAMT walk, type.</summary>
    public LeafRules Tdr(Register operand, bool exclusive, ulong ignoredBits = 0) =>
        Page("TDR", operand, exclusive, PageType.PT_TDR, ignoredBits, isRoot: true, c => (c.Td = c.TdOf(c.RootPage)) < 0);

    /// <summary>The TDVPR operand, then its owner TDR, locked without a walk.</summary>
    public LeafRules Tdvpr(Register operand, bool exclusive, ulong ignoredBits = 0, bool tdrExclusive = false)
    {
        Page(
            "TDVPR", operand, exclusive, PageType.PT_TDVPR, ignoredBits, isRoot: true,
            c =>
            {
                if (c.TypeOf(c.RootPage) != PageType.PT_TDVPR)
                    return true;
                c.Vcpu = c.S.Holder(c.RootPage);
                c.Td = c.TdOfVcpu(c.Vcpu);
                return false;
            });
        return Lock(
            Error(Status.TDX_OPERAND_BUSY, OperandId.TDR), $"the owner TDR's PAMT entry refuses {Mode(tdrExclusive)}",
            c =>
            {
                var tdr = new PamtRef(0, (int)c.Of(TdField.TdrPage));
                return tdrExclusive ? c.RefusesExclusive(tdr) : c.RefusesShared(tdr);
            });
    }

    /// <summary>A page that the call takes: address, TDMR, PAMT walk with the 4 KiB entry exclusive, PT_NDA.</summary>
    public LeafRules NewPage(Register operand, ulong ignoredBits = 0) =>
        Page("new page", operand, true, PageType.PT_NDA, ignoredBits, isRoot: false, c => c.TypeOf(c.TargetPage) != PageType.PT_NDA);

    /// <summary>
    /// A 4 KiB page operand: the TDR or TDVPR (root), or the page operand. HKID bits of the address must be 0, unless
    /// they are among the ignored bits.
    /// </summary>
    public LeafRules Page(string what, Register operand, bool exclusive, PageType type, ulong ignoredBits, bool isRoot, Reason isOtherType)
    {
        string name = operand.ToString().ToUpperInvariant();
        Check(
            Error(Status.TDX_OPERAND_INVALID, operand), $"the {what} address in {name} is not 4 KiB aligned, has HKID bits or is not below 2^52",
            c =>
            {
                ulong address = c.In[operand] & ~ignoredBits;
                c.SetPage(isRoot, c.PageOf(address));
                return (address & (Hpa.PageSize - 1)) != 0 || address >> c.Platform.HkidStartBit != 0;
            });
        Check(Error(Status.TDX_OPERAND_ADDR_RANGE_ERROR, operand), $"the {what} in {name} is in no TDMR", c => c.Page(isRoot) < 0);
        for (int s = 2; s >= 1; s--)
        {
            int size = s;
            Lock(
                Error(Status.TDX_OPERAND_BUSY, operand), $"the {what}'s {Size(size)} PAMT entry refuses the walk",
                c => c.RefusesParent(c.Page(isRoot), size, exclusive));
            Check(Error(Status.TDX_PAGE_METADATA_INCORRECT, operand), $"the {what} in {name} is part of a {Size(size)} page", c => c.IsLarge(c.Page(isRoot), size));
        }

        Lock(
            Error(Status.TDX_OPERAND_BUSY, operand), $"the {what}'s 4 KiB PAMT entry refuses {Mode(exclusive)}",
            c => exclusive ? c.RefusesExclusive(new PamtRef(0, c.Page(isRoot))) : c.RefusesShared(new PamtRef(0, c.Page(isRoot))));
        return Check(Error(Status.TDX_PAGE_METADATA_INCORRECT, operand), $"the {what} in {name} is not {type}", isOtherType);
    }

    /// <summary>TDR.FATAL.</summary>
    public LeafRules NotFatal() => Check(Status.TDX_TD_FATAL, "TDR.FATAL is set", c => c.Of(TdField.Fatal) != 0);

    /// <summary>The lifecycle is TD_KEYS_CONFIGURED.</summary>
    public LeafRules KeysConfigured() => Check(
        Status.TDX_TD_KEYS_NOT_CONFIGURED, "the lifecycle is not TD_KEYS_CONFIGURED",
        c => (TdLifecycle)c.Of(TdField.Lifecycle) != TdLifecycle.TD_KEYS_CONFIGURED);

    /// <summary>FATAL, lifecycle, TDCS pages; then OP_STATE, locked unless the TDR is held exclusively.</summary>
    public LeafRules Usable(bool locksOpState, params OpState[] allowed)
    {
        NotFatal();
        KeysConfigured();
        Check(Status.TDX_TDCS_NOT_ALLOCATED, "fewer than 6 TDCS pages were added", c => c.Of(TdField.TdcsPages) < 6);
        if (locksOpState)
            Lock(Error(Status.TDX_OPERAND_BUSY, OperandId.OP_STATE), "OP_STATE refuses a shared lock", c => c.RefusesShared(TdField.OpStateLock));
        int set = allowed.Aggregate(0, (states, state) => states | (1 << (int)state));
        return Check(Status.TDX_OP_STATE_INCORRECT, $"OP_STATE is not {string.Join(" or ", allowed)}", c => (set >> (int)c.Of(TdField.OpState) & 1) == 0);
    }

    /// <summary>RCX: reserved bits, level (7: that of the root), alignment; then a private GPA.</summary>
    public LeafRules GpaAndLevel(int lowest, int highest)
    {
        ulong invalid = Error(Status.TDX_OPERAND_INVALID, Register.Rcx);
        Check(
            invalid, "RCX has reserved bits, a level out of range or an unaligned GPA",
            c =>
            {
                ulong rcx = c.In.Rcx;
                c.WantedLevel = (int)(rcx & 7);
                c.Gpa = rcx & 0x000F_FFFF_FFFF_F000;
                int top = highest == 7 ? (int)c.Of(TdField.RootLevel) : highest;
                return (rcx & 0xFFF0_0000_0000_0FF8) != 0
                    || c.WantedLevel < lowest || c.WantedLevel > top
                    || c.Gpa % (1UL << (12 + (9 * c.WantedLevel))) != 0;
            });
        return PrivateGpa();
    }

    /// <summary>The SHARED bit and all above are 0.</summary>
    public LeafRules PrivateGpa() => Check(
        Error(Status.TDX_OPERAND_INVALID, Register.Rcx), "the GPA is shared or too wide",
        c => c.Gpa >> ((c.Of(TdField.ConfigFlags) & 1) != 0 ? 51 : 47) != 0);

    /// <summary>S-EPT tree lock, walk, entry lock.</summary>
    public LeafRules SeptEntry(bool treeExclusive)
    {
        Lock(
            Error(Status.TDX_OPERAND_BUSY, OperandId.SEPT_TREE), $"the S-EPT tree refuses {Mode(treeExclusive)}",
            c => treeExclusive ? c.RefusesExclusive(TdField.SeptTreeLock) : c.RefusesShared(TdField.SeptTreeLock));
        SeptWalk();
        return Lock(Error(Status.TDX_OPERAND_BUSY, Register.Rcx), "the S-EPT entry is locked", c => c.RefusesEntry(), Shown.Entry);
    }

    /// <summary>The walk reaches the level.</summary>
    public LeafRules SeptWalk() => Check(
        Error(Status.TDX_EPT_WALK_FAILED, Register.Rcx), "the S-EPT walk ends above the level",
        c =>
        {
            c.Walk(c.WantedLevel);
            return c.Level != c.WantedLevel;
        },
        Shown.Entry);

    /// <summary>The entry is in one of these states. From then on some leaves ignore an interrupted accept's counter.</summary>
    public LeafRules EntryIn(SeptStates allowed, bool ignoresAcceptCounter = false) => Check(
        Error(Status.TDX_EPT_ENTRY_STATE_INCORRECT, Register.Rcx), $"the S-EPT entry is not {allowed}",
        c =>
        {
            if (!c.IsIn(allowed))
                return true;
            if (ignoresAcceptCounter)
                c.Value = c.Value.WithAcceptCounter(0);
            return false;
        },
        Shown.Entry);

    /// <summary>The PAMT entry of what the entry maps, exclusive without parents.</summary>
    public LeafRules MappedLock() => Lock(
        Error(Status.TDX_OPERAND_BUSY, Register.Rcx), "the PAMT entry of the mapped page or S-EPT page refuses an exclusive lock",
        c => c.RefusesExclusive(c.Mapped));

    /// <summary>In a RUNNABLE TD the entry is blocked and TLB tracking is done.</summary>
    public LeafRules BlockedAndTracked()
    {
        Check(
            Error(Status.TDX_GPA_RANGE_NOT_BLOCKED, Register.Rcx), "the TD is RUNNABLE and the range is not blocked",
            c => c.OpState == OpState.RUNNABLE && !c.IsIn(SeptStates.AnyBlocked), Shown.Entry);
        return Tracked(Error(Status.TDX_TLB_TRACKING_NOT_DONE, Register.Rcx));
    }

    /// <summary>In a RUNNABLE TD TLB tracking is done.</summary>
    public LeafRules Tracked(ulong status) => Check(
        status, "the TD is RUNNABLE and TLB tracking is not done since BEPOCH",
        c => c.OpState == OpState.RUNNABLE && !c.IsTracked(c.S.Pamt(c.Mapped, PamtField.Bepoch)));

    private static string Mode(bool exclusive) => exclusive ? "an exclusive lock" : "a shared lock";

    private static string Size(int size) => size == 1 ? "2 MiB" : "1 GiB";
}
