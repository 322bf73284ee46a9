using TdxVerify.Properties.Traces;

namespace TdxVerify.Properties.Histories;

/// <summary>Why a history has no explanation: up to where there is one, and what could have been there instead.</summary>
public sealed record HistoryRejection
{
    /// <summary>The event that no explanation of those before it allows, such as <c>call 4 ends: LP 1: TDH.MEM.TRACK TD 0x100000000</c>.</summary>
    public required string Event { get; init; }

    /// <summary>What it says, decoded.</summary>
    public required string Recorded { get; init; }

    /// <summary>The steps that give the recorded status; none for a success, or where its leaf never gives it.</summary>
    public required IReadOnlyList<DecidingStep> GivenBy { get; init; }

    /// <summary>Events of the sequence before it: the longest prefix that can be explained.</summary>
    public required int Explained { get; init; }

    /// <summary>The other calls in flight at that event, with what they are recorded to answer.</summary>
    public required IReadOnlyList<OverlappingCall> InFlight { get; init; }

    /// <summary>What the explanations of the prefix allow instead, the most frequent first.</summary>
    public required IReadOnlyList<HistoryCandidate> Candidates { get; init; }

    /// <summary>There is no other candidate; false: not all explanations of the prefix were gone through.</summary>
    public required bool IsComplete { get; init; }

    /// <summary>In one line.</summary>
    public string Reason
    {
        get
        {
            string instead = string.Join("; ", Candidates.Select(candidate => candidate.Answer));
            return $"no interleaving of the calls explains {Recorded} after the {Explained:#,0} events before it; possible: {(instead.Length > 0 ? instead : "none")}";
        }
    }
}

/// <summary>A call in flight.</summary>
/// <param name="Call">The call, such as <c>LP 0: TDH.MEM.TRACK TD 0x100000000</c>.</param>
/// <param name="BeginLine">The line of its begin; 0: from no file.</param>
/// <param name="EndLine">The line of its end; null: it does not end.</param>
/// <param name="Answer">Its recorded answer, decoded.</param>
public sealed record OverlappingCall(string Call, int BeginLine, int? EndLine, string Answer);

/// <summary>What could have been in the place of an event that has no explanation.</summary>
public sealed record HistoryCandidate
{
    /// <summary>The answer, decoded.</summary>
    public required string Answer { get; init; }

    /// <summary>In how many different states that explain the prefix it is given.</summary>
    public required int States { get; init; }

    /// <summary>The step by which it is decided; null where the event is no call that returns a status.</summary>
    public required DecidingStep? Deciding { get; init; }

    /// <summary>Where a lock was refused: the calls in flight that held it.</summary>
    public required IReadOnlyList<string> HeldBy { get; init; }

    /// <summary>The registers in which it differs from what is recorded.</summary>
    public required IReadOnlyList<ComparedRegister> Registers { get; init; }

    /// <summary>How far the other calls are in the first of these states.</summary>
    public required IReadOnlyList<string> Others { get; init; }
}
