using System.Runtime.CompilerServices;
using TdxVerify.Abi;

namespace TdxVerify.Model;

/// <summary>The pages that a call may work on, each reached and locked by its own PAMT walk.</summary>
public enum PageSlot
{
    /// <summary>The TDR page.</summary>
    Tdr,

    /// <summary>The TDVPR page.</summary>
    Tdvpr,

    /// <summary>A page named by an operand: one to be added, or the subject of TDH.PHYMEM.*.</summary>
    Target,

    /// <summary>The page that an S-EPT entry maps or points to: an implicit access, without PAMT parents.</summary>
    Mapped,
}

/// <summary>The locks that a call may hold. The first twelve are PAMT entries: three sizes for each <see cref="PageSlot"/>.</summary>
public enum LockId
{
    /// <summary>OP_STATE.</summary>
    OpState = 12,

    /// <summary>S-EPT tree.</summary>
    SeptTree,

    /// <summary>TD epoch.</summary>
    Epoch,

    /// <summary>The S-EPT entry.</summary>
    SeptEntry,

    /// <summary>The 512 child entries of an S-EPT page.</summary>
    SeptChildren,

    /// <summary>KOT.</summary>
    Kot,

    /// <summary>The package's cache write-back mutex.</summary>
    WritebackMutex,
}

/// <summary>How a call ended.</summary>
public enum CallEnd : byte
{
    /// <summary>It returned a status to its caller.</summary>
    Returned,

    /// <summary>TDH.VP.ENTER: the vCPU now runs in the guest.</summary>
    InGuest,

    /// <summary>TDH.VP.ENTER: an EPT violation was emulated instead of an entry (zero-step mitigation).</summary>
    EmulatedEptViolation,

    /// <summary>A sanity check of the module failed: it halts, and no call ends any more.</summary>
    ModuleHalt,

    /// <summary>Guest: TD exit by EPT violation.</summary>
    EptViolation,

    /// <summary>Guest: TD exit by an external interrupt during an interruptible TDCALL.</summary>
    InterruptExit,

    /// <summary>Guest: TD exit by TDG.VP.VMCALL.</summary>
    Vmcall,

    /// <summary>Guest: TD exit because another vCPU made the TD fatal.</summary>
    NonAccessible,

    /// <summary>Guest: a virtualization exception was injected.</summary>
    VirtualizationException,

    /// <summary>Guest: a page fault was injected.</summary>
    PageFault,

    /// <summary>Guest: the access was carried out.</summary>
    AccessDone,
}

/// <summary>One word for each <see cref="PageSlot"/>.</summary>
[InlineArray(4)]
public struct PerSlot<T>
{
    private T _first;
}

/// <summary>
/// A call in flight: its registers and its locals. Steps read and write nothing else but the shared state.
/// </summary>
public struct Call
{
    /// <summary>The registers at the call.</summary>
    public RegisterFile In;

    /// <summary>The registers that the caller will see.</summary>
    public RegisterFile Out;

    /// <summary>The status so far: TDX_SUCCESS until a step fails.</summary>
    public ulong Status;

    /// <summary>Locks held: bit <see cref="LockId"/> for held, the same bit 32 higher for held exclusively.</summary>
    public ulong Held;

    /// <summary>The address operand of each slot, flag bits removed.</summary>
    public PerSlot<ulong> Address;

    /// <summary>The page of each slot, counted from the start of the TDMR.</summary>
    public PerSlot<int> Page;

    /// <summary>The PAMT size at which the walk of a slot ended.</summary>
    public PerSlot<int> Size;

    /// <summary>The S-EPT entry that the walk reached.</summary>
    public EntryRef Entry;

    /// <summary>That entry as last read.</summary>
    public SeptEntry Value;

    /// <summary>Its level.</summary>
    public int Level;

    /// <summary>The GPA of the operand or of the guest access.</summary>
    public ulong Gpa;

    /// <summary>The level that the operand asks for.</summary>
    public int WantedLevel;

    /// <summary>The TD.</summary>
    public int Td;

    /// <summary>The vCPU.</summary>
    public int Vcpu;

    /// <summary>The logical processor.</summary>
    public int Lp;

    /// <summary>A value read from shared state and kept for later steps (TD_EPOCH, a counter, a field).</summary>
    public ulong Sample;

    /// <summary>A second such value.</summary>
    public ulong Sample2;

    /// <summary>Choice points that fail in this call: bit <see cref="ChoicePoint"/>.</summary>
    public uint Choices;

    /// <summary>The step that decided against the call, counted from 1; 0: none did.</summary>
    public int FailedStep;

    /// <summary>Registers that the failure adds.</summary>
    public FailureDetail Detail;

    /// <summary>How the call ended.</summary>
    public CallEnd End;

    /// <summary>TDH.VP.ENTER: the vCPU was not associated before.</summary>
    public bool NewAssociation;

    /// <summary>The call asks for something that this project does not model.</summary>
    public bool OutOfScope;

    /// <summary>Guest access: how memory is touched.</summary>
    public GuestAccess Access;

    /// <summary>Stepwise: how many accesses of the current step are done.</summary>
    public int Progress;

    /// <summary>Stepwise: the current step has further accesses.</summary>
    public bool Again;

    /// <summary>Stepwise: each atomic instruction of an attempt at a lock is an access of its own.</summary>
    public bool SplitsLocks;

    /// <summary>Stepwise: the second instruction of the attempt at a lock that is under way.</summary>
    public LockFollowUp FollowUp;

    /// <summary>Stepwise: what a failed step still has to do before the release steps.</summary>
    public Aftermath Aftermath;

    /// <summary>The bit of a lock in <see cref="Held"/>.</summary>
    public static ulong Bit(LockId id) => 1UL << (int)id;

    /// <summary>The lock on a PAMT entry of a slot.</summary>
    public static LockId PamtLock(PageSlot slot, int size) => (LockId)(((int)slot * 3) + size);

    /// <summary>The call holds the lock, in either mode.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Holds(LockId id) => (Held & Bit(id)) != 0;

    /// <summary>The call holds the lock exclusively.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool HoldsExclusive(LockId id) => (Held & (Bit(id) << 32)) != 0;

    /// <summary>The call holds the very lock that another call means by this id: that of the same object.</summary>
    public readonly bool HoldsSame(LockId id, in Call other)
    {
        switch (id)
        {
            case LockId.OpState or LockId.SeptTree or LockId.Epoch:
                return Holds(id) && Td == other.Td;
            case LockId.SeptEntry:
                return (Holds(id) && Entry == other.Entry) || (Holds(LockId.SeptChildren) && Value.Target == other.Entry.Table);
            case LockId.SeptChildren:
                return Holds(LockId.SeptEntry) && Entry.Table == other.Value.Target;
            case LockId.Kot or LockId.WritebackMutex:
                return Holds(id);
            default:
                int size = (int)id % 3;
                PamtRef wanted = PamtRef.Of(size, other.Page[(int)id / 3]);
                for (int slot = 0; slot <= (int)PageSlot.Mapped; slot++)
                {
                    if (Holds(PamtLock((PageSlot)slot, size)) && PamtRef.Of(size, Page[slot]) == wanted)
                        return true;
                }

                return false;
        }
    }

    /// <summary>Notes that the call holds the lock.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Take(LockId id, bool exclusive) => Held |= exclusive ? Bit(id) | (Bit(id) << 32) : Bit(id);

    /// <summary>Notes that the call no longer holds the lock.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Drop(LockId id) => Held &= ~(Bit(id) | (Bit(id) << 32));
}
