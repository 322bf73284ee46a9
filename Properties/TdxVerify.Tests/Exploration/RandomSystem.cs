using TdxVerify.Model;

namespace TdxVerify.Tests.Exploration;

/// <summary>
/// A small random system: each agent has a few places, and at each it reads one or two cells, chooses, writes, reports,
/// waits or ends. Agents of one group run the same program on cells of their own and on common ones, so they are
/// interchangeable.
/// </summary>
internal sealed class RandomSystem : ISystem<int>, ISymmetry<int>
{
    private const int Values = 3;
    private const int Places = 5;
    private const int OwnCells = 2;
    private const int CommonCells = 2;
    private const int EventCount = 12;

    // In half of the systems nothing follows this event.
    private const int LastEvent = 5;
    private readonly int _group;
    private readonly int _seed;
    private readonly int[][] _renamings;

    public RandomSystem(int seed)
    {
        _seed = seed;
        var random = new Random(seed);
        int agents = random.Next(2, 4);
        _group = random.Next(1, agents + 1);
        Agents = [.. Enumerable.Range(0, agents).Select(agent => $"agent {agent}")];
        Events = [.. Enumerable.Range(0, EventCount).Select(e => new SystemEvent($"event {e}", e < 6 ? EventKind.Sometimes : EventKind.Progress, e - 6, EndsRun: e == LastEvent && seed % 2 == 0))];
        _renamings = [.. Permutations([.. Enumerable.Range(0, _group)]).Skip(1)];
    }

    public IReadOnlyList<string> Agents { get; }

    public IReadOnlyList<SystemEvent> Events { get; }

    public int Count => _renamings.Length;

    public static Cell Own(int agent, int number) => new(ChangeKind.Host, agent + 1, number);

    public static Cell Common(int number) => new(ChangeKind.Host, 0, number);

    public int StartOf(int agent) => 0;

    public ulong StartOf(Cell cell) => cell.Object == 0 ? 1UL : 0;

    public SystemStep Step(int agent, ref int local, ICells cells, IChooser chooser)
    {
        int program = agent < _group ? 0 : agent;
        Random at = Dice(program, local, 0);
        if (at.Next(12) == 0)
            return new SystemStep(StepEnd.Done);
        int found = (int)cells.Read(Pick(at, agent));
        if (at.Next(3) == 0)
            found = (found * Values) + (int)cells.Read(Pick(at, agent));
        Random then = Dice(program, local, 1 + found);
        if (then.Next(6) == 0)
            return new SystemStep(StepEnd.Blocked);
        if (then.Next(5) == 0)
            then = Dice(program, local, 100 + (10 * found) + chooser.Choose(2));
        local = then.Next(Places);
        for (int writes = then.Next(3); writes > 0; writes--)
            cells.Write(Pick(then, agent), (ulong)then.Next(Values));
        return new SystemStep(StepEnd.Moved, then.Next(4) == 0 ? 1UL << then.Next(6) : 0);
    }

    public int Rename(int renaming, int agent) => agent < _group ? _renamings[renaming][agent] : agent;

    public Cell Rename(int renaming, Cell cell) => cell.Object == 0 ? cell : Own(Rename(renaming, cell.Object - 1), cell.Position);

    public ulong Rename(int renaming, Cell cell, ulong value) => value;

    public void Rename(int renaming, ref int local)
    {
    }

    private static Cell Pick(Random random, int agent) =>
        random.Next(2) == 0 ? Own(agent, random.Next(OwnCells)) : Common(random.Next(CommonCells));

    private static IEnumerable<int[]> Permutations(int[] names) => names.Length == 0
        ? [[]]
        : names.SelectMany(first => Permutations([.. names.Where(name => name != first)]).Select(rest => (int[])[first, .. rest]));

    // What happens at a place depends on the program, the place and what was found there, on nothing else.
    private Random Dice(int program, int place, int found) => new((((((_seed * 31) + program) * 31) + place) * 1009) + found);
}
