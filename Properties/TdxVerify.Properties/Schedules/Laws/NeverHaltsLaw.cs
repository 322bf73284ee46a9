using TdxVerify.Model;

namespace TdxVerify.Properties.Schedules.Laws;

/// <summary>
/// No interleaving halts the module. It does not hold of module 1.5.01 and 1.5.05 (contention/anomalies.md, F1), so it
/// is judged only where it is asked for.
/// </summary>
public sealed class NeverHaltsLaw() : InterleavingLaw(LawName, "No interleaving of calls halts the module.")
{
    /// <summary>Its name.</summary>
    public const string LawName = "module-never-halts";

    /// <inheritdoc/>
    public override string? AfterStep(ConcurrentView view)
    {
        Judged++;
        return view.Agents[view.Current].Phase == AgentPhase.Halted ? "the module halts" : null;
    }
}
