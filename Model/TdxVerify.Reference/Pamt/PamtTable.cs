using System.Runtime.InteropServices;
using TdxVerify.Abi;

namespace TdxVerify.Reference;

/// <summary>
/// The physical address metadata table of the one TDMR: an entry for each 4 KiB, 2 MiB and 1 GiB page, walked from
/// the largest down (facts/pamt.md).
/// </summary>
internal sealed unsafe class PamtTable : IDisposable
{
    // Reset clears what was touched. 32 entries of 4 KiB pages share a mark: a TD of some dozen pages costs a few.
    private const int GroupShift = 5;
    private const ulong Frames2M = 512;
    private const ulong Frames1G = 512 * 512;

    private readonly ulong _pageBase;
    private readonly ulong _pageBytes;
    private readonly ulong _firstFrame;
    private readonly nuint _count2M;
    private readonly nuint _count1G;
    private readonly PamtEntry* _entries4K;
    private readonly PamtEntry* _entries2M;
    private readonly PamtEntry* _entries1G;
    private readonly byte* _touched;
    private readonly int[] _touchedGroups;
    private readonly bool _lacksEntryLock;
    private int _touchedCount;

    /// <summary>The table of a platform, without the locks of 4 KiB entries for a test that wants it so.</summary>
    public PamtTable(PlatformInfo platform, bool lacksEntryLock)
    {
        _lacksEntryLock = lacksEntryLock;
        _pageBase = platform.PageBase;
        _pageBytes = platform.PageEnd - platform.PageBase;
        _firstFrame = (platform.PageBase >> Hpa.PageShift) & ~(Frames1G - 1);
        ulong frames = (platform.PageEnd >> Hpa.PageShift) - _firstFrame;
        _count1G = (nuint)((frames + Frames1G - 1) / Frames1G);
        _count2M = _count1G * (nuint)Frames2M;
        nuint count4K = (nuint)((frames + Frames2M - 1) / Frames2M * Frames2M);
        _entries4K = Allocate(count4K);
        _entries2M = Allocate(_count2M);
        _entries1G = Allocate(_count1G);
        nuint groups = count4K >> GroupShift;
        _touched = (byte*)NativeMemory.AllocZeroed(groups);
        _touchedGroups = new int[groups];
    }

    /// <summary>The page is in the TDMR.</summary>
    public bool Contains(ulong hpa) => hpa - _pageBase < _pageBytes;

    /// <summary>
    /// Locks the way from the 1 GiB entry down to <paramref name="target"/>, or to where a larger page is in use.
    /// A large entry asked for exclusive is taken shared and promoted. False: busy, and nothing is held.
    /// </summary>
    /// <param name="hpa">An address in the TDMR.</param>
    /// <param name="target">The size asked for.</param>
    /// <param name="mode">How the entry where the walk ends is locked.</param>
    /// <param name="guest">The agent is a guest.</param>
    /// <param name="held">The locks.</param>
    public bool TryWalk(ulong hpa, int target, LockMode mode, bool guest, out PageLock held)
    {
        ulong frame = (hpa >> Hpa.PageShift) - _firstFrame;
        held = default;
        held.Mode = mode;
        held.Entry1G = _entries1G + (frame / Frames1G);
        held.Entry2M = _entries2M + (frame / Frames2M);
        held.Entry4K = Touch(frame);

        if (!HostPriorityLock.TryAcquireShared(ref held.Entry1G->Lock, guest))
            return false;
        if (target == SeptLevel.Page1G || held.Entry1G->Type == PamtPageType.Regular)
        {
            held.Size = SeptLevel.Page1G;
            if (mode == LockMode.Shared || HostPriorityLock.TryPromote(ref held.Entry1G->Lock))
                return true;
            HostPriorityLock.Release(ref held.Entry1G->Lock, LockMode.Shared);
            return false;
        }

        if (!HostPriorityLock.TryAcquireShared(ref held.Entry2M->Lock, guest))
        {
            HostPriorityLock.Release(ref held.Entry1G->Lock, LockMode.Shared);
            return false;
        }

        if (target == SeptLevel.Page2M || held.Entry2M->Type == PamtPageType.Regular)
        {
            held.Size = SeptLevel.Page2M;
            if (mode == LockMode.Shared || HostPriorityLock.TryPromote(ref held.Entry2M->Lock))
                return true;
            HostPriorityLock.Release(ref held.Entry2M->Lock, LockMode.Shared);
            HostPriorityLock.Release(ref held.Entry1G->Lock, LockMode.Shared);
            return false;
        }

        held.Size = SeptLevel.Page4K;
        if (_lacksEntryLock || HostPriorityLock.TryAcquire(ref held.Entry4K->Lock, mode, guest))
            return true;
        HostPriorityLock.Release(ref held.Entry2M->Lock, LockMode.Shared);
        HostPriorityLock.Release(ref held.Entry1G->Lock, LockMode.Shared);
        return false;
    }

    /// <summary>
    /// The entry of a page that the module knows to be assigned. Finding it unassigned is a broken invariant: the
    /// module halts.
    /// </summary>
    public PamtEntry* Implicit(ulong hpa, int size)
    {
        if (!Contains(hpa))
            throw new ModuleHaltException();
        PamtEntry* entry = Entry(hpa, size);
        if (entry->Type is PamtPageType.Nda or PamtPageType.Reserved)
            throw new ModuleHaltException();
        return entry;
    }

