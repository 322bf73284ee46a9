using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// Declares a leaf, one call a step (or a run of steps that many leaves share), in the order of its specification.
/// </summary>
/// <typeparam name="S">The layout of the state.</typeparam>
internal sealed class LeafBuilder<S>(LeafId id)
    where S : struct, IState
{
    private readonly List<Step<S>> _steps = [];

    // What the state machines call this leaf.
    private Trigger Trigger => Triggers.Of(id);

    public Leaf<S> Build() => new(id, _steps);

    public LeafBuilder<S> Read(string text, StepAction<S> action, int argument = 0) =>
        Add(new Step<S> { Kind = StepKind.Read, Text = text, Action = action, Argument = argument });

    public LeafBuilder<S> Check(
        string text, StepTest<S> test, Failure failure, int argument = 0, bool threshold = false, StepAction<S>? undo = null,
        ArgumentKind kind = ArgumentKind.Other) =>
        Add(new Step<S>
        {
            Kind = StepKind.Check, Text = text, Test = test, Argument = argument, Failure = failure,
            IsThreshold = threshold, Undo = undo, ArgumentKind = kind,
        });

    public LeafBuilder<S> Choice(string text, ChoicePoint choice, Failure failure, StepTest<S>? test = null) =>
        Add(new Step<S>
        {
            Kind = StepKind.Choice, Text = text, Test = test ?? RegisterSteps<S>.ChoiceHolds, Argument = (int)choice,
            Choice = choice, Failure = failure,
        });

    public LeafBuilder<S> Lock(
        string text, LockId lockId, LockMode mode, StepTest<S> test, Failure failure, int argument = 0, StepAction<S>? undo = null, string when = "") =>
        Add(new Step<S>
        {
            Kind = StepKind.Lock, Text = text, Test = test, Argument = argument, Failure = failure,
            Lock = new LockUse(lockId, mode, when), Undo = undo,
        });

    public LeafBuilder<S> Effect(
        string text, StepAction<S> action, int argument = 0, bool threshold = false, LockId? releases = null, CallEnd? ends = null,
        params Register[] writes) =>
        Add(new Step<S>
        {
            Kind = StepKind.Effect, Text = text, Action = action, Argument = argument, IsThreshold = threshold, Writes = writes,
            Releases = releases, Ends = ends,
        });

    public LeafBuilder<S> Release(string text, LockId lockId, StepAction<S> action, int argument = 0) =>
        Add(new Step<S>
        {
            Kind = StepKind.Release, Text = text, Action = action, Argument = argument,
            Lock = new LockUse(lockId, LockMode.Shared),
        });

    /// <summary>Registers that are cleared before the first check.</summary>
    public LeafBuilder<S> Preset(params Register[] registers) =>
        Add(new Step<S>
        {
            Kind = StepKind.Effect, Text = $"{string.Join(", ", registers.Select(Name))} = 0", Action = RegisterSteps<S>.Clear,
            Argument = registers.Aggregate(0, (set, register) => set | (1 << (int)register)), Writes = registers, IsPreset = true,
        });

    /// <summary>The version is 0 or 1.</summary>
    public LeafBuilder<S> VersionAtMost1() =>
        Check("version <= 1", RegisterSteps<S>.VersionAtMost, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rax), 1, threshold: true);

    /// <summary>
    /// A page operand: its address, then the PAMT walk to its 4 KiB entry, locked in <paramref name="mode"/>, then
    /// its type.
    /// </summary>
    public LeafBuilder<S> Page(
        PageSlot slot, Register operand, string what, LockMode mode, PageType type, StepAction<S>? readAddress = null)
    {
        Failure invalid = Failure.Of(Status.TDX_OPERAND_INVALID, operand);
        Read($"{what} page address = {Name(operand)}", readAddress ?? PamtSteps<S>.ReadAddress, PamtSteps<S>.Arg(slot, operand));
        Check($"{what} page address: 4 KiB aligned, HKID bits 0, below 2^52", PamtSteps<S>.AddressIsLegal, invalid, PamtSteps<S>.Arg(slot));
        InTdmr(slot, operand, what);
        return Walk(slot, operand, what, mode, type);
    }

    /// <summary>The address of a slot lies in the TDMR.</summary>
    public LeafBuilder<S> InTdmr(PageSlot slot, Register operand, string what) =>
        Check(
            $"{what} page address inside a TDMR", PamtSteps<S>.AddressIsInTdmr,
            Failure.Of(Status.TDX_OPERAND_ADDR_RANGE_ERROR, operand), PamtSteps<S>.Arg(slot));

    /// <summary>The PAMT walk to a 4 KiB entry, host side: parents shared, the entry in <paramref name="mode"/>; then its type.</summary>
    public LeafBuilder<S> Walk(PageSlot slot, Register operand, string what, LockMode mode, PageType type)
    {
        Failure busy = Failure.Of(Status.TDX_OPERAND_BUSY, operand);
        Failure metadata = Failure.Of(Status.TDX_PAGE_METADATA_INCORRECT, operand);
        for (int size = 2; size > 0; size--)
        {
            string name = SizeName(size);
            LockId entry = Call.PamtLock(slot, size);
            int argument = PamtSteps<S>.Arg(slot, size);
            Lock($"{what} PAMT {name} entry SHARED", entry, LockMode.Shared, PamtSteps<S>.LockShared, busy, argument);
            if (mode == LockMode.Exclusive)
            {
                Lock(
                    $"{what} PAMT {name} entry promoted to EXCLUSIVE if it is PT_REG (the walk ends there)", entry,
                    LockMode.Promoted, PamtSteps<S>.PromoteLockOfLargePage, busy, argument, when: "it is PT_REG");
            }

            Check($"{what} PAMT {name} entry is not PT_REG", PamtSteps<S>.IsNotLargePage, metadata, argument);
        }

        Lock(
            $"{what} PAMT 4 KiB entry {(mode == LockMode.Exclusive ? "EXCLUSIVE" : "SHARED")}", Call.PamtLock(slot, 0), mode,
            mode == LockMode.Exclusive ? PamtSteps<S>.LockExclusive : PamtSteps<S>.LockShared, busy, PamtSteps<S>.Arg(slot));
        StepTest<S> isType = type switch
        {
            PageType.PT_TDR => PamtSteps<S>.TypeIsTdr,
            PageType.PT_TDVPR => PamtSteps<S>.TypeIsTdvpr,
            _ => PamtSteps<S>.TypeIsNda,
        };
        return Check($"{what} page type is {type}", isType, metadata, PamtSteps<S>.Arg(slot));
    }

    /// <summary>The owner TDR of the TDVPR page, reached by its PAMT owner: no address checks, no PAMT parents.</summary>
    public LeafBuilder<S> OwnerTdr(PageSlot owned, LockMode mode = LockMode.Shared)
    {
        Read("owner TDR = PAMT owner", PamtSteps<S>.ReadOwner, PamtSteps<S>.Arg(owned));
        return Lock(
            $"owner TDR PAMT 4 KiB entry {(mode == LockMode.Exclusive ? "EXCLUSIVE" : "SHARED")} (implicit)",
            Call.PamtLock(PageSlot.Tdr, 0), mode,
            mode == LockMode.Exclusive ? PamtSteps<S>.LockExclusive : PamtSteps<S>.LockShared,
            Failure.Of(Status.TDX_OPERAND_BUSY, OperandId.TDR), PamtSteps<S>.Arg(PageSlot.Tdr));
    }

    /// <summary>TDR.FATAL is clear.</summary>
    public LeafBuilder<S> NotFatal() => Check("TDR.FATAL is clear", TdSteps<S>.IsNotFatal, new Failure(Status.TDX_TD_FATAL));

    /// <summary>The lifecycle is the one in which a TD operates: TD_KEYS_CONFIGURED.</summary>
    public LeafBuilder<S> KeysConfigured() =>
        Check(
            $"lifecycle is {TdMachine.Operating}", TdSteps<S>.LifecycleIn, new Failure(Status.TDX_TD_KEYS_NOT_CONFIGURED),
            StateMachine<TdLifecycle, Trigger>.Bit(TdMachine.Operating));

    /// <summary>The lifecycle is one that <see cref="TdMachine.Lifecycle"/> permits for this leaf.</summary>
    public LeafBuilder<S> Lifecycle()
    {
        int allowed = TdMachine.Lifecycle.From(Trigger);
        return Check(
            $"lifecycle is {StateMachine<TdLifecycle, Trigger>.Names(allowed, " or ")}", TdSteps<S>.LifecycleIn,
            new Failure(Status.TDX_LIFECYCLE_STATE_INCORRECT), allowed);
    }

    /// <summary>The checks that every leaf with an OP_STATE check begins with.</summary>
    public LeafBuilder<S> TdIsUsable()
    {
        NotFatal();
        KeysConfigured();
        return Check(
            "TDCS pages >= 6", TdSteps<S>.HasTdcsPages, new Failure(Status.TDX_TDCS_NOT_ALLOCATED),
            TdSteps<S>.MinimumTdcsPages, threshold: true);
    }

    /// <summary>
    /// OP_STATE is one that <see cref="TdMachine.OpStates"/> permits for this leaf; the lock is taken shared unless an
    /// exclusive TDR lock implies it.
    /// </summary>
    public LeafBuilder<S> OpState(bool locked = true)
    {
        int allowed = TdMachine.OpStates.From(Trigger);
        if (locked)
        {
            Lock(
                "OP_STATE SHARED", LockId.OpState, LockMode.Shared, TdSteps<S>.LockOpStateShared,
                Failure.Of(Status.TDX_OPERAND_BUSY, OperandId.OP_STATE));
        }

        return Check(
            $"OP_STATE in {{{StateMachine<OpState, Trigger>.Names(allowed)}}}", TdSteps<S>.OpStateIn,
            new Failure(Status.TDX_OP_STATE_INCORRECT, Drop: locked ? LockId.OpState : null), allowed,
            kind: ArgumentKind.OpStates);
    }

    /// <summary>The TDVPS is complete.</summary>
    public LeafBuilder<S> TdvpsIsComplete() =>
        Check(
            "TDVPS pages >= 6", VcpuSteps<S>.HasTdvpsPages, new Failure(Status.TDX_TDCX_NUM_INCORRECT),
            VcpuSteps<S>.MinimumTdvpsPages, threshold: true);

    /// <summary>The vCPU's state is one that <see cref="VcpuMachine"/> permits for this leaf.</summary>
    public LeafBuilder<S> VcpuState()
    {
        int allowed = VcpuMachine.Declared.From(Trigger);
        return Check(
            $"vCPU state is {StateMachine<VcpuState, Trigger>.Names(allowed, " or ")}", VcpuSteps<S>.StateIn,
            new Failure(Status.TDX_VCPU_STATE_INCORRECT), allowed, kind: ArgumentKind.VcpuStates);
    }

    /// <summary>RCX names an S-EPT entry: reserved bits, level, alignment, then a private GPA.</summary>
    public LeafBuilder<S> PageInfo(int lowestLevel, int highestLevel)
    {
        Failure invalid = Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rcx);
        Read("GPA and level = RCX", SeptSteps<S>.ReadPageInfo);
        string highest = highestLevel == SeptSteps<S>.RootLevel ? "that of the root" : $"{highestLevel}";
        Check(
            $"RCX: reserved bits 0, level from {lowestLevel} to {highest}, GPA aligned to the level",
            SeptSteps<S>.PageInfoIsLegal, invalid, SeptSteps<S>.Levels(lowestLevel, highestLevel), kind: ArgumentKind.Levels);
        return Check("GPA is private and not too wide", SeptSteps<S>.GpaIsPrivate, invalid);
    }

    /// <summary>The S-EPT tree lock.</summary>
    public LeafBuilder<S> SeptTree(LockMode mode) =>
        Lock(
            $"S-EPT tree {(mode == LockMode.Exclusive ? "EXCLUSIVE" : "SHARED")}", LockId.SeptTree, mode,
            mode == LockMode.Exclusive ? SeptSteps<S>.LockTreeExclusive : SeptSteps<S>.LockTreeShared,
            Failure.Of(Status.TDX_OPERAND_BUSY, OperandId.SEPT_TREE));

    /// <summary>The walk to the level that the operand asks for.</summary>
    public LeafBuilder<S> SeptWalk(bool dropsTree = true) =>
        Check(
            "S-EPT walk reaches the level", SeptSteps<S>.WalkReachesLevel,
            new Failure(
                Status.TDX_EPT_WALK_FAILED + (uint)OperandId.RCX, FailureDetail.SeptEntry,
                Drop: dropsTree ? LockId.SeptTree : null));

    /// <summary>The host's lock on the entry, and its value read again under the lock.</summary>
    public LeafBuilder<S> SeptEntryLock()
    {
        Lock(
            "S-EPT entry, host flavour", LockId.SeptEntry, LockMode.Host, SeptSteps<S>.LockEntryHost,
            Failure.Of(Status.TDX_OPERAND_BUSY, Register.Rcx, FailureDetail.SeptEntry));
        return Read("entry = S-EPT entry, read again under the lock", SeptSteps<S>.ReadEntry);
    }

    /// <summary>The entry's state is one that <see cref="SeptMachine"/> permits for this leaf.</summary>
    public LeafBuilder<S> EntryState()
    {
        int allowed = SeptMachine.Declared.From(Trigger);
        return Check(
            $"entry state in {{{StateMachine<SeptState, Trigger>.Names(allowed)}}}", SeptSteps<S>.EntryStateIn,
            Failure.Of(Status.TDX_EPT_ENTRY_STATE_INCORRECT, Register.Rcx, FailureDetail.SeptEntry), allowed,
            kind: ArgumentKind.SeptStates);
    }

    /// <summary>The PAMT entry of the mapped page or S-EPT page, exclusive, without parents.</summary>
    public LeafBuilder<S> MappedPage(string what, bool isTable)
    {
        Read($"{what} = what the entry points to", isTable ? PamtSteps<S>.ReadMappedTable : PamtSteps<S>.ReadMappedPage);
        MappedPageIsAssigned(what);
        return Lock(
            $"{what} PAMT entry EXCLUSIVE (implicit)", Call.PamtLock(PageSlot.Mapped, 0), LockMode.Exclusive,
            PamtSteps<S>.LockMappedExclusive, Failure.Of(Status.TDX_OPERAND_BUSY, Register.Rcx));
    }

    /// <summary>
    /// A sanity check of the module: what an S-EPT entry points to is assigned. It fails only where another call has
    /// written the entry and not yet the PAMT (contention/anomalies.md, F1).
    /// </summary>
    public LeafBuilder<S> MappedPageIsAssigned(string what) =>
        Check(
            $"{what} is neither PT_NDA nor PT_RSVD (else the module halts)", PamtSteps<S>.MappedIsAssigned,
            Failure.To(CallEnd.ModuleHalt));

    /// <summary>In a running TD: blocked, then tracked.</summary>
    public LeafBuilder<S> BlockedAndTracked()
    {
        Check(
            "if the entry and OP_STATE need TLB tracking: the entry is blocked", SeptSteps<S>.IsBlockedIfTracked,
            Failure.Of(Status.TDX_GPA_RANGE_NOT_BLOCKED, Register.Rcx, FailureDetail.SeptEntry));
        return Check(
            "if the entry and OP_STATE need TLB tracking: tracked since BEPOCH", SeptSteps<S>.IsTracked,
            Failure.Of(Status.TDX_TLB_TRACKING_NOT_DONE, Register.Rcx));
    }

    /// <summary>Releases the PAMT locks of a slot: 4 KiB, 2 MiB, 1 GiB.</summary>
    public LeafBuilder<S> ReleasePage(PageSlot slot, string what)
    {
        for (int size = 0; size <= 2; size++)
            Release($"{what} PAMT {SizeName(size)} entry", Call.PamtLock(slot, size), PamtSteps<S>.Release, PamtSteps<S>.Arg(slot, size));
        return this;
    }

    /// <summary>Releases the owner TDR's 4 KiB PAMT entry.</summary>
    public LeafBuilder<S> ReleaseOwnerTdr() =>
        Release("TDR PAMT 4 KiB entry", Call.PamtLock(PageSlot.Tdr, 0), PamtSteps<S>.Release, PamtSteps<S>.Arg(PageSlot.Tdr));

    /// <summary>Releases OP_STATE.</summary>
    public LeafBuilder<S> ReleaseOpState() => Release("OP_STATE", LockId.OpState, TdSteps<S>.ReleaseOpState);

    /// <summary>Releases the S-EPT tree lock.</summary>
    public LeafBuilder<S> ReleaseTree() => Release("S-EPT tree", LockId.SeptTree, SeptSteps<S>.ReleaseTree);

    /// <summary>Releases the S-EPT entry lock, if no write of the entry did.</summary>
    public LeafBuilder<S> ReleaseEntry() => Release("S-EPT entry", LockId.SeptEntry, SeptSteps<S>.ReleaseEntry);

    /// <summary>Releases entry, tree, OP_STATE and TDR, as most S-EPT leaves do.</summary>
    public LeafBuilder<S> ReleaseSept()
    {
        ReleaseEntry();
        ReleaseTree();
        ReleaseOpState();
        return ReleasePage(PageSlot.Tdr, "TDR");
    }

    private static string Name(Register register) => register.ToString().ToUpperInvariant();

    private static string SizeName(int size) => size switch { 0 => "4 KiB", 1 => "2 MiB", _ => "1 GiB" };

    private LeafBuilder<S> Add(Step<S> step)
    {
        _steps.Add(step);
        return this;
    }
}
