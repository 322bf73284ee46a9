using TdxVerify.Model;

namespace TdxVerify.Properties.Exploration;

/// <summary>Carries out one step on a packed state, and notes what it asked for and what it changed.</summary>
internal sealed unsafe class StepRecorder<TLocal>(ISystem<TLocal> system, Dictionary<Cell, ValueTable> values) : ICells, IChooser
    where TLocal : unmanaged
{
    private readonly List<(int Question, int Answer, int Children)> _path = [];
    private readonly Dictionary<Cell, ulong> _current = [];
    private readonly Dictionary<Cell, ulong> _written = [];
    private readonly Dictionary<Cell, CellUse> _uses = [];
    private readonly List<int> _choices = [];
    private StateLayout _layout = null!;
    private ulong* _state;
    private int _chosen;

    /// <summary>What the last step asked for, in order.</summary>
    public IReadOnlyList<(int Question, int Answer, int Children)> Path => _path;

    /// <summary>The cells that it wrote.</summary>
    public IReadOnlyDictionary<Cell, ulong> Written => _written;

    /// <summary>The cells that it used, and how.</summary>
    public IReadOnlyDictionary<Cell, CellUse> Uses => _uses;

    /// <summary>Carries out the step with the choices that are due.</summary>
    public SystemStep Run(StateLayout layout, ulong* state, int agent, ref TLocal local)
    {
        _layout = layout;
        _state = state;
        _path.Clear();
        _current.Clear();
        _written.Clear();
        _uses.Clear();
        _chosen = 0;
        SystemStep step = system.Step(agent, ref local, this, this);
        foreach ((Cell cell, ulong value) in _written)
            NoteWrite(cell, value);
        return step;
    }

    /// <summary>The next choices; false: all were made.</summary>
    public bool NextChoices()
    {
        _choices.Clear();
        foreach ((int question, int answer, _) in _path)
        {
            if (question < 0)
                _choices.Add(answer);
        }

        int at = _choices.Count;
        for (int i = _path.Count - 1; i >= 0; i--)
        {
            if (_path[i].Question >= 0)
                continue;
            at--;
            if (_path[i].Answer + 1 == _path[i].Children)
                continue;
            _choices[at]++;
            _choices.RemoveRange(at + 1, _choices.Count - at - 1);
            return true;
        }

        _choices.Clear();
        return false;
    }

    // A word is read before it is changed: that read is part of the change.
    private void NoteWrite(Cell cell, ulong value)
    {
        int slot = _layout.SlotOf(cell);
        ulong old = slot < 0 ? system.StartOf(cell) : values[cell][_layout.Slots[slot].Read(_state)];
        if (old != value)
            _uses[cell] = CellUses.OfWrite(cell, old, value);
        else
            _uses.TryAdd(cell, CellUse.Write);
    }

    ulong ICells.Read(Cell cell)
    {
        if (_current.TryGetValue(cell, out ulong value))
            return value;
        int slot = _layout.SlotOf(cell);
        if (slot < 0)
        {
            value = system.StartOf(cell);
        }
        else
        {
            int number = _layout.Slots[slot].Read(_state);
            value = values[cell][number];
            _uses.Add(cell, CellUse.Read);
            _path.Add((slot, number, _layout.Slots[slot].Capacity));
        }

        _current.Add(cell, value);
        return value;
    }

    void ICells.Write(Cell cell, ulong value)
    {
        _current[cell] = value;
        _written[cell] = value;
    }

    int IChooser.Choose(int count)
    {
        if (count < 2)
            return 0;
        int choice = _chosen < _choices.Count ? _choices[_chosen] : 0;
        _chosen++;
        _path.Add((-count, choice, count));
        return choice;
    }
}
