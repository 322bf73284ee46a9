using TdxVerify.Model;

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
    private StepTree[] _trees = [];

    public CompiledSystem(ISystem<TLocal> system)
    {
        _system = system;
        _locals = [.. system.Agents.Select((_, agent) => new LocalTable<TLocal>(system.StartOf(agent)))];
        _recorder = new StepRecorder<TLocal>(system, _values);
        Layout = NewLayout();
    }

    public ISystem<TLocal> System => _system;

    public StateLayout Layout { get; private set; }

    /// <summary>Steps that were carried out; all others were looked up.</summary>
    public long StepsLearnt { get; private set; }

    /// <summary>A wider layout, for all values that were seen so far.</summary>
    public void Widen()
    {
        lock (_learning)
            Layout = NewLayout();
    }

    /// <summary>Appends the states that follow from a state by one step of an agent. False: the agent can make none.</summary>
    /// <exception cref="LayoutTooSmallException">A value turned up for which there is no room.</exception>
    public StepEnd Expand(ulong* state, int agent, int parent, Successors successors)
    {
        StateLayout.Slot[] slots = Layout.Slots;
        int local = slots[agent].Read(state);
        StepTree tree = _trees[agent];
        int first = successors.Count;
        while (true)
        {
            int node = tree.Root(local);
            int[] nodes = tree.Nodes;
            int choice = 0;
            StepEnd end = StepEnd.Moved;
            if (node != 0 && Walk(nodes, node, slots, state, agent, parent, successors, ref choice, ref end))
                return end;
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

    /// <summary>The step of an agent once more, outside the search: its outcome for one way to go on, and the locals after it.</summary>
    public TLocal Local(ulong* state, int agent) => _locals[agent][Layout.Slots[agent].Read(state)];

    private bool Walk(
        int[] nodes, int node, StateLayout.Slot[] slots, ulong* state, int agent, int parent, Successors successors, ref int choice, ref StepEnd end)
    {
        while (nodes[node] >= 0)
        {
            node = Volatile.Read(ref nodes[node + 1 + slots[nodes[node]].Read(state)]);
            if (node == 0)
                return false;
        }

        if (nodes[node] != StepTree.End)
        {
            // A step that may go on in several ways made a move whichever is taken, unless none of them is one.
            int ways = -nodes[node];
            StepEnd together = StepEnd.Done;
            for (int i = 1; i <= ways; i++)
            {
                int child = Volatile.Read(ref nodes[node + i]);
                StepEnd one = StepEnd.Moved;
                if (child == 0 || !Walk(nodes, child, slots, state, agent, parent, successors, ref choice, ref one))
                    return false;
                together = one < together ? one : together;
            }

            end = together;
            return true;
        }

        end = (StepEnd)(nodes[node + 2] & 3);
        if (end != StepEnd.Moved)
        {
            choice++;
            return true;
        }

        ulong events = (uint)nodes[node + 3] | ((ulong)(uint)nodes[node + 4] << 32);
        ulong* next = successors.Add(state, new Transition(agent, choice++, parent, events, (StepTraits)(nodes[node + 2] & ~3)));
        slots[agent].Write(next, nodes[node + 1]);
        int last = node + 6 + (2 * nodes[node + 5]);
        for (int i = node + 6; i < last; i += 2)
            slots[nodes[i]].Write(next, nodes[i + 1]);
        if ((nodes[node + 2] & (int)StepTraits.Normalizes) != 0)
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
                _end.Clear();
                _end.AddRange(StepTree.End, 0, (int)step.End | (int)step.Traits, (int)step.Events, (int)(step.Events >> 32), 0);
                if (step.End == StepEnd.Moved)
                {
                    // A step whose state is still to be brought to its normal form passes through values that no state has.
                    _end[1] = Fit(agent, _locals[agent].Number(after));
                    foreach ((Cell cell, ulong value) in _recorder.Written)
                    {
                        int slot = SlotFor(cell, value);
                        if (slot < 0)
                            continue;
                        _end.Add(slot);
                        _end.Add(Fit(slot, _values[cell].Number(value)));
                        _end[5]++;
                    }
                }

                _trees[agent].Add(local, _recorder.Path, global::System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_end));
            }
            while (_recorder.NextChoices());
        }
    }

    private int SlotFor(Cell cell, ulong value)
    {
        int slot = Layout.SlotOf(cell);
        if (slot >= 0)
            return slot;
        ulong start = _system.StartOf(cell);
        if (value == start)
            return -1;
        _values.Add(cell, new ValueTable(start));
        _values[cell].Number(value);
        throw new LayoutTooSmallException();
    }

    private int Fit(int slot, int number) => number < Layout.Slots[slot].Capacity ? number : throw new LayoutTooSmallException();

    private StateLayout NewLayout()
    {
        _trees = [.. _locals.Select(_ => new StepTree())];
        return new StateLayout([.. _locals.Select(table => table.Count + (table.Count / 4))], [.. _values.Select(cell => (cell.Key, cell.Value.Count))]);
    }
}
