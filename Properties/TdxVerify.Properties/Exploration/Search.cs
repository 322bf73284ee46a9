using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration;

/// <summary>
/// Breadth-first search through all states of a system, level by level, with any number of workers and the same counts
/// for each number.
/// </summary>
internal sealed unsafe class Search<TLocal> : IDisposable
    where TLocal : unmanaged
{
    private const int BlockSize = 64;

    private readonly CompiledSystem<TLocal> _system;
    private readonly SearchOptions _options;
    private readonly FirstEvent?[] _firsts = new FirstEvent?[64];
    private readonly ulong _ends;
    private readonly Lock _noting = new();
    private readonly Stopwatch _watch = new();
    private readonly OwnLine[] _taken;
    private readonly OwnLine[] _levelTransitions;
    private (int From, int To)[] _level = [];
    private Successors[] _successors = [];
    private long _transitions;
    private ulong _seenEvents;
    private bool _isLevelOpen;
    private bool _tooSmall;
    private bool _outOfMemory;

    /// <summary>A search.</summary>
    /// <param name="system">The system.</param>
    /// <param name="options">How far and with what.</param>
    /// <param name="symmetry">The renamings of the system, for <see cref="SearchOptions.Symmetry"/>.</param>
    public Search(ISystem<TLocal> system, SearchOptions options, ISymmetry<TLocal>? symmetry = null)
    {
        _system = new CompiledSystem<TLocal>(system, options.Symmetry ? symmetry : null);
        _options = options;
        for (int e = 0; options.EndsRuns && e < system.Events.Count; e++)
            _ends |= system.Events[e].EndsRun ? 1UL << e : 0;
        WarmUp.Run(_system);
        _taken = new OwnLine[options.Workers];
        _levelTransitions = new OwnLine[options.Workers];
        Use(NewSet());
    }

    /// <summary>The states found.</summary>
    public StateSet Set { get; private set; }

    /// <summary>The system, compiled.</summary>
    public CompiledSystem<TLocal> System => _system;

    /// <summary>Steps that lead to the last level.</summary>
    public int Depth { get; private set; }

    /// <summary>Everything that can be reached was found.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>It ended because it would have needed more memory than it may have.</summary>
    public bool IsOutOfMemory => _outOfMemory;

    /// <summary>A law was broken.</summary>
    public bool FoundViolation { get; private set; }

    /// <summary>Events that occurred.</summary>
    public ulong SeenEvents => _seenEvents;

    /// <summary>Events after which a run is over (<see cref="SearchOptions.EndsRuns"/>): the state in which they leave the system is not one of those found.</summary>
    public ulong Ends => _ends;

    /// <summary>A state from which no agent can go on although one of them is not done; null: there is none.</summary>
    public StateId? Stuck { get; private set; }

    /// <summary>The state at the start.</summary>
    public StateId StartId => default;

    /// <summary>Where the search is.</summary>
    public SearchProgress Progress => new(
        Set.Count, _transitions + LevelTransitions, Depth, _level.Sum(range => (long)range.To - range.From), Set.Bytes, _watch.Elapsed);

    private long LevelTransitions => _levelTransitions.Sum(transitions => transitions.Value);

    /// <summary>The first time that an event occurred; null: never.</summary>
    public FirstEvent? First(int e) => _firsts[e];

    /// <summary>Searches to the end.</summary>
    public void Run(CancellationToken cancel = default)
    {
        _watch.Start();
        using var team = new WorkerTeam(_options.Workers);
        if (!_options.PartialOrder)
        {
            RunOnce(team, cancel);
        }
        else
        {
            do
            {
                _system.AssumeFootprints();
                RunOnce(team, cancel);
            }
            while (_system.FootprintsGrew && !_outOfMemory && !cancel.IsCancellationRequested);
        }

        _watch.Stop();
    }

    /// <summary>The events of a kind, as bits.</summary>
    public ulong Bits(EventKind kind)
    {
        ulong bits = 0;
        for (int i = 0; i < _system.System.Events.Count; i++)
            bits |= _system.System.Events[i].Kind == kind ? 1UL << i : 0;
        return bits;
    }

    public void Dispose()
    {
        Set.Dispose();
        foreach (Successors successors in _successors)
            successors.Dispose();
    }

    private void RunOnce(WorkerTeam team, CancellationToken cancel)
    {
        Begin();
        ulong violations = Bits(EventKind.Violation);
        while (_level.Any(range => range.From < range.To) && Depth < _options.DepthLimit && Set.Count <= _options.StateLimit)
        {
            ExpandLevel(team, cancel);
            if (_outOfMemory || cancel.IsCancellationRequested)
                break;
            _transitions += LevelTransitions;
            Array.Clear(_levelTransitions);
            Depth++;
            _level = [.. _level.Select((range, worker) => (range.To, Set.CountOf(worker)))];
            FoundViolation = (_seenEvents & violations) != 0;
            if (FoundViolation && !_options.GoesOn)
                break;
        }

        IsComplete = _level.All(range => range.From == range.To);
    }

    private void Begin()
    {
        Use(NewSet());
        Array.Clear(_firsts);
        _seenEvents = 0;
        _transitions = 0;
        Depth = 0;
        Stuck = null;
        AddStart();
        _level = [.. Enumerable.Range(0, Set.Workers).Select(worker => (0, Set.CountOf(worker)))];
    }

    private StateSet NewSet() => new(_system.Layout.Words, _options.Workers, StateSet.CapacityFor(_options.ExpectedStates));

    private void AddStart()
    {
        ulong* start = stackalloc ulong[Set.Words];
        new Span<ulong>(start, Set.Words).Clear();
        _system.Canonicalizer?.Apply(start);
        Set.Add(start, StateSet.Hash(start, Set.Words), 0, default, out _);
    }

    private void ExpandLevel(WorkerTeam team, CancellationToken cancel)
    {
        Action<int> work = worker => Work(worker, cancel);
        BeginLevel();
        while (_isLevelOpen && !_outOfMemory && !cancel.IsCancellationRequested)
        {
            if (_level.Sum(range => (long)range.To - range.From) <= BlockSize)
                work(0);
            else
                team.Run(work);
            if (_tooSmall)
                Repack();
            else if (Set.IsCrowded)
                Grow(team);
        }
    }

    private void BeginLevel()
    {
        _isLevelOpen = true;
        Array.Clear(_taken);
        Array.Clear(_levelTransitions);
    }

    // Ends early where something is to be done that no other worker may see half done.
    private void Work(int worker, CancellationToken cancel)
    {
        while (!Volatile.Read(ref _tooSmall) && !Volatile.Read(ref _outOfMemory) && !Set.IsCrowded && !cancel.IsCancellationRequested)
        {
            if (!TakeBlock(worker, out StateId first, out int count))
            {
                _isLevelOpen = false;
                return;
            }

            if (Set.Bytes > _options.MemoryLimit)
                _outOfMemory = true;
            try
            {
                ExpandBlock(worker, first, count);
            }
            catch (LayoutTooSmallException)
            {
                Volatile.Write(ref _tooSmall, true);
            }
        }
    }

    // First what the worker found itself. Steps of two agents that do not touch each other lead to the same state in both
    // orders; so the worker meets what it stored itself, in its own cache, and seldom waits for that of another core.
    private bool TakeBlock(int worker, out StateId first, out int count)
    {
        for (int i = 0; i < _level.Length; i++)
        {
            int finder = (worker + i) % _level.Length;
            (int from, int to) = _level[finder];
            int left = to - from - (int)(Interlocked.Add(ref _taken[finder].Value, BlockSize) - BlockSize);
            if (left > 0)
            {
                first = new StateId(finder, to - left);
                count = Math.Min(BlockSize, left);
                return true;
            }
        }

        first = default;
        count = 0;
        return false;
    }

    private void ExpandBlock(int worker, StateId first, int count)
    {
        Successors successors = _successors[worker];
        successors.Clear();
        for (int i = 0; i < count; i++)
            ExpandState(new StateId(first.Worker, first.Index + i), i, successors);
        Set.HashAndPrefetch(successors);
        for (int i = 0; i < successors.Count; i++)
        {
            ref readonly Transition transition = ref successors.Transition(i);
            var from = new StateId(first.Worker, first.Index + transition.Parent);
            if ((transition.Events & ~_seenEvents) != 0)
                Note(transition, from);
            if ((transition.Events & _ends) == 0)
                Set.Add(successors[i], successors.Hash(i), worker, from, out _);
        }

        _levelTransitions[worker].Value += successors.Count;
    }

    private void ExpandState(StateId id, int place, Successors successors)
    {
        ulong* state = Set[id];
        int first = successors.Count;
        (int First, int Count) ample = default;
        bool allDone = true;
        for (int agent = 0; agent < _system.Layout.Agents; agent++)
        {
            int own = successors.Count;
            bool independent = _options.PartialOrder;
            allDone &= _system.Expand(state, agent, place, successors, ref independent) == StepEnd.Done;
            int count = successors.Count - own;
            if (_system.Canonicalizer is { } canonicalizer)
            {
                for (int i = own; i < successors.Count; i++)
                    canonicalizer.Apply(successors[i]);
            }

            if (independent && count > 0 && (ample.Count == 0 || count < ample.Count) && LeadsOn(own, successors))
                ample = (own, count);
        }

        if (successors.Count == first && !allDone)
            Stuck ??= id;
        if (ample.Count > 0)
            successors.KeepOnly(first, ample.First, ample.Count);
    }

    // Steps that come first must not come first for ever: one of them leads to a state that is yet to be expanded. Nor
    // may they end the run before the others had their turn.
    private bool LeadsOn(int first, Successors successors)
    {
        for (int i = first; i < successors.Count; i++)
        {
            if ((successors.Transition(i).Events & _ends) != 0)
                return false;
        }

        for (int i = first; i < successors.Count; i++)
        {
            if (!Set.TryFind(successors[i], StateSet.Hash(successors[i], Set.Words), out StateId known) || known.Index >= _level[known.Worker].To)
                return true;
        }

        return false;
    }

    private void Note(in Transition transition, StateId from)
    {
        lock (_noting)
        {
            for (ulong rest = transition.Events & ~_seenEvents; rest != 0; rest &= rest - 1)
                _firsts[global::System.Numerics.BitOperations.TrailingZeroCount(rest)] = new FirstEvent(from, transition.Agent, transition.Choice, Depth + 1);
            _seenEvents |= transition.Events;
        }
    }

    private void Grow(WorkerTeam team)
    {
        // While states are entered into the larger table the old one is still there.
        if (Set.Bytes + (2 * Set.TableBytes) > _options.MemoryLimit)
            _outOfMemory = true;
        else
            Set.Grow(team);
    }

    // The level is expanded again as a whole; what it found stays.
    private void Repack()
    {
        StateLayout old = _system.Layout;
        _system.Widen();
        StateLayout wide = _system.Layout;
        (int From, int To)[] places = [.. wide.Cells.Select((cell, i) => (old.SlotOf(cell), wide.Agents + i)).Where(place => place.Item1 >= 0)];
        var set = new StateSet(wide.Words, Set.Workers, Set.Capacity);
        for (int worker = 0; worker < Set.Workers; worker++)
        {
            for (int index = 0; index < Set.CountOf(worker); index++)
            {
                var id = new StateId(worker, index);
                ulong* from = Set[id];
                ulong* to = set.Append(worker, Set.Parent(id));
                for (int agent = 0; agent < wide.Agents; agent++)
                    wide.Slots[agent].Write(to, old.Slots[agent].Read(from));
                foreach ((int oldSlot, int newSlot) in places)
                    wide.Slots[newSlot].Write(to, old.Slots[oldSlot].Read(from));
            }

            set.EnterAll(worker);
        }

        Use(set);
        BeginLevel();
    }

    [MemberNotNull(nameof(Set))]
    private void Use(StateSet set)
    {
        Set?.Dispose();
        Set = set;
        _tooSmall = false;
        foreach (Successors successors in _successors)
            successors.Dispose();
        _successors = [.. Enumerable.Range(0, set.Workers).Select(_ => new Successors(set.Words))];
    }
}