    /// <summary>An implicit access that locks the entry itself and no parent; null where it is busy.</summary>
    public PamtEntry* TryLockImplicit(ulong hpa, int size, LockMode mode)
    {
        PamtEntry* entry = Implicit(hpa, size);
        return _lacksEntryLock || HostPriorityLock.TryAcquire(ref entry->Lock, mode, guest: false) ? entry : null;
    }

    /// <summary>The entry of a page, unlocked.</summary>
    public PamtEntry* Entry(ulong hpa, int size)
    {
        ulong frame = (hpa >> Hpa.PageShift) - _firstFrame;
        return size switch
        {
            SeptLevel.Page4K => Touch(frame),
            SeptLevel.Page2M => _entries2M + (frame / Frames2M),
            _ => _entries1G + (frame / Frames1G),
        };
    }

    /// <summary>All 512 entries of 4 KiB below a 2 MiB page are unassigned.</summary>
    public bool IsFree2M(ulong hpa)
    {
        ulong first = ((hpa >> Hpa.PageShift) - _firstFrame) / Frames2M * Frames2M;
        for (ulong group = first >> GroupShift; group < (first + Frames2M) >> GroupShift; group++)
        {
            // An entry that nothing touched was never assigned.
            if (Volatile.Read(ref _touched[group]) != 0 && !IsFree(_entries4K + (group << GroupShift)))
                return false;
        }

        return true;
    }

    /// <summary>
    /// 512 assigned pages become one, which inherits type and owner of the first, but no BEPOCH. False: busy.
    /// </summary>
    public bool TryMerge(ulong hpa, int size)
    {
        PamtEntry* merged = Entry(hpa, size);
        if (merged->Type != PamtPageType.Nda)
            throw new ModuleHaltException();
        if (!HostPriorityLock.TryAcquireExclusive(ref merged->Lock, guest: false))
            return false;
        PamtEntry* children = Children(hpa, size);
        merged->Type = children[0].Type;
        merged->OwnerHpa = children[0].OwnerHpa;
        for (int i = 0; i < 512; i++)
        {
            if (children[i].Type != merged->Type || children[i].OwnerHpa != merged->OwnerHpa)
                throw new ModuleHaltException();
            children[i].Type = PamtPageType.Nda;
        }

        HostPriorityLock.Release(ref merged->Lock, LockMode.Exclusive);
        return true;
    }

    /// <summary>One assigned page becomes 512 of the same type and owner, with BEPOCH 0. False: busy.</summary>
    public bool TrySplit(ulong hpa, int size)
    {
        PamtEntry* split = Entry(hpa, size);
        if (split->Type != PamtPageType.Regular)
            throw new ModuleHaltException();
        if (!HostPriorityLock.TryAcquireExclusive(ref split->Lock, guest: false))
            return false;
        PamtEntry* children = Children(hpa, size);
        for (int i = 0; i < 512; i++)
        {
            children[i].Type = split->Type;
            children[i].OwnerHpa = split->OwnerHpa;
            children[i].BlockEpoch = 0;
        }

        split->Type = PamtPageType.Nda;
        HostPriorityLock.Release(ref split->Lock, LockMode.Exclusive);
        return true;
    }

    /// <summary>Every page unassigned, no lock held.</summary>
    public void Reset()
    {
        for (int i = 0; i < _touchedCount; i++)
        {
            int group = _touchedGroups[i];
            new Span<PamtEntry>(_entries4K + (group << GroupShift), 1 << GroupShift).Clear();
            _touched[group] = 0;
        }

        _touchedCount = 0;
        NativeMemory.Clear(_entries2M, _count2M * (nuint)sizeof(PamtEntry));
        NativeMemory.Clear(_entries1G, _count1G * (nuint)sizeof(PamtEntry));
    }

    public void Dispose()
    {
        NativeMemory.Free(_entries4K);
        NativeMemory.Free(_entries2M);
        NativeMemory.Free(_entries1G);
        NativeMemory.Free(_touched);
    }

    private static PamtEntry* Allocate(nuint count) =>
        (PamtEntry*)NativeMemory.AllocZeroed(count, (nuint)sizeof(PamtEntry));

    private static bool IsFree(PamtEntry* group)
    {
        for (int i = 0; i < 1 << GroupShift; i++)
        {
            if (group[i].Type != PamtPageType.Nda)
                return false;
        }

        return true;
    }

    private PamtEntry* Children(ulong hpa, int size)
    {
        ulong frame = (hpa >> Hpa.PageShift) - _firstFrame;
        if (size == SeptLevel.Page1G)
            return _entries2M + (frame / Frames1G * Frames2M);
        frame = frame / Frames2M * Frames2M;
        for (ulong i = 0; i < Frames2M; i += 1 << GroupShift)
            Touch(frame + i);
        return _entries4K + frame;
    }

    private PamtEntry* Touch(ulong frame)
    {
        ulong group = frame >> GroupShift;
        if (_touched[group] == 0 && Interlocked.Exchange(ref _touched[group], (byte)1) == 0)
            _touchedGroups[Interlocked.Increment(ref _touchedCount) - 1] = (int)group;
        return _entries4K + frame;
    }
}
