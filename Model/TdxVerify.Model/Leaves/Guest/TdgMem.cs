using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>TDG.MEM.PAGE.ACCEPT, ATTR.RD and ATTR.WR (facts/guest.md). They take no tree, OP_STATE or PAMT lock.</summary>
internal static class TdgMem<S>
    where S : struct, IState
{
    private const ulong AcceptType = 1;
    private const ulong AttrWrType = 5;
    private const ulong PendingBit = 1UL << 62;
    private const int ChunksPer2M = 512;

    public static Leaf<S> DeclareAccept() => GuestSteps<S>.Tdcall(GuestLeaf.TDG_MEM_PAGE_ACCEPT)
        .PageInfo(SeptLevel.Page4K, SeptLevel.Page2M)
        .Read("S-EPT walk without any lock", WalkToWantedLevel)
        .Check(
            "walk did not stop above the level at a guest-accessible page", IsNotAcceptedAbove,
            new Failure(Status.TDX_PAGE_ALREADY_ACCEPTED, FailureDetail.LevelInStatus))
        .Check("walk reaches the level (else TD exit, type ACCEPT)", ReachesLevelOrExits, Failure.To(CallEnd.EptViolation), (int)AcceptType)
        .Read("leaf = the unlocked copy is a leaf", KeepLeafFlag)
        .Lock("S-EPT entry, guest flavour", LockId.SeptEntry, LockMode.Guest, SeptSteps<S>.LockEntryGuest, Failure.Of(Status.TDX_OPERAND_BUSY, Register.Rcx))
        .Read("entry = S-EPT entry, read again under the lock", SeptSteps<S>.ReadEntry)
        .Check(
            "entry is FREE, or the unlocked copy was a leaf", IsFreeOrWasLeaf,
            new Failure(Status.TDX_PAGE_SIZE_MISMATCH, FailureDetail.LevelInStatus))
        .Check(
            "entry is not guest-accessible", IsNotAccepted,
            new Failure(Status.TDX_PAGE_ALREADY_ACCEPTED, FailureDetail.LevelInStatus))
        .Check("entry is PENDING (else TD exit, type ACCEPT)", IsPendingOrExits, Failure.To(CallEnd.EptViolation), (int)AcceptType)
        .Check(
            "2 MiB: no interrupt is pending after each 4 KiB chunk but the last (else the accept counter is kept)", AcceptChunks,
            Failure.To(CallEnd.InterruptExit), ChunksPer2M, undo: KeepAcceptCounter)
        .Effect("entry = MAPPED, RWX, written from the local copy (stays locked, erases host priority set since)", Accept)
        .ReleaseEntry()
        .Build();

    public static Leaf<S> DeclareAttrRd() => GuestSteps<S>.Tdcall(GuestLeaf.TDG_MEM_PAGE_ATTR_RD)
        .Preset(Register.Rcx, Register.Rdx)
        .Read("GPA = RCX", ReadGpa)
        .Check("GPA is private and not too wide", SeptSteps<S>.GpaIsPrivate, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rcx))
        .Read("S-EPT walk without any lock, to where it ends", WalkToEnd)
        .Lock("S-EPT entry, guest flavour", LockId.SeptEntry, LockMode.Guest, SeptSteps<S>.LockEntryGuest, Failure.Of(Status.TDX_OPERAND_BUSY, Register.Rcx))
        .Read("entry = S-EPT entry, read again under the lock", SeptSteps<S>.ReadEntry)
        .Check("entry state in {MAPPED, PENDING} (else TD exit without details)", IsReadableOrExits, Failure.To(CallEnd.EptViolation))
        .Effect("RCX = GPA aligned to the level | level | pending, RDX = attributes (0)", ReturnAttributes, writes: [Register.Rcx, Register.Rdx])
        .ReleaseEntry()
        .Build();

    public static Leaf<S> DeclareAttrWr() => GuestSteps<S>.Tdcall(GuestLeaf.TDG_MEM_PAGE_ATTR_WR)
        .Preset(Register.Rcx, Register.Rdx)
        .Check("VM 0 (L1): RDX attributes are 0", AttributesAreZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rdx), 0)
        .Check("VM 0 (L1): R8 flags are 0", FlagsAreZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.R8), 0)
        .Check("VM 1 (does not exist): RDX attributes are 0", AttributesAreZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rdx), 1)
        .Check("VM 1 (does not exist): R8 flags are 0", FlagsAreZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.R8), 1)
        .Check("VM 2 (does not exist): RDX attributes are 0", AttributesAreZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rdx), 2)
        .Check("VM 2 (does not exist): R8 flags are 0", FlagsAreZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.R8), 2)
        .Check("VM 3 (does not exist): RDX attributes are 0", AttributesAreZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.Rdx), 3)
        .Check("VM 3 (does not exist): R8 flags are 0", FlagsAreZero, Failure.Of(Status.TDX_OPERAND_INVALID, Register.R8), 3)
        .PageInfo(SeptLevel.Page4K, SeptLevel.Page1G)
        .Read("S-EPT walk without any lock", WalkToWantedLevel)
        .Check("walk reaches the level (else TD exit, type ATTR.WR)", ReachesLevelOrExits, Failure.To(CallEnd.EptViolation), (int)AttrWrType)
        .Lock("S-EPT entry, guest flavour", LockId.SeptEntry, LockMode.Guest, SeptSteps<S>.LockEntryGuest, Failure.Of(Status.TDX_OPERAND_BUSY, Register.Rcx))
        .Read("entry = S-EPT entry, read again under the lock", SeptSteps<S>.ReadEntry)
        .Check(
            "entry is FREE or a leaf", IsFreeOrLeaf,
            new Failure(Status.TDX_PAGE_SIZE_MISMATCH, FailureDetail.LevelInStatus))
        .Check("entry state in {MAPPED, PENDING} (else TD exit, type ATTR.WR)", IsWritableOrExits, Failure.To(CallEnd.EptViolation), (int)AttrWrType)
        .Effect("RCX = input | pending, RDX = attributes (0)", ReturnWrittenAttributes, writes: [Register.Rcx, Register.Rdx])
        .ReleaseEntry()
        .Build();

    /// <summary>
    /// A step that no module has (<see cref="ModuleProfile.NoFreeEntryLock"/>): the entry that the walk found is not
    /// FREE, else the TDCALL ends as it would under the lock. The argument is the type of that exit; 0: without details.
    /// </summary>
    public static bool WalkFoundNoFreeEntry(ref S s, ref Call c, int type)
    {
        if (c.Value.State != SeptState.FREE)
            return true;
        if (type == 0)
            c.Out.R8 = FaultingPage(ref c);
        else
            PrepareExit(ref c, (ulong)type);
        return false;
    }

    private static ulong FaultingPage(ref Call c) => c.Gpa & ~(ulong)(Hpa.PageSize - 1);

    private static void ReadGpa(ref S s, ref Call c, int arg) => c.Gpa = c.In.Rcx;

    [Visible(Part = nameof(WalkOneLevelToWantedLevel), Sets = [nameof(Call.Level), nameof(Call.Entry), nameof(Call.Value)])]
    private static void WalkToWantedLevel(ref S s, ref Call c, int arg) => SeptSteps<S>.Walk(ref s, ref c, c.WantedLevel);

    private static void WalkOneLevelToWantedLevel(ref S s, ref Call c, int arg) => SeptSteps<S>.WalkOneLevel(ref s, ref c, c.WantedLevel);

    [Visible(Part = nameof(WalkOneLevelToEnd), Sets = [nameof(Call.Level), nameof(Call.Entry), nameof(Call.Value)])]
    private static void WalkToEnd(ref S s, ref Call c, int arg) => SeptSteps<S>.Walk(ref s, ref c, SeptLevel.Page4K);

    private static void WalkOneLevelToEnd(ref S s, ref Call c, int arg) => SeptSteps<S>.WalkOneLevel(ref s, ref c, SeptLevel.Page4K);

    private static bool IsNotAcceptedAbove(ref S s, ref Call c, int arg) =>
        c.Level == c.WantedLevel || c.Value.State != SeptState.MAPPED;

    private static bool ReachesLevelOrExits(ref S s, ref Call c, int type)
    {
        if (c.Level != c.WantedLevel)
            PrepareExit(ref c, (ulong)type);
        return c.Level == c.WantedLevel;
    }

    private static void KeepLeafFlag(ref S s, ref Call c, int arg) => c.Sample = c.Value.IsLeaf ? 1UL : 0;

    private static bool IsFreeOrWasLeaf(ref S s, ref Call c, int arg) => c.Value.State == SeptState.FREE || c.Sample != 0;

    private static bool IsFreeOrLeaf(ref S s, ref Call c, int arg) => c.Value.State == SeptState.FREE || c.Value.IsLeaf;

    private static bool IsNotAccepted(ref S s, ref Call c, int arg) => c.Value.State != SeptState.MAPPED;

    private static bool IsPendingOrExits(ref S s, ref Call c, int type)
    {
        bool pending = SeptMachine.Permits(c.Value.State, Trigger.TDG_MEM_PAGE_ACCEPT);
        if (!pending)
            PrepareExit(ref c, (ulong)type);
        return pending;
    }

    // Qualification: a write; R, W, X of the failing entry are 0 in every state that leads here but one above which
    // is a table. Extended qualification: requested level, level, state and leaf flag of the failing entry.
    private static void PrepareExit(ref Call c, ulong type)
    {
        ulong permissions = c.Value.State is SeptState.MAPPED or SeptState.NL_MAPPED ? 7UL : 0;
        ulong info = (uint)c.WantedLevel
            | ((ulong)c.Level << 3)
            | ((ulong)SeptStateFacts.ArchState[(int)c.Value.State] << 6)
            | (c.Value.IsLeaf ? 1UL << 14 : 0);
        c.Out.Rcx = (ulong)GuestAccess.Write | (permissions << 3);
        c.Out.Rdx = type | (info << 32);
        c.Out.R8 = FaultingPage(ref c);
    }

    private static bool AcceptChunks(ref S s, ref Call c, int chunks) =>
        c.WantedLevel == SeptLevel.Page4K || s.Global(GlobalField.InterruptPending) == 0 || c.Value.AcceptCounter + 1 >= chunks;

    [Visible]
    private static void KeepAcceptCounter(ref S s, ref Call c, int arg) =>
        SeptSteps<S>.WriteCopy(ref s, ref c, c.Value.WithAcceptCounter(c.Value.AcceptCounter + 1));

    [Visible]
    private static void Accept(ref S s, ref Call c, int arg) =>
        SeptSteps<S>.WriteCopy(ref s, ref c, c.Value.With(SeptMachine.Next(c.Value.State, Trigger.TDG_MEM_PAGE_ACCEPT)).WithAcceptCounter(0));

    private static bool IsReadableOrExits(ref S s, ref Call c, int arg)
    {
        bool readable = SeptMachine.Permits(c.Value.State, Trigger.TDG_MEM_PAGE_ATTR_RD);
        if (!readable)
            c.Out.R8 = FaultingPage(ref c);
        return readable;
    }

    private static void ReturnAttributes(ref S s, ref Call c, int arg)
    {
        c.Out.Rcx = (c.Gpa & ~(SeptLevel.Size(c.Level) - 1)) | (uint)c.Level | Pending(ref c);
        c.Out.Rdx = 0;
    }

    private static ulong Pending(ref Call c) => c.Value.State == SeptState.PENDING ? PendingBit : 0;

    // Sixteen bits a VM.
    private static bool AttributesAreZero(ref S s, ref Call c, int vm) => (ushort)(c.In.Rdx >> (16 * vm)) == 0;

    private static bool FlagsAreZero(ref S s, ref Call c, int vm) => (ushort)(c.In.R8 >> (16 * vm)) == 0;

    private static bool IsWritableOrExits(ref S s, ref Call c, int type)
    {
        bool writable = SeptMachine.Permits(c.Value.State, Trigger.TDG_MEM_PAGE_ATTR_WR);
        if (!writable)
            PrepareExit(ref c, (ulong)type);
        return writable;
    }

    private static void ReturnWrittenAttributes(ref S s, ref Call c, int arg)
    {
        c.Out.Rcx = c.In.Rcx | Pending(ref c);
        c.Out.Rdx = 0;
    }
}
