using TdxVerify.Properties.Schedules;

namespace TdxVerify.Properties.Contention;

/// <summary>Why a schedule was looked for.</summary>
public enum WitnessOf
{
    /// <summary>The first call returns OPERAND_BUSY.</summary>
    BusyA,

    /// <summary>The second call returns OPERAND_BUSY.</summary>
    BusyB,

    /// <summary>An outcome that neither order of the calls gives.</summary>
    NotSerializable,

    /// <summary>The module halts.</summary>
    Halt,
}

/// <summary>
/// A schedule with the fewest switches between the two calls, and of these one with the fewest visible steps.
/// </summary>
/// <param name="Of">What it shows.</param>
/// <param name="What">The operand of OPERAND_BUSY, or the outcome as in contention.csv.</param>
/// <param name="Runs">Who makes how many steps.</param>
public sealed record PairWitness(WitnessOf Of, string What, IReadOnlyList<ScheduleRun> Runs)
{
    /// <summary>How often the other call goes on.</summary>
    public int ContextSwitches => Runs.Count - 1;

    /// <summary>Visible steps.</summary>
    public int Steps => Runs.Sum(run => run.Steps);
}
