namespace TdxVerify.Properties.Twins;

/// <summary>What one checker found in a scenario, and what it took.</summary>
/// <param name="Checker">The checker.</param>
/// <param name="States">States stored.</param>
/// <param name="Transitions">Steps between them.</param>
/// <param name="Held">No law and no assertion is broken, and somebody can always go on.</param>
/// <param name="Reached">The cases that occurred, by number, in order.</param>
/// <param name="Seconds">Processor time of the search, building not included.</param>
/// <param name="PeakBytes">How much its memory grew at most.</param>
public sealed record CheckerResult(string Checker, long States, long Transitions, bool Held, IReadOnlyList<int> Reached, double Seconds, long PeakBytes)
{
    /// <summary>Both found the same.</summary>
    public bool Agrees(CheckerResult other) =>
        States == other.States && Transitions == other.Transitions && Held == other.Held && Reached.SequenceEqual(other.Reached);

    /// <summary>States for each second of processor time.</summary>
    public double StatesPerSecond => States / Seconds;

    /// <summary>Memory at the peak for each state stored, table and links included.</summary>
    public double BytesPerState => (double)PeakBytes / States;
}
