using TdxVerify.Abi;
using TdxVerify.Host;
using TdxVerify.Model;
using HostThread = TdxVerify.Host.Thread;

namespace TdxVerify.Tests.Host;

/// <summary>One run of a configuration: agents step when they are told to, the first of several ways is taken.</summary>
internal sealed class HostWalk : ISystemState<HostThread>
{
    private const int MostSteps = 10_000;

    private readonly HostMachine _machine;
    private readonly HostThread[] _threads;
    private readonly Dictionary<Cell, ulong> _cells = [];

    public HostWalk(Configuration configuration)
    {
        _machine = new HostMachine(configuration);
        _threads = [.. Enumerable.Range(0, _machine.Agents.Count).Select(_machine.StartOf)];
    }

    /// <summary>What was reported so far.</summary>
    public HashSet<string> Reported { get; } = [];

    public IReadOnlyList<Cell> Cells => [.. _cells.Keys];

    public ref HostThread Local(int agent) => ref _threads[agent];

    public ulong Read(Cell cell) => _cells.TryGetValue(cell, out ulong value) ? value : _machine.StartOf(cell);

    public void Write(Cell cell, ulong value) => _cells[cell] = value;

    /// <summary>An agent runs alone until it is done, or reports something. False: it does neither, or has to wait.</summary>
    public bool Run(int agent, string until = "")
    {
        for (int i = 0; i < MostSteps; i++)
        {
            SystemStep step = _machine.Step(agent, ref _threads[agent], this, FirstWay.Instance);
            if (step.End == StepEnd.Done)
                return until.Length == 0;
            if (step.End == StepEnd.Blocked)
                return false;
            if (step.Traits.HasFlag(StepTraits.Normalizes))
                ((ISystem<HostThread>)_machine).Normalize(this);
            Reported.UnionWith(_machine.Events.Where((_, e) => (step.Events >> e & 1) != 0).Select(each => each.Name));
            if (until.Length > 0 && Reported.Contains(until))
                return true;
        }

        return false;
    }

    /// <summary>Laws that were broken so far.</summary>
    public IEnumerable<string> Broken => _machine.Events.Where(each => each.Kind == EventKind.Violation && Reported.Contains(each.Name)).Select(each => each.Name);

    /// <summary>The S-EPT entry of a GPA at a level; FREE where the walk ends above it.</summary>
    public SeptState EntryOf(int gpa, int level)
    {
        int table = (int)Read(Cell.Td(TdPages.Tdr, TdField.RootTable));
        for (int at = (int)Read(Cell.Td(TdPages.Tdr, TdField.RootLevel)); ; at--)
        {
            var entry = new SeptEntry(Read(Cell.Entry(new EntryRef(table, SeptLevel.Index(_machine.Pages.Gpa(gpa), at)))));
            if (at == level)
                return entry.State;
            if (entry.State != SeptState.NL_MAPPED)
                return SeptState.FREE;
            table = entry.Target;
        }
    }

    /// <summary>The mirror SPTE of a GPA at a level.</summary>
    public ulong SpteOf(int gpa, int level) => Read(_machine.SpteCell(gpa, level));

    private sealed class FirstWay : IChooser
    {
        public static FirstWay Instance { get; } = new();

        public int Choose(int count) => 0;
    }
}
