using TdxVerify.Model;

namespace TdxVerify.Properties.Histories;

/// <summary>
/// The cells of the state that a call was seen to use, and where in the call. A call only goes forward through its
/// steps, so what it can still use is what it used at its place or later.
/// </summary>
internal sealed class Footprint
{
    private readonly List<Place> _places = [];

    /// <summary>Changes whenever something is added.</summary>
    public int Version { get; private set; }

    /// <summary>Adds what a step used; true: some of it was not known.</summary>
    /// <param name="at">Where in the call, rising.</param>
    /// <param name="accesses">What was used.</param>
    public bool Add(int at, ReadOnlySpan<CellAccess> accesses)
    {
        int index = Find(at);
        if (index < 0)
        {
            if (accesses.IsEmpty)
                return false;
            index = ~index;
            _places.Insert(index, new Place(at));
        }

        if (!_places[index].Add(accesses))
            return false;
        Version++;
        return true;
    }

    /// <summary>The last place at which another call was seen to use what this one uses at a place, in a way that conflicts; -1: nowhere.</summary>
    public int LastConflict(int at, Footprint other)
    {
        int index = Find(at);
        return index < 0 ? -1 : _places[index].LastConflict(other);
    }

    /// <summary>What this call uses at one place conflicts with what another uses at one of its places.</summary>
    public bool ConflictsAt(int at, Footprint other, int otherAt)
    {
        int index = Find(at);
        int theirs = other.Find(otherAt);
        return index >= 0 && theirs >= 0 && _places[index].ConflictsWith(other._places[theirs]);
    }

    private int Find(int at)
    {
        int low = 0;
        int high = _places.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            int found = _places[middle].At;
            if (found == at)
                return middle;
            if (found < at)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return ~low;
    }

    private sealed class Place(int at)
    {
        private readonly List<(Footprint Other, int Version, int Last)> _known = [];
        private CellAccess[] _accesses = new CellAccess[4];
        private int _count;

        public int At => at;

        public bool Add(ReadOnlySpan<CellAccess> accesses)
        {
            bool isNew = false;
            foreach (CellAccess access in accesses)
                isNew |= Add(access);
            if (isNew)
                _known.Clear();
            return isNew;
        }

        public int LastConflict(Footprint other)
        {
            for (int i = 0; i < _known.Count; i++)
            {
                (Footprint known, int version, int last) = _known[i];
                if (known != other)
                    continue;
                if (version == other.Version)
                    return last;
                _known.RemoveAt(i);
                break;
            }

            int found = Search(other);
            _known.Add((other, other.Version, found));
            return found;
        }

        private int Search(Footprint other)
        {
            for (int i = other._places.Count - 1; i >= 0; i--)
            {
                if (ConflictsWith(other._places[i]))
                    return other._places[i].At;
            }

            return -1;
        }

        public bool ConflictsWith(Place other)
        {
            foreach (ref readonly CellAccess mine in _accesses.AsSpan(0, _count))
            {
                foreach (ref readonly CellAccess theirs in other._accesses.AsSpan(0, other._count))
                {
                    if (mine.ConflictsWith(theirs))
                        return true;
                }
            }

            return false;
        }

        private bool Add(in CellAccess access)
        {
            for (int i = 0; i < _count; i++)
            {
                ref CellAccess known = ref _accesses[i];
                if (known.Cell != access.Cell)
                    continue;
                CellUse both = known.Use | access.Use;
                if (both == known.Use)
                    return false;
                known = new CellAccess(access.Cell, both);
                return true;
            }

            if (_count == _accesses.Length)
                Array.Resize(ref _accesses, 2 * _count);
            _accesses[_count++] = access;
            return true;
        }
    }
}
