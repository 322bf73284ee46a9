namespace TdxVerify.Properties.Exploration;

/// <summary>How far a search is.</summary>
/// <param name="States">States found.</param>
/// <param name="Transitions">Steps made, those to known states included.</param>
/// <param name="Depth">Levels expanded.</param>
/// <param name="Frontier">States of the level that is being expanded.</param>
/// <param name="Bytes">Bytes of states and table.</param>
/// <param name="Elapsed">Time since the start.</param>
public readonly record struct SearchProgress(long States, long Transitions, int Depth, long Frontier, long Bytes, TimeSpan Elapsed)
{
    /// <summary>States for each second so far.</summary>
    public double StatesPerSecond => States / Math.Max(Elapsed.TotalSeconds, 0.001);

    /// <summary>Bytes of each state, table and links included.</summary>
    public double BytesPerState => (double)Bytes / Math.Max(States, 1);
}
