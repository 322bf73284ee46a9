using TdxVerify.Model;

namespace TdxVerify.Host;

/// <summary>What carries out steps for one worker; workers share nothing that changes.</summary>
internal sealed class HostWorker
{
    /// <summary>The state of the module, over <see cref="Cells"/>.</summary>
    public CellState State;

    public HostWorker(HostMachine machine, CellState setUp)
    {
        Cells = new WatchedCells();
        State = setUp;
        State.Cells = Cells;
        Machine = new AgentMachine<CellState>(machine.Leaves, machine.Configuration.SplitsLocks, guestsStay: true);
        Trimmer = new CallTrimmer<CellState>(machine.Leaves);
    }

    /// <summary>Shared state, as the step at hand sees it.</summary>
    public WatchedCells Cells { get; }

    /// <summary>Carries SEAMCALLs out.</summary>
    public AgentMachine<CellState> Machine { get; }

    /// <summary>Clears what calls no longer need.</summary>
    public CallTrimmer<CellState> Trimmer { get; }
}
