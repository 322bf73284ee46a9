using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Sweeps;

/// <summary>A sweep of one sequence, written down as a script.</summary>
/// <param name="name">What it goes through.</param>
/// <param name="script">Carries it out.</param>
internal sealed class ScriptedSweep(string name, Action<SweepRunner> script) : ISweep
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public bool IsDone { get; private set; }

    /// <inheritdoc/>
    public RunFailure? Run(EventRunner events, List<PlannedEvent> record)
    {
        events.Reset();
        var run = new SweepRunner(events, record);
        script(run);
        IsDone = true;
        return run.Failure;
    }
}
