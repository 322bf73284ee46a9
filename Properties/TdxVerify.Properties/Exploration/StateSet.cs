using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace TdxVerify.Properties.Exploration;

/// <summary>All states that were found: stored in full, found again by their hash.</summary>
/// <remarks>
/// Why by hand: the table of a search is the one place where memory and time go. An entry is 32 bits of the hash and
/// the number of a state; states are compared in full where these bits agree. Workers insert without a lock: a state is
/// written first and published by one compare-and-exchange of its entry.
/// </remarks>
internal sealed unsafe class StateSet : IDisposable
{
    private const double HighestLoad = 0.75;
    private const long LeastCapacity = 1 << 16;
    private const int TagShift = 32;

    private readonly StateChunks _chunks;
    private readonly StateStore[] _stores;
    private readonly bool _isAlone;
    private NativeBlock _table;
    private ulong* _entries;
    private ulong _mask;

    public StateSet(int words, int workers, long firstCapacity)
    {
        Words = words;
        _isAlone = workers == 1;
        _chunks = new StateChunks(words);
        _stores = [.. Enumerable.Range(0, workers).Select(worker => new StateStore(words, worker, _chunks))];
        Allocate(firstCapacity);
    }

    /// <summary>Entries of a table in which so many states are not crowded.</summary>
    public static long CapacityFor(long states) => (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(LeastCapacity, (long)(states / HighestLoad)));

    public int Words { get; }

    public int Workers => _stores.Length;

    public long Count
    {
        get
        {
            long count = 0;
            foreach (StateStore store in _stores)
                count += store.Count;
            return count;
        }
    }

    /// <summary>Bytes of states and table.</summary>
    public long Bytes
    {
        get
        {
            long bytes = _table.Bytes;
            foreach (StateStore store in _stores)
                bytes += store.Bytes;
            return bytes;
        }
    }

    /// <summary>Bytes of the table.</summary>
    public long TableBytes => _table.Bytes;

    /// <summary>Entries of the table.</summary>
    public long Capacity => (long)(_mask + 1);

    /// <summary>The table should be made larger before more is inserted.</summary>
    public bool IsCrowded => Count > HighestLoad * (_mask + 1);

    /// <summary>The words of a state.</summary>
    public ulong* this[StateId id] => _chunks[id];

    public int CountOf(int worker) => _stores[worker].Count;

    public StateId Parent(StateId id) => new(_chunks.Parent(id));

    public static ulong Hash(ulong* state, int words)
    {
        ulong hash = 0x9E37_79B9_7F4A_7C15;
        for (int i = 0; i < words; i++)
        {
            ulong high = Math.BigMul(state[i] ^ hash, 0xD6E8_FEB8_6659_FD93 + ((ulong)i << 1), out ulong low);
            hash = high ^ low ^ (hash << 7);
        }

        return hash ^ (hash >> 29);
    }

    /// <summary>Stores a state for a worker. False: it is there already.</summary>
    public bool Add(ulong* state, ulong hash, int worker, StateId parent, out StateId id)
    {
        ulong tag = hash & 0xFFFF_FFFF_0000_0000;
        StateStore store = _stores[worker];
        ulong* own = null;
        for (ulong at = hash & _mask; ;)
        {
            ulong entry = Volatile.Read(ref Unsafe.AsRef<ulong>(_entries + at));
            if (entry == 0)
            {
                if (own == null)
                {
                    own = store.Next();
                    for (int i = 0; i < Words; i++)
                        own[i] = state[i];
                }

                id = new StateId(worker, store.Count);
                if (!Publish(_entries + at, tag | (id.Value + 1)))
                    continue;
                store.Commit(parent);
                return true;
            }

            id = new StateId((uint)entry - 1);
            if ((entry & 0xFFFF_FFFF_0000_0000) == tag && IsSame(this[id], state))
                return false;
            at = (at + 1) & _mask;
        }
    }

