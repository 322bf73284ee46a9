using System.Runtime.CompilerServices;
using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>
/// Steps about physical pages: address operands, the PAMT walk and its locks (facts/pamt.md, facts/checks.md).
/// The argument is a <see cref="PageSlot"/>, with a PAMT size in bits 7:4 or a register in bits 11:8 where needed.
/// </summary>
internal static class PamtSteps<S>
    where S : struct, IState
{
    public static int Arg(PageSlot slot, int size = 0) => (int)slot | (size << 4);

    public static int Arg(PageSlot slot, Register register) => (int)slot | ((int)register << 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadAddress(ref S s, ref Call c, int arg) => c.Address[Slot(arg)] = c.In[RegisterOf(arg)];

    public static void ReadAddressWithoutBit63(ref S s, ref Call c, int arg) =>
        c.Address[Slot(arg)] = c.In[RegisterOf(arg)] & ~(1UL << 63);

    public static void ReadAddressWithoutFlags(ref S s, ref Call c, int arg) =>
        c.Address[Slot(arg)] = c.In[RegisterOf(arg)] & 0x000F_FFFF_FFFF_F000;

    public static void ReadAddressWithoutHkid(ref S s, ref Call c, int arg) =>
        c.Address[Slot(arg)] = c.In[RegisterOf(arg)] & ~s.Platform.HkidMask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AddressIsLegal(ref S s, ref Call c, int arg) =>
        (c.Address[Slot(arg)] & ~((1UL << s.Platform.HkidStartBit) - Hpa.PageSize)) == 0;

    public static bool AddressIsLegalForLevel(ref S s, ref Call c, int arg) =>
        AddressIsLegal(ref s, ref c, arg) && (c.Address[Slot(arg)] & (SeptLevel.Size(c.WantedLevel) - 1)) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AddressIsInTdmr(ref S s, ref Call c, int arg)
    {
        ulong page = (c.Address[Slot(arg)] - s.Platform.PageBase) >> Hpa.PageShift;
        if (page >= (ulong)s.Platform.PageCount)
            return false;
        c.Page[Slot(arg)] = (int)page;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LockShared(ref S s, ref Call c, int arg) => Lock(ref s, ref c, arg, LockRequest.Shared);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LockExclusive(ref S s, ref Call c, int arg) => Lock(ref s, ref c, arg, LockRequest.Exclusive);

    public static bool PromoteLock(ref S s, ref Call c, int arg) => Lock(ref s, ref c, arg, LockRequest.Promotion);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool PromoteLockOfLargePage(ref S s, ref Call c, int arg) =>
        !IsLargePage(ref s, ref c, arg) || PromoteLock(ref s, ref c, arg);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsNotLargePage(ref S s, ref Call c, int arg) => !IsLargePage(ref s, ref c, arg);

    // The walk to the actual leaf ends at the first size whose entry is PT_REG, at 4 KiB otherwise.
    public static bool LockLeafShared1G(ref S s, ref Call c, int arg)
    {
        c.Size[Slot(arg)] = 2;
        return LockShared(ref s, ref c, arg);
    }

    public static bool LockLeafShared2M(ref S s, ref Call c, int arg)
    {
        if (IsLargePage(ref s, ref c, Arg(SlotOf(arg), 2)))
            return true;
        c.Size[Slot(arg)] = 1;
        return LockShared(ref s, ref c, arg);
    }

    public static bool LockLeaf4KExclusive(ref S s, ref Call c, int arg)
    {
        if (c.Size[Slot(arg)] == 2 || IsLargePage(ref s, ref c, Arg(SlotOf(arg), 1)))
            return true;
        c.Size[Slot(arg)] = 0;
        return LockExclusive(ref s, ref c, arg);
    }

    public static bool LockLeaf4KShared(ref S s, ref Call c, int arg)
    {
        if (c.Size[Slot(arg)] == 2 || IsLargePage(ref s, ref c, Arg(SlotOf(arg), 1)))
            return true;
        c.Size[Slot(arg)] = 0;
        return LockShared(ref s, ref c, arg);
    }

    public static bool TypeIsNda(ref S s, ref Call c, int arg) => Type(ref s, ref c, arg) == PageType.PT_NDA;

    public static bool TypeIsTdr(ref S s, ref Call c, int arg)
    {
        if (Type(ref s, ref c, arg) != PageType.PT_TDR)
            return false;
        c.Td = s.Holder(c.Page[Slot(arg)]);
        return true;
    }

    public static bool TypeIsTdvpr(ref S s, ref Call c, int arg)
    {
        if (Type(ref s, ref c, arg) != PageType.PT_TDVPR)
            return false;
        c.Vcpu = s.Holder(c.Page[Slot(arg)]);
        return true;
    }

    public static void ReadOwner(ref S s, ref Call c, int arg)
    {
        PageSlot owned = SlotOf(arg);
        c.Page[(int)PageSlot.Tdr] = (int)s.Pamt(PamtRef.Of(c.Size[(int)owned], c.Page[(int)owned]), PamtField.Owner) - 1;
        c.Td = s.Holder(c.Page[(int)PageSlot.Tdr]);
    }

    public static void ReadMappedPage(ref S s, ref Call c, int arg)
    {
        c.Page[(int)PageSlot.Mapped] = c.Value.Target;
        c.Size[(int)PageSlot.Mapped] = c.Level;
    }

    public static void ReadMappedTable(ref S s, ref Call c, int arg)
    {
        c.Page[(int)PageSlot.Mapped] = s.TablePage(c.Value.Target);
        c.Size[(int)PageSlot.Mapped] = 0;
    }

    public static bool MappedIsAssigned(ref S s, ref Call c, int arg) =>
        Type(ref s, ref c, Arg(PageSlot.Mapped, c.Size[(int)PageSlot.Mapped])) is not (PageType.PT_NDA or PageType.PT_RSVD);

    public static bool LockMappedExclusive(ref S s, ref Call c, int arg)
    {
        int slot = (int)PageSlot.Mapped;
        return LockExclusive(ref s, ref c, Arg(PageSlot.Mapped, c.Size[slot]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Release(ref S s, ref Call c, int arg)
    {
        LockId id = Id(arg);
        if (!c.Holds(id))
            return;
        PamtRef at = At(ref c, arg);
        ulong word = s.Pamt(at, PamtField.Lock);
        if (c.HoldsExclusive(id))
            HostPriorityLock.ReleaseExclusive(ref word);
        else
            HostPriorityLock.ReleaseShared(ref word);
        s.SetPamt(at, PamtField.Lock, word);
        c.Drop(id);
    }

    public static void SetType(ref S s, ref Call c, PageSlot slot, PageType type) =>
        s.SetPamt(PamtRef.Of(c.Size[(int)slot], c.Page[(int)slot]), PamtField.Type, (ulong)type);

    public static void SetOwner(ref S s, ref Call c, int arg) =>
        s.SetPamt(
            PamtRef.Of(c.Size[Slot(arg)], c.Page[Slot(arg)]),
            PamtField.Owner,
            s.Td(c.Td, TdField.TdrPage) + 1);

    public static void SetTypeNda(ref S s, ref Call c, int arg) => SetType(ref s, ref c, SlotOf(arg), PageType.PT_NDA);

    public static void SetTypeReg(ref S s, ref Call c, int arg) => SetType(ref s, ref c, SlotOf(arg), PageType.PT_REG);

    public static void SetTypeTdcx(ref S s, ref Call c, int arg) => SetType(ref s, ref c, SlotOf(arg), PageType.PT_TDCX);

    public static void SetTypeEpt(ref S s, ref Call c, int arg) => SetType(ref s, ref c, SlotOf(arg), PageType.PT_EPT);

    [Visible(Touches = Touched.Bepoch)]
    public static void ClearBepoch(ref S s, ref Call c, int arg) =>
        s.SetPamt(PamtRef.Of(c.Size[Slot(arg)], c.Page[Slot(arg)]), PamtField.Bepoch, 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PageType Type(ref S s, ref Call c, int arg) => (PageType)s.Pamt(At(ref c, arg), PamtField.Type);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Lock(ref S s, ref Call c, int arg, LockRequest request)
    {
        PamtRef at = At(ref c, arg);
        ulong word = s.Pamt(at, PamtField.Lock);
        bool granted = LockAttempt<S>.OfHost(ref c, ref word, request);
        s.SetPamt(at, PamtField.Lock, word);
        return LockAttempt<S>.Settle(ref c, granted, Id(arg), exclusive: request != LockRequest.Shared);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Slot(int arg) => arg & 0xF;

    private static PageSlot SlotOf(int arg) => (PageSlot)(arg & 0xF);

    private static Register RegisterOf(int arg) => (Register)(arg >> 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static LockId Id(int arg) => Call.PamtLock(SlotOf(arg), arg >> 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static PamtRef At(ref Call c, int arg) => PamtRef.Of(arg >> 4, c.Page[Slot(arg)]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsLargePage(ref S s, ref Call c, int arg) => Type(ref s, ref c, arg) == PageType.PT_REG;
}
