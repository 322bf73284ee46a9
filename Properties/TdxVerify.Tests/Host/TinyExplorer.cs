using System.Runtime.InteropServices;
using TdxVerify.Model;

namespace TdxVerify.Tests.Host;

/// <summary>All states of a small system, breadth first, one dictionary: the plainest explorer there is, to test systems with.</summary>
internal sealed class TinyExplorer<TLocal>
    where TLocal : unmanaged
{
    private readonly ISystem<TLocal> _system;
    private readonly Dictionary<Cell, int> _numbers = [];
    private readonly List<Cell> _cells = [];
    private readonly List<TLocal[]> _locals = [];
    private readonly List<ulong[]> _values = [];
    private readonly List<(int Parent, int Agent, SystemStep Step)> _origins = [];
    private readonly Dictionary<string, (int State, int Agent, SystemStep Step)> _first = [];
    private readonly Dictionary<byte[], int> _known = new(new BytesComparer());

    public TinyExplorer(ISystem<TLocal> system) => _system = system;

    /// <summary>States found.</summary>
    public int States => _locals.Count;

    /// <summary>Steps made.</summary>
    public int Steps { get; private set; }

    /// <summary>States in which no agent can go on although one is not done.</summary>
    public int Deadlocks { get; private set; }

    /// <summary>What was reported anywhere.</summary>
    public IReadOnlyCollection<string> Seen => _first.Keys;

    /// <summary>A state that was found, by its number.</summary>
    public ISystemState<TLocal> this[int state] => new State(this, (TLocal[])_locals[state].Clone(), _values[state]);

    /// <summary>Explores up to a number of states and to a depth. True: to the end.</summary>
    public bool Explore(int limit = 1_000_000, int depth = int.MaxValue)
    {
        Add([.. Enumerable.Range(0, _system.Agents.Count).Select(_system.StartOf)], [], -1, -1, default);
        int[] depths = new int[limit + 1];
        for (int state = 0; state < _locals.Count; state++)
        {
            if (_locals.Count >= limit)
                return false;
            if (depths[state] == depth)
                continue;
            int before = _locals.Count;
            Expand(state);
            Array.Fill(depths, depths[state] + 1, before, Math.Min(_locals.Count, limit) - before);
        }

        return true;
    }

    /// <summary>The steps up to the first that reported an event, as locals before and what was reported.</summary>
    public IReadOnlyCollection<(int Agent, TLocal Before, SystemStep Step)> PathTo(string name)
    {
        (int state, int last, SystemStep reported) = _first[name];
        var path = new Stack<(int, TLocal, SystemStep)>();
        path.Push((last, _locals[state][last], reported));
        while (_origins[state].Parent >= 0)
        {
            (int parent, int agent, SystemStep step) = _origins[state];
            path.Push((agent, _locals[parent][agent], step));
            state = parent;
        }

        return path;
    }

    /// <summary>The steps up to the first that reported an event, in words. The way that was taken at a choice is not kept: the first is told.</summary>
    public IEnumerable<string> Tell(INarratedSystem<TLocal> system, string name)
    {
        (int state, int last, _) = _first[name];
        var path = new Stack<(int State, int Agent)>();
        path.Push((state, last));
        for (; _origins[state].Parent >= 0; state = _origins[state].Parent)
            path.Push((_origins[state].Parent, _origins[state].Agent));
        foreach ((int from, int agent) in path)
        {
            var next = new State(this, (TLocal[])_locals[from].Clone(), _values[from]);
            List<string> told = [];
            system.Step(agent, ref next.Locals[agent], next, new ScriptedChooser(), told);
            foreach (string line in told)
                yield return $"{system.Agents[agent]}: {line}";
        }
    }

    private void Expand(int state)
    {
        bool moved = false;
        bool waits = false;
        for (int agent = 0; agent < _system.Agents.Count; agent++)
        {
            var chooser = new ScriptedChooser();
            do
            {
                chooser.Restart();
                var next = new State(this, (TLocal[])_locals[state].Clone(), _values[state]);
                SystemStep step = _system.Step(agent, ref next.Locals[agent], next, chooser);
                waits |= step.End == StepEnd.Blocked;
                if (step.End != StepEnd.Moved)
                {
                    RequireUnchanged(next, state);
                    break;
                }

                moved = true;
                Steps++;
                if (step.Traits.HasFlag(StepTraits.Normalizes))
                    _system.Normalize(next);
                Add(next.Locals, next.Values, state, agent, step);
                for (int i = 0; i < _system.Events.Count; i++)
                {
                    if ((step.Events >> i & 1) != 0)
                        _first.TryAdd(_system.Events[i].Name, (state, agent, step));
                }
            }
            while (chooser.MoveNext());
        }

        if (!moved && waits)
            Deadlocks++;
    }

    private void RequireUnchanged(State next, int state)
    {
        if (!MemoryMarshal.AsBytes<TLocal>(next.Locals).SequenceEqual(MemoryMarshal.AsBytes<TLocal>(_locals[state])) || next.Wrote)
            throw new InvalidOperationException("a step that did not move changed something");
    }

    private void Add(TLocal[] locals, ulong[] values, int parent, int agent, SystemStep step)
    {
        byte[] key = Key(locals, values);
        if (!_known.TryAdd(key, _locals.Count))
            return;
        _locals.Add(locals);
        _values.Add(values);
        _origins.Add((parent, agent, step));
    }

    private byte[] Key(TLocal[] locals, ulong[] values)
    {
        int length = values.Length;
        while (length > 0 && values[length - 1] == _system.StartOf(_cells[length - 1]))
            length--;
        return [.. MemoryMarshal.AsBytes<TLocal>(locals), .. MemoryMarshal.AsBytes(values.AsSpan(0, length))];
    }

    private int NumberOf(Cell cell)
    {
        if (_numbers.TryGetValue(cell, out int number))
            return number;
        number = _cells.Count;
        _numbers.Add(cell, number);
        _cells.Add(cell);
        return number;
    }

    private sealed class State(TinyExplorer<TLocal> explorer, TLocal[] locals, ulong[] values) : ISystemState<TLocal>
    {
        public TLocal[] Locals => locals;

        public ulong[] Values { get; private set; } = values;

        public bool Wrote { get; private set; }

        public IReadOnlyList<Cell> Cells => explorer._cells;

        public ref TLocal Local(int agent) => ref locals[agent];

        public ulong Read(Cell cell) =>
            explorer._numbers.TryGetValue(cell, out int number) && number < Values.Length ? Values[number] : explorer._system.StartOf(cell);

        public void Write(Cell cell, ulong value)
        {
            if (Read(cell) == value)
                return;
            int number = explorer.NumberOf(cell);
            int had = Values.Length;
            ulong[] grown = Values;
            Array.Resize(ref grown, Math.Max(had, number + 1));
            if (ReferenceEquals(grown, Values))
                grown = (ulong[])Values.Clone();
            for (int i = had; i < grown.Length; i++)
                grown[i] = explorer._system.StartOf(explorer._cells[i]);
            grown[number] = value;
            Values = grown;
            Wrote = true;
        }
    }

    private sealed class BytesComparer : IEqualityComparer<byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] bytes)
        {
            var hash = new HashCode();
            hash.AddBytes(bytes);
            return hash.ToHashCode();
        }
    }
}
