using System.Runtime.CompilerServices;

namespace TdxVerify.Model;

/// <summary>
/// The shared/exclusive lock with host priority of PAMT entries and OP_STATE (facts/lock-types.csv): bit 0 is the
/// exclusive holder, bit 1 the host-priority flag, bits 15:2 count readers. A refused host attempt sets the flag, a
/// granted one clears it; while it is set, guests are refused.
/// </summary>
public static class HostPriorityLock
{
    private const ulong Exclusive = 1;
    private const ulong HostPriority = 2;
    private const ulong Reader = 4;
    private const ulong WordMask = 0xFFFF;

    /// <summary>The bits of a word that do not count readers.</summary>
    public const ulong AllButReaders = Exclusive | HostPriority;

    /// <summary>Someone holds the lock exclusively.</summary>
    public static bool IsExclusive(ulong word) => (word & Exclusive) != 0;

    /// <summary>A host attempt was refused and none was granted since.</summary>
    public static bool HasHostPriority(ulong word) => (word & HostPriority) != 0;

    /// <summary>The same word without the flag.</summary>
    public static ulong WithoutHostPriority(ulong word) => word & ~HostPriority;

    /// <summary>Readers counted, those included that a refused attempt left behind.</summary>
    public static int Readers(ulong word) => (int)(word >> 2);

    /// <summary>Adds a reader. Refused under an exclusive holder; the added reader stays until the exclusive release.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryShared(ref ulong word, bool guest)
    {
        if (guest && HasHostPriority(word))
            return false;
        bool granted = !IsExclusive(word);
        word = (word + Reader) & WordMask;
        if (!guest)
            word = granted ? word & ~HostPriority : word | HostPriority;
        return granted;
    }

    /// <summary>Granted only to the host from a word without holder, to a guest only from the all-free word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryExclusive(ref ulong word, bool guest)
    {
        if (word == 0 || (!guest && word == HostPriority))
        {
            word = Exclusive;
            return true;
        }

        if (!guest)
            word |= HostPriority;
        return false;
    }

    /// <summary>Turns the one reader into the exclusive holder; refused while there is another reader.</summary>
    public static bool TryPromote(ref ulong word, bool guest)
    {
        if (Readers(word) == 1 && !IsExclusive(word))
        {
            word = Exclusive;
            return true;
        }

        if (!guest)
            word |= HostPriority;
        return false;
    }

    /// <summary>The first instruction of <see cref="TryShared"/> by the host. True: granted, unless there is a second one.</summary>
    public static bool BeginShared(ref ulong word, out LockFollowUp next)
    {
        bool granted = !IsExclusive(word);
        next = !granted ? LockFollowUp.SetHostPriority : HasHostPriority(word) ? LockFollowUp.ClearHostPriority : LockFollowUp.None;
        word = (word + Reader) & WordMask;
        return granted;
    }

    /// <summary>The first instruction of <see cref="TryExclusive"/> by the host.</summary>
    public static bool BeginExclusive(ref ulong word, out LockFollowUp next)
    {
        bool granted = word == 0;
        next = granted ? LockFollowUp.None : word == HostPriority ? LockFollowUp.TryWithHostPriority : LockFollowUp.SetHostPriority;
        if (granted)
            word = Exclusive;
        return granted;
    }

    /// <summary>The first instruction of <see cref="TryPromote"/> by the host.</summary>
    public static bool BeginPromote(ref ulong word, out LockFollowUp next)
    {
        bool granted = word == Reader;
        next = granted ? LockFollowUp.None : word == (Reader | HostPriority) ? LockFollowUp.TryWithHostPriority : LockFollowUp.SetHostPriority;
        if (granted)
            word = Exclusive;
        return granted;
    }

    /// <summary>The second instruction of an attempt. True: granted.</summary>
    /// <param name="word">The word.</param>
    /// <param name="next">What the first instruction decided.</param>
    /// <param name="promote">The attempt is to promote the one reader.</param>
    public static bool Finish(ref ulong word, LockFollowUp next, bool promote)
    {
        switch (next)
        {
            case LockFollowUp.SetHostPriority:
                word |= HostPriority;
                return false;
            case LockFollowUp.ClearHostPriority:
                word &= ~HostPriority;
                return true;
            default:
                bool granted = word == (promote ? Reader | HostPriority : HostPriority);
                if (granted)
                    word = Exclusive;
                return granted;
        }
    }

    /// <summary>Takes one reader away; the flag stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReleaseShared(ref ulong word) => word = (word - Reader) & WordMask;

    /// <summary>Keeps the flag and drops readers left behind.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReleaseExclusive(ref ulong word) => word &= HostPriority;
}
