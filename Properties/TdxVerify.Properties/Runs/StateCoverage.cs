using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Laws;

namespace TdxVerify.Properties.Runs;

/// <summary>How often each leaf met an S-EPT entry in each state.</summary>
public sealed class StateCoverage
{
    private readonly LeafSet<ObservedState> _leaves;
    private readonly int[] _walkStep;
    private readonly long[] _counts;
    private static readonly int s_states = Enum.GetValues<SeptState>().Length;

    /// <summary>Counts for the leaves of a model.</summary>
    public StateCoverage(LeafSet<ObservedState> leaves)
    {
        _leaves = leaves;
        _counts = new long[leaves.All.Count * s_states];
        _walkStep = [.. leaves.All.Select(leaf => leaf.Steps.ToList().FindIndex(step => step.Text.Contains("S-EPT walk", StringComparison.Ordinal)))];
    }

    /// <summary>The leaf met an entry in this state so often.</summary>
    public long this[int leaf, SeptState state] => _counts[(leaf * s_states) + (int)state];

    /// <summary>Adds the counts of another.</summary>
    public void Add(StateCoverage other)
    {
        for (int i = 0; i < _counts.Length; i++)
            _counts[i] += other._counts[i];
    }

    /// <summary>Counts what an event met.</summary>
    public void Count(Observation o)
    {
        if (o.GuestRan)
        {
            Leaf<ObservedState>? leaf = o.Guest.Kind switch
            {
                Abi.GuestOperationKind.Access => _leaves.GuestMemory,
                Abi.GuestOperationKind.Tdcall => _leaves.Guest(o.Model.Machine.OperationOf(o.Guest.Vcpu).Registers.Rax),
                _ => null,
            };
            if (leaf is not null && _walkStep[leaf.Index] >= 0)
                _counts[(leaf.Index * s_states) + (int)o.Guest.Entry.State]++;
        }
        else if (o.Kind == TraceEventKind.Seamcall && o.Deciding is { Leaf: { } host } deciding
            && _walkStep[host.Index] >= 0 && (deciding.Step == 0 || deciding.Step > _walkStep[host.Index]))
        {
            _counts[(host.Index * s_states) + (int)o.Model.Machine.LastCall.Value.State]++;
        }
    }
}
