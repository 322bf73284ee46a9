using System.Runtime.InteropServices;
using TdxVerify.Model;
using TdxVerify.Properties.Exploration.Reductions;

namespace TdxVerify.Properties.Exploration;

/// <summary>
/// A system of agents over packed states: every value of a cell and all locals of an agent are numbers, and the steps
/// that were made once are looked up.
/// </summary>
/// <remarks>One for all workers: lookups take no lock, a step that is not known yet is carried out under one.</remarks>
internal sealed unsafe class CompiledSystem<TLocal>
    where TLocal : unmanaged
{
    private readonly ISystem<TLocal> _system;
    private readonly Lock _learning = new();
    private readonly Dictionary<Cell, ValueTable> _values = [];
    private readonly LocalTable<TLocal>[] _locals;
    private readonly StepRecorder<TLocal> _recorder;
    private readonly List<int> _end = [];
    private readonly ISymmetry<TLocal>? _symmetry;
    private readonly Footprints _footprints;
    private StepTree[] _trees = [];
    private NormalForm? _normal;
    private bool _normalizes;

    /// <summary>Compiles a system.</summary>
    /// <param name="system">The system.</param>
    /// <param name="symmetry">Its renamings, where states that are renamings of each other are to be one.</param>
    public CompiledSystem(ISystem<TLocal> system, ISymmetry<TLocal>? symmetry = null)
    {
        _system = system;
        _symmetry = symmetry is { Count: > 0 } ? symmetry : null;
        _footprints = new Footprints(system.Agents.Count);
        _locals = [.. system.Agents.Select((_, agent) => new LocalTable<TLocal>(system.StartOf(agent)))];
        _recorder = new StepRecorder<TLocal>(system, _values);
        Widen();
    }

    public ISystem<TLocal> System => _system;

    /// <summary>What brings states to the smallest of their renamings; null: they are kept as they are.</summary>
    public Canonicalizer? Canonicalizer { get; private set; }

    /// <summary>A step used cells that its agent was not assumed to use.</summary>
    public bool FootprintsGrew => _footprints.Grew;

    public StateLayout Layout { get; private set; } = null!;

    /// <summary>Steps that were carried out; all others were looked up.</summary>
    public long StepsLearnt { get; private set; }

    /// <summary>A wider layout, for all values that were seen so far.</summary>
    [global::System.Diagnostics.CodeAnalysis.MemberNotNull(nameof(Layout))]
    public void Widen()
    {
        lock (_learning)
        {
            if (_normalizes)
                AddNormalCells();
            AddRenamedCells();
            _trees = [.. _locals.Select(_ => new StepTree())];
            Layout = new StateLayout(
                [.. _locals.Select(table => table.Count + (table.Count / 4))], [.. _values.Select(cell => (cell.Key, cell.Value.Count))]);
            _normal = _normalizes ? NewNormalForm() : null;
            Canonicalizer = _symmetry is null ? null : NewCanonicalizer(_symmetry);
        }
    }

    /// <summary>From now on agents are assumed to use what they were seen to use.</summary>
    public void AssumeFootprints()
    {
        lock (_learning)
        {
            _footprints.Assume();
            _trees = [.. _locals.Select(_ => new StepTree())];
        }
    }

    /// <summary>Appends the states that follow from a state by one step of an agent.</summary>
    /// <param name="state">The state.</param>
    /// <param name="agent">The agent.</param>
    /// <param name="parent">The place of the state in its block.</param>
    /// <param name="successors">Where they are appended.</param>
    /// <param name="independent">Stays true where no other agent is assumed to use what the step uses in a conflicting way.</param>
    /// <exception cref="LayoutTooSmallException">A value turned up for which there is no room.</exception>
    public StepEnd Expand(ulong* state, int agent, int parent, Successors successors, ref bool independent)
    {
        int local = Layout.Slots[agent].Read(state);
        StepTree tree = _trees[agent];
        int first = successors.Count;
        while (true)
        {
            var walk = new StepWalk(tree.Nodes, state, agent, parent, successors, _normal);
            int root = tree.Root(local);
            if (root != 0 && walk.Walk(root, out StepEnd end))
            {
                independent &= walk.IsIndependent;
                return end;
            }

            successors.Truncate(first);
            Learn(state, agent, local);
        }
    }

    /// <summary>A state with its values, to be looked at or changed.</summary>
    public UnpackedState<TLocal> Unpack(ulong* state)
    {
        lock (_learning)
        {
            var unpacked = new UnpackedState<TLocal>(_system, Layout.Cells);
            for (int agent = 0; agent < _locals.Length; agent++)
                unpacked.Local(agent) = _locals[agent][Layout.Slots[agent].Read(state)];
            for (int i = 0; i < Layout.Cells.Count; i++)
                unpacked.Write(Layout.Cells[i], _values[Layout.Cells[i]][Layout.Slots[_locals.Length + i].Read(state)]);
            return unpacked;
        }
    }

    private void Learn(ulong* state, int agent, int local)
    {
        lock (_learning)
        {
            do
            {
                TLocal after = _locals[agent][local];
                SystemStep step = _recorder.Run(Layout, state, agent, ref after);
                StepsLearnt++;
                RequireNormalForm(step.Traits);
                _footprints.Add(agent, _recorder.Uses);
                int bits = (int)step.End | (int)step.Traits | (_footprints.IsIndependent(agent, _recorder.Uses) ? StepTree.IndependentBit : 0);
                _end.Clear();
                _end.AddRange(StepTree.End, bits, (int)step.Events, (int)(step.Events >> 32), step.Attempt, 0);
                if (step.End == StepEnd.Moved)
                    AddChanges(agent, after);
                _trees[agent].Add(local, _recorder.Path, Layout.Slots, CollectionsMarshal.AsSpan(_end));
            }
            while (_recorder.NextChoices());
        }
    }

    // A step whose state is still to be brought to its normal form passes through values that no state has.
    private void AddChanges(int agent, in TLocal after)
    {
        NoteValues(_recorder.Written);
        Span<ulong> keep = stackalloc ulong[Layout.Words];
        Span<ulong> set = stackalloc ulong[Layout.Words];
        keep.Fill(ulong.MaxValue);
        set.Clear();
        Change(keep, set, agent, _locals[agent].Number(after));
        foreach ((Cell cell, ulong value) in _recorder.Written)
        {
            int slot = SlotFor(cell, value);
            if (slot >= 0)
                Change(keep, set, slot, _values[cell].Number(value));
        }

        for (int word = 0; word < Layout.Words; word++)
        {
            if (keep[word] == ulong.MaxValue)
                continue;
            _end.AddRange(word, (int)keep[word], (int)(keep[word] >> 32), (int)set[word], (int)(set[word] >> 32));
            _end[StepTree.EndSize - 1]++;
        }
    }

    private void Change(Span<ulong> keep, Span<ulong> set, int slot, int number)
    {
        StateLayout.Slot at = Layout.Slots[slot];
        keep[at.Word] &= ~at.Mask;
        set[at.Word] |= (ulong)Fit(slot, number) << at.Shift;
    }

    private int SlotFor(Cell cell, ulong value)
    {
        int slot = Layout.SlotOf(cell);
        if (slot >= 0)
            return slot;
        return Note(cell, value) ? throw new LayoutTooSmallException() : -1;
    }

    // All of them before the first for which there is no room ends the attempt: a step may write hundreds of new cells.
    private void NoteValues(IReadOnlyDictionary<Cell, ulong> written)
    {
        foreach ((Cell cell, ulong value) in written)
            Note(cell, value);
    }

    // True: the value differs from that at the start.
    private bool Note(Cell cell, ulong value)
    {
        ulong start = _system.StartOf(cell);
        if (!_values.TryGetValue(cell, out ValueTable? values))
        {
            if (value == start)
                return false;
            values = new ValueTable(start);
            _values.Add(cell, values);
        }

        values.Number(value);
        return value != start;
    }

    private int Fit(int slot, int number) => number < Layout.Slots[slot].Capacity ? number : throw new LayoutTooSmallException();

    // Where no state is brought to a normal form, the cells that only this would change are left out.
    private void RequireNormalForm(StepTraits traits)
    {
        if (_normalizes || (traits & StepTraits.Normalizes) == 0)
            return;
        _normalizes = true;
        throw new LayoutTooSmallException();
    }

    private void AddNormalCells()
    {
        foreach (Cell cell in _values.Keys.ToArray())
            AddCell(_system.Normal(cell));
    }

    private void AddRenamedCells()
    {
        for (int renaming = 0; renaming < (_symmetry?.Count ?? 0); renaming++)
        {
            foreach (Cell cell in _values.Keys.ToArray())
                AddCell(_symmetry!.Rename(renaming, cell));
        }
    }

    private void AddCell(Cell cell)
    {
        if (!_values.ContainsKey(cell))
            _values.Add(cell, new ValueTable(_system.StartOf(cell)));
    }

    private NormalForm NewNormalForm()
    {
        int[] targets = [.. Enumerable.Range(0, Layout.Agents).Concat(Layout.Cells.Select(cell => Layout.SlotOf(_system.Normal(cell))))];
        return new NormalForm(Layout, targets, (slot, number) =>
        {
            lock (_learning)
            {
                int target = targets[slot];
                if (slot >= Layout.Agents)
                {
                    Cell cell = Layout.Cells[slot - Layout.Agents];
                    return Fit(target, _values[Layout.Cells[target - Layout.Agents]].Number(_system.Normal(cell, _values[cell][number])));
                }

                TLocal local = _locals[slot][number];
                _system.Normalize(ref local);
                return Fit(slot, _locals[slot].Number(local));
            }
        });
    }

    private Canonicalizer NewCanonicalizer(ISymmetry<TLocal> symmetry)
    {
        int[][] targets = [.. Enumerable.Range(0, symmetry.Count).Select(renaming => Enumerable.Range(0, Layout.Slots.Length).Select(
            slot => slot < Layout.Agents ? symmetry.Rename(renaming, slot) : Layout.SlotOf(symmetry.Rename(renaming, Layout.Cells[slot - Layout.Agents]))).ToArray())];
        return new Canonicalizer(Layout, targets, (renaming, slot, number) =>
        {
            lock (_learning)
            {
                int target = targets[renaming][slot];
                if (slot >= Layout.Agents)
                {
                    Cell cell = Layout.Cells[slot - Layout.Agents];
                    return Fit(target, _values[Layout.Cells[target - Layout.Agents]].Number(symmetry.Rename(renaming, cell, _values[cell][number])));
                }

                TLocal local = _locals[slot][number];
                symmetry.Rename(renaming, ref local);
                return Fit(target, _locals[target].Number(local));
            }
        });
    }
}
