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

    // What the numbers after an end's locals mean, beside the traits of the step.
    private const int EndBits = 3;
    private const int IndependentBit = 1 << 8;

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
            AddRenamedCells();
            _trees = [.. _locals.Select(_ => new StepTree())];
            Layout = new StateLayout(
                [.. _locals.Select(table => table.Count + (table.Count / 4))], [.. _values.Select(cell => (cell.Key, cell.Value.Count))]);
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
        var step = new Step(state, agent, parent, successors, Layout.Slots);
        int local = Layout.Slots[agent].Read(state);
        StepTree tree = _trees[agent];
        int first = successors.Count;
        while (true)
        {
            int node = tree.Root(local);
            step.Nodes = tree.Nodes;
            step.Choice = 0;
            step.Independent = true;
            if (node != 0 && Walk(ref step, node, out StepEnd end))
            {
                independent &= step.Independent;
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

    /// <summary>The words of a state.</summary>
    public void Pack(UnpackedState<TLocal> unpacked, ulong* state)
    {
        lock (_learning)
        {
            for (int agent = 0; agent < _locals.Length; agent++)
                Layout.Slots[agent].Write(state, Fit(agent, _locals[agent].Number(unpacked.Local(agent))));
            foreach ((Cell cell, ulong value) in unpacked.Values)
            {
                int slot = SlotFor(cell, value);
                if (slot >= 0)
                    Layout.Slots[slot].Write(state, Fit(slot, _values[cell].Number(value)));
            }
        }
    }

    private bool Walk(ref Step step, int node, out StepEnd end)
    {
        int[] nodes = step.Nodes;
        end = StepEnd.Moved;
        while (nodes[node] >= 0)
        {
            node = Volatile.Read(ref nodes[node + 1 + step.Slots[nodes[node]].Read(step.State)]);
            if (node == 0)
                return false;
        }

        return nodes[node] == StepTree.End ? Finish(ref step, node, out end) : WalkEachWay(ref step, node, out end);
    }

    // A step that may go on in several ways moved if one of them did.
    private bool WalkEachWay(ref Step step, int node, out StepEnd end)
    {
        end = StepEnd.Done;
        int ways = -step.Nodes[node];
        for (int i = 1; i <= ways; i++)
        {
            int child = Volatile.Read(ref step.Nodes[node + i]);
            if (child == 0 || !Walk(ref step, child, out StepEnd one))
                return false;
            end = one < end ? one : end;
        }

        return true;
    }

    private bool Finish(ref Step step, int node, out StepEnd end)
    {
        int[] nodes = step.Nodes;
        int bits = nodes[node + 2];
        int choice = step.Choice++;
        step.Independent &= (bits & IndependentBit) != 0;
        end = (StepEnd)(bits & EndBits);
        if (end != StepEnd.Moved)
            return true;
        ulong events = (uint)nodes[node + 3] | ((ulong)(uint)nodes[node + 4] << 32);
        ulong* next = step.Successors.Add(step.State, new Transition(step.Agent, choice, step.Parent, events, (StepTraits)(byte)(bits & ~EndBits), nodes[node + 5]));
        step.Slots[step.Agent].Write(next, nodes[node + 1]);
        int last = node + 7 + (2 * nodes[node + 6]);
        for (int i = node + 7; i < last; i += 2)
            step.Slots[nodes[i]].Write(next, nodes[i + 1]);
        if ((bits & (int)StepTraits.Normalizes) != 0)
            Normalize(next);
        return true;
    }

    private void Normalize(ulong* state)
    {
        UnpackedState<TLocal> unpacked = Unpack(state);
        _system.Normalize(unpacked);
        Pack(unpacked, state);
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
                _footprints.Add(agent, _recorder.Uses);
                int bits = (int)step.End | (int)step.Traits | (_footprints.IsIndependent(agent, _recorder.Uses) ? IndependentBit : 0);
                _end.Clear();
                _end.AddRange(StepTree.End, 0, bits, (int)step.Events, (int)(step.Events >> 32), step.Attempt, 0);
                if (step.End == StepEnd.Moved)
                {
                    // A step whose state is still to be brought to its normal form passes through values that no state has.
                    NoteValues(_recorder.Written);
                    _end[1] = Fit(agent, _locals[agent].Number(after));
                    foreach ((Cell cell, ulong value) in _recorder.Written)
                    {
                        int slot = SlotFor(cell, value);
                        if (slot < 0)
                            continue;
                        _end.Add(slot);
                        _end.Add(Fit(slot, _values[cell].Number(value)));
                        _end[6]++;
                    }
                }

                _trees[agent].Add(local, _recorder.Path, CollectionsMarshal.AsSpan(_end));
            }
            while (_recorder.NextChoices());
        }
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

    private void AddRenamedCells()
    {
        for (int renaming = 0; renaming < (_symmetry?.Count ?? 0); renaming++)
        {
            foreach (Cell cell in _values.Keys.ToArray())
            {
                Cell renamed = _symmetry!.Rename(renaming, cell);
                if (!_values.ContainsKey(renamed))
                    _values.Add(renamed, new ValueTable(_system.StartOf(renamed)));
            }
        }
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

    // A step that is looked up.
    private ref struct Step(ulong* state, int agent, int parent, Successors successors, StateLayout.Slot[] slots)
    {
        public readonly ulong* State = state;
        public readonly int Agent = agent;
        public readonly int Parent = parent;
        public readonly Successors Successors = successors;
        public readonly StateLayout.Slot[] Slots = slots;
        public int[] Nodes = [];
        public int Choice = 0;
        public bool Independent = true;
    }
}
