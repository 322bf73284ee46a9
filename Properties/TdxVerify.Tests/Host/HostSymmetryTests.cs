using TdxVerify.Host;
using TdxVerify.Model;
using Xunit;
using HostThread = TdxVerify.Host.Thread;

namespace TdxVerify.Tests.Host;

public sealed class HostSymmetryTests
{
    private const int StatesLookedAt = 600;

    private static readonly GuestCode s_accepts = GuestCode.Named("accepts")
        .At("accept", GuestOp.Accept(0)).On(When.Success, "spin").Otherwise("accept")
        .At("spin", GuestOp.Spin).Next("spin")
        .Build();

    public static TheoryData<string, int> Configurations => new()
    {
        { "two vCPUs and a tracker that kicks", 1 },
        { "two GPAs, each with its mapper", 1 },
        { "two vCPUs whose guests accept the GPA that the other does not", 1 },
        { "three vCPUs", 5 },
        { "two vCPUs that are kicked in order", 0 },
        { "two vCPUs with different programs", 0 },
    };

    [Theory]
    [MemberData(nameof(Configurations))]
    public void A_renamed_agent_does_the_same_in_a_renamed_state(string name, int renamings)
    {
        var machine = new HostMachine(Of(name));
        var symmetry = new HostSymmetry(machine);
        Assert.Equal(renamings, symmetry.Count);
        if (renamings == 0)
            return;
        var explorer = new TinyExplorer<HostThread>(machine);
        explorer.Explore(StatesLookedAt);
        Cell[] cells = [.. explorer[0].Cells];
        int moved = 0;
        for (int number = 0; number < explorer.States; number += 9)
        {
            for (int renaming = 0; renaming < symmetry.Count; renaming++)
            {
                for (int agent = 0; agent < machine.Agents.Count; agent++)
                    moved += Commutes(machine, symmetry, renaming, explorer[number], cells, agent) ? 1 : 0;
            }
        }

        Assert.True(moved > 100, "too few steps were compared");
    }

    // Step, then rename; rename, then step: the same ways to go on.
    private static bool Commutes(HostMachine machine, HostSymmetry symmetry, int renaming, ISystemState<HostThread> state, Cell[] cells, int agent)
    {
        var before = new Snapshot(machine, state, cells);
        HashSet<string> steppedFirst = [.. Outcomes(machine, before, agent).Select(way => $"{way.Step.End} {way.Step.Traits} {way.After.Renamed(symmetry, renaming)}")];
        HashSet<string> renamedFirst =
            [.. Outcomes(machine, before.Renamed(symmetry, renaming), symmetry.Rename(renaming, agent)).Select(way => $"{way.Step.End} {way.Step.Traits} {way.After}")];
        Assert.Equal(steppedFirst.Order(StringComparer.Ordinal), renamedFirst.Order(StringComparer.Ordinal));
        return before.Renamed(symmetry, renaming).ToString() != before.ToString();
    }

    private static List<(SystemStep Step, Snapshot After)> Outcomes(HostMachine machine, Snapshot before, int agent)
    {
        List<(SystemStep, Snapshot)> outcomes = [];
        var chooser = new ScriptedChooser();
        do
        {
            chooser.Restart();
            Snapshot after = before.Copy();
            outcomes.Add((machine.Step(agent, ref after.Locals[agent], after, chooser), after));
        }
        while (chooser.MoveNext());
        return outcomes;
    }

    private static Configuration Of(string name) => name switch
    {
        "two vCPUs and a tracker that kicks" => TwoVcpus(SmallPrograms.EnterWithMode) with { KicksInAnyOrder = true },
        "two vCPUs that are kicked in order" => TwoVcpus(SmallPrograms.EnterWithMode),
        "two vCPUs with different programs" => TwoVcpus(SmallPrograms.EnterLoop) with { KicksInAnyOrder = true },
        "three vCPUs" => new Configuration(name)
        {
            Td = new TdLayout { Vcpus = 3 },
            Agents = [.. Enumerable.Range(0, 3).Select(i => HostAgent.OfVcpu(i, SmallPrograms.EnterLoop))],
            Laws = HostLaws.Locks,
        },
        "two GPAs, each with its mapper" => new Configuration(name)
        {
            Td = new TdLayout { Gpas = GpaLayout.Many(2, GpaStart.Free) },
            Agents = [.. Enumerable.Range(0, 2).Select(i => new HostAgent($"mapper {i}", SmallPrograms.MapAndRemove) { Lp = i + 1, Gpas = [i] })],
            Laws = HostLaws.Locks,
        },
        _ => new Configuration(name)
        {
            Td = new TdLayout { Vcpus = 2, Gpas = GpaLayout.Many(2, GpaStart.Pending) },
            Guests = [s_accepts, Accepts(1)],
            Agents = [.. Enumerable.Range(0, 2).Select(i => HostAgent.OfVcpu(i, SmallPrograms.EnterLoop))],
        },
    };

    private static GuestCode Accepts(int gpa) => GuestCode.Named("accepts")
        .At("accept", GuestOp.Accept(gpa)).On(When.Success, "spin").Otherwise("accept")
        .At("spin", GuestOp.Spin).Next("spin")
        .Build();

    private static Configuration TwoVcpus(HostProgram second) => new("two vCPUs")
    {
        Td = new TdLayout { Vcpus = 2 },
        Guests = [GuestCode.Spins, GuestCode.Spins],
        Agents =
        [
            HostAgent.OfVcpu(0, SmallPrograms.EnterWithMode),
            HostAgent.OfVcpu(1, second),
            new HostAgent("kicker", SmallPrograms.Kicker) { Lp = 2 },
        ],
    };

    private sealed class Snapshot : ICells
    {
        private readonly HostMachine _machine;
        private readonly Dictionary<Cell, ulong> _values = [];

        public Snapshot(HostMachine machine, ISystemState<HostThread> state, IEnumerable<Cell> cells)
            : this(machine)
        {
            for (int agent = 0; agent < Locals.Length; agent++)
                Locals[agent] = state.Local(agent);
            foreach (Cell cell in cells)
                _values[cell] = state.Read(cell);
        }

        private Snapshot(HostMachine machine)
        {
            _machine = machine;
            Locals = new HostThread[machine.Agents.Count];
        }

        public HostThread[] Locals { get; }

        public Snapshot Copy()
        {
            var copy = new Snapshot(_machine);
            Locals.CopyTo(copy.Locals, 0);
            foreach ((Cell cell, ulong value) in _values)
                copy._values.Add(cell, value);
            return copy;
        }

        public Snapshot Renamed(HostSymmetry symmetry, int renaming)
        {
            var renamed = new Snapshot(_machine);
            foreach ((Cell cell, ulong value) in _values)
                renamed._values[symmetry.Rename(renaming, cell)] = symmetry.Rename(renaming, cell, value);
            for (int agent = 0; agent < Locals.Length; agent++)
            {
                HostThread local = Locals[agent];
                symmetry.Rename(renaming, ref local);
                renamed.Locals[symmetry.Rename(renaming, agent)] = local;
            }

            return renamed;
        }

        public ulong Read(Cell cell) => _values.TryGetValue(cell, out ulong value) ? value : _machine.StartOf(cell);

        public void Write(Cell cell, ulong value) => _values[cell] = value;

        public override string ToString() => string.Join('\n', Locals.Select(StateText.Of)) + string.Concat(
            _values.Where(cell => cell.Value != _machine.StartOf(cell.Key)).OrderBy(cell => cell.Key.Key).Select(cell => $"\n{cell.Key} = {cell.Value:x}"));
    }
}
