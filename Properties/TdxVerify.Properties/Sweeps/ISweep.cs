using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Sweeps;

/// <summary>Sequences that go through cases one after the other, where random ones would hardly ever come.</summary>
internal interface ISweep
{
    /// <summary>What it goes through.</summary>
    string Name { get; }

    /// <summary>There are no more sequences.</summary>
    bool IsDone { get; }

    /// <summary>Carries out the next sequence, on a fresh platform.</summary>
    /// <returns>The first broken law; null: all held.</returns>
    RunFailure? Run(EventRunner events, List<PlannedEvent> record);
}
