namespace TdxVerify.Properties.Histories;

/// <summary>A kind of <see cref="HistoryStep"/>.</summary>
public enum HistoryStepKind
{
    /// <summary>A call begins.</summary>
    Begin,

    /// <summary>The call in flight on a processor makes one visible step.</summary>
    Step,

    /// <summary>A call ends.</summary>
    End,

    /// <summary>An event between calls: what a vCPU is told, what became of it, a write to memory.</summary>
    Event,
}

/// <summary>One step of an interleaving that explains a history.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="Lp">The processor that makes it; of an event between calls <see cref="BetweenCalls"/>.</param>
/// <param name="Of">The place of the event in the history, from 0; of a visible step that of the begin of its call.</param>
public readonly record struct HistoryStep(HistoryStepKind Kind, int Lp, int Of)
{
    /// <summary>In the place of a processor: an event between calls.</summary>
    public const int BetweenCalls = -1;
}
