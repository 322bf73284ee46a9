using TdxVerify.Model;

namespace TdxVerify.Tests.Exploration;

/// <summary>All states of a system by the plainest search there is: states as text in a set.</summary>
internal sealed class PlainSearch
{
    private readonly ISystem<int> _system;

    public PlainSearch(ISystem<int> system)
    {
        _system = system;
        var start = new State([.. system.Agents.Select((_, agent) => system.StartOf(agent))], []);
        var seen = new HashSet<string> { start.ToString() };
        var queue = new Queue<State>([start]);
        while (queue.TryDequeue(out State? state))
            Expand(state, seen, queue);
        States = seen.Count;
    }

    public int States { get; }

    public long Transitions { get; private set; }

    public ulong Events { get; private set; }

    public bool HasStuck { get; private set; }

    private void Expand(State state, HashSet<string> seen, Queue<State> queue)
    {
        bool moved = false;
        bool allDone = true;
        for (int agent = 0; agent < _system.Agents.Count; agent++)
        {
            var choices = new List<(int Made, int Of)>();
            do
            {
                var next = new State([.. state.Locals], new Dictionary<Cell, ulong>(state.Values));
                SystemStep step = _system.Step(agent, ref next.Locals[agent], new Cells(_system, next.Values), new Script(choices));
                allDone &= step.End == StepEnd.Done;
                if (step.End != StepEnd.Moved)
                    continue;
                moved = true;
                Transitions++;
                Events |= step.Events;
                if (!EndsRun(step) && seen.Add(next.ToString()))
                    queue.Enqueue(next);
            }
            while (Advance(choices));
        }

        HasStuck |= !moved && !allDone;
    }

    private bool EndsRun(SystemStep step) => _system.Events.Where((happened, e) => happened.EndsRun && (step.Events >> e & 1) != 0).Any();

    private static bool Advance(List<(int Made, int Of)> choices)
    {
        while (choices.Count > 0)
        {
            (int made, int of) = choices[^1];
            choices.RemoveAt(choices.Count - 1);
            if (made + 1 == of)
                continue;
            choices.Add((made + 1, of));
            return true;
        }

        return false;
    }

    private sealed record State(int[] Locals, Dictionary<Cell, ulong> Values)
    {
        public override string ToString() =>
            string.Join(",", Locals) + "|" + string.Join(",", Values.OrderBy(cell => cell.Key.Key).Select(cell => $"{cell.Key.Key:x}={cell.Value}"));
    }

    private sealed class Cells(ISystem<int> system, Dictionary<Cell, ulong> values) : ICells
    {
        public ulong Read(Cell cell) => values.TryGetValue(cell, out ulong value) ? value : system.StartOf(cell);

        public void Write(Cell cell, ulong value)
        {
            if (value == system.StartOf(cell))
                values.Remove(cell);
            else
                values[cell] = value;
        }
    }

    private sealed class Script(List<(int Made, int Of)> choices) : IChooser
    {
        private int _next;

        public int Choose(int count)
        {
            if (_next == choices.Count)
                choices.Add((0, count));
            return choices[_next++].Made;
        }
    }
}