    /// <summary>Hashes states, and fetches what looking them up will touch.</summary>
    public void HashAndPrefetch(Successors states)
    {
        for (int i = 0; i < states.Count; i++)
        {
            states.Hash(i) = Hash(states[i], Words);
            Prefetch(states.Hash(i));
        }

        for (int i = 0; i < states.Count; i++)
            PrefetchState(states.Hash(i));
    }

    /// <summary>Finds a state by its hash.</summary>
    public bool TryFind(ulong* state, ulong hash, out StateId id)
    {
        ulong tag = hash & 0xFFFF_FFFF_0000_0000;
        for (ulong at = hash & _mask; _entries[at] != 0; at = (at + 1) & _mask)
        {
            id = new StateId((uint)_entries[at] - 1);
            if ((_entries[at] & 0xFFFF_FFFF_0000_0000) == tag && IsSame(this[id], state))
                return true;
        }

        id = default;
        return false;
    }

    /// <summary>A table of twice the size.</summary>
    /// <param name="team">All workers, of whom none may be inserting.</param>
    public void Grow(WorkerTeam team)
    {
        long capacity = (long)(_mask + 1) * 2;
        _table.Dispose();
        Allocate(capacity);
        team.Run(EnterAll);
    }

    /// <summary>Stores a state that is known to be new, without looking; for a copy of another set.</summary>
    public ulong* Append(int worker, StateId parent)
    {
        ulong* state = _stores[worker].Next();
        for (int i = 0; i < Words; i++)
            state[i] = 0;
        _stores[worker].Commit(parent);
        return state;
    }

    /// <summary>Enters all states of a worker into the table, which has none of them and has room.</summary>
    public void EnterAll(int worker)
    {
        const int Batch = 64;
        ulong* hashes = stackalloc ulong[Batch];
        for (int first = 0; first < _stores[worker].Count; first += Batch)
        {
            int count = Math.Min(Batch, _stores[worker].Count - first);
            for (int i = 0; i < count; i++)
            {
                hashes[i] = Hash(this[new StateId(worker, first + i)], Words);
                Prefetch(hashes[i]);
            }

            for (int i = 0; i < count; i++)
                Enter(hashes[i], new StateId(worker, first + i));
        }
    }

    public void Dispose()
    {
        _table.Dispose();
        _chunks.Dispose();
        foreach (StateStore store in _stores)
            store.Dispose();
    }

    // The entry of a hash.
    private void Prefetch(ulong hash)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(_entries + (hash & _mask));
    }

    // The state that is probably equal to one with this hash, whose entry is in the cache already.
    private void PrefetchState(ulong hash)
    {
        ulong entry = _entries[hash & _mask];
        if (Sse.IsSupported && entry != 0 && (entry ^ hash) >> TagShift == 0)
            Sse.Prefetch0(this[new StateId((uint)entry - 1)]);
    }

    // One worker alone needs no atomic instruction, which would wait for all that is still on its way to memory.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Publish(ulong* at, ulong entry)
    {
        if (!_isAlone)
            return Interlocked.CompareExchange(ref Unsafe.AsRef<ulong>(at), entry, 0) == 0;
        *at = entry;
        return true;
    }

    private void Enter(ulong hash, StateId id)
    {
        ulong at = hash & _mask;
        while (_entries[at] != 0 || !Publish(_entries + at, (hash & 0xFFFF_FFFF_0000_0000) | (id.Value + 1)))
            at = (at + 1) & _mask;
    }

    [System.Diagnostics.CodeAnalysis.MemberNotNull(nameof(_table))]
    private void Allocate(long capacity)
    {
        _table = new NativeBlock(capacity * sizeof(ulong));
        _entries = (ulong*)_table.Pointer;
        _mask = (ulong)capacity - 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsSame(ulong* a, ulong* b)
    {
        for (int i = 0; i < Words; i++)
        {
            if (a[i] != b[i])
                return false;
        }

        return true;
    }
}
