using TdxVerify.Model;

namespace TdxVerify.Properties.Schedules;

/// <summary>What laws see of a run of overlapping calls: the shared state, and each processor with its call in flight.</summary>
public sealed class ConcurrentView
{
    private readonly ModelPort<BranchingState> _port;
    private int _seen;

    internal ConcurrentView(ModelPort<BranchingState> port, Agent[] agents)
    {
        _port = port;
        Agents = agents;
    }

    /// <summary>The state.</summary>
    public ref BranchingState State => ref _port.Machine.State;

    /// <summary>The processors, by number.</summary>
    public Agent[] Agents { get; }

    /// <summary>The processor that made the last step.</summary>
    public int Current { get; internal set; }

    /// <summary>All that was written since the run began.</summary>
    public ReadOnlySpan<Change> Changes => State.Changes;

    /// <summary>What the last step wrote.</summary>
    public ReadOnlySpan<Change> LastChanges => State.Changes[_seen..];

    internal void Begin() => _seen = 0;

    internal void StepIsOver() => _seen = State.Mark;
}
