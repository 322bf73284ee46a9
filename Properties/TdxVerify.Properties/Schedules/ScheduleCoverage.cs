using TdxVerify.Abi;
using TdxVerify.Properties.Contention;

namespace TdxVerify.Properties.Schedules;

/// <summary>What random schedules came across.</summary>
public sealed class ScheduleCoverage
{
    private readonly Dictionary<(string Leaf, string Operand), long> _busy = [];
    private readonly HashSet<(string, string)> _outcomes = [];
    private readonly HashSet<(string, string)> _overlaps = [];
    private readonly HashSet<UInt128> _histories = [];
    private readonly HashSet<UInt128> _finals = [];

    /// <summary>Sets of calls.</summary>
    public long Plans { get; private set; }

    /// <summary>Schedules carried out.</summary>
    public long Schedules { get; private set; }

    /// <summary>Those of them that differ from all others of the same calls in what was done or seen.</summary>
    public long DistinctSchedules { get; private set; }

    /// <summary>States that the same calls ended in, lock words apart, summed over all sets of calls.</summary>
    public long FinalStates { get; private set; }

    /// <summary>Visible steps.</summary>
    public long Steps { get; private set; }

    /// <summary>How often another call went on.</summary>
    public long ContextSwitches { get; private set; }

    /// <summary>Calls.</summary>
    public long Calls { get; private set; }

    /// <summary>Schedules that halted the module.</summary>
    public long Halts { get; private set; }

    /// <summary>Pairs of a leaf and how it ended.</summary>
    public int Outcomes => _outcomes.Count;

    /// <summary>Pairs of leaves of which one made a step while the other was under way.</summary>
    public int Overlaps => _overlaps.Count;

    /// <summary>OPERAND_BUSY by leaf and operand, the most frequent first.</summary>
    public IReadOnlyList<(string Leaf, string Operand, long Count)> Busy =>
        [.. _busy.OrderByDescending(row => row.Value).ThenBy(row => row.Key.Leaf, StringComparer.Ordinal).Select(row => (row.Key.Leaf, row.Key.Operand, row.Value))];

    /// <summary>A new set of calls.</summary>
    public void NextPlan()
    {
        Plans++;
        _histories.Clear();
        _finals.Clear();
    }

    /// <summary>Counts a schedule.</summary>
    public void Add(ConcurrentPlan plan, ScheduleOutcome outcome)
    {
        Schedules++;
        DistinctSchedules += _histories.Add(outcome.History) ? 1 : 0;
        FinalStates += !outcome.Halted && _finals.Add(outcome.FinalState) ? 1 : 0;
        Steps += outcome.Steps;
        ContextSwitches += outcome.ContextSwitches;
        Halts += outcome.Halted ? 1 : 0;
        foreach (CallEnding call in outcome.Calls)
        {
            string leaf = NameOf(plan.Calls[call.Call]);
            if (call.Ended < 0)
                continue;
            Calls++;
            _outcomes.Add((leaf, call.Text));
            if (call.BusyStatus != 0)
                _busy[(leaf, OutcomeNames.Operand(call.BusyStatus))] = _busy.GetValueOrDefault((leaf, OutcomeNames.Operand(call.BusyStatus))) + 1;
            foreach (CallEnding other in outcome.Calls)
            {
                if (other.Began > call.Began && other.Began < call.Ended)
                    _overlaps.Add((leaf, NameOf(plan.Calls[other.Call])));
            }
        }
    }

    /// <summary>Takes over what another worker counted.</summary>
    public void Add(ScheduleCoverage other)
    {
        Plans += other.Plans;
        Schedules += other.Schedules;
        DistinctSchedules += other.DistinctSchedules;
        FinalStates += other.FinalStates;
        Steps += other.Steps;
        ContextSwitches += other.ContextSwitches;
        Calls += other.Calls;
        Halts += other.Halts;
        _outcomes.UnionWith(other._outcomes);
        _overlaps.UnionWith(other._overlaps);
        foreach ((var row, long count) in other._busy)
            _busy[row] = _busy.GetValueOrDefault(row) + count;
    }

    private static string NameOf(ConcurrentCall call)
    {
        string host = ((HostLeaf)LeafNames.Number(call.Registers.Rax)).Name() ?? "unknown leaf";
        return call.Guest is { Operation: GuestOperationKind.Tdcall } guest && ((GuestLeaf)LeafNames.Number(guest.Input.Rax)).Name() is { } tdcall ? $"{host} with {tdcall}" : host;
    }
}
