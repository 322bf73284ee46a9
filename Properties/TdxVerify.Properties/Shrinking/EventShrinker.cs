using System.Diagnostics;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Shrinking;

/// <summary>
/// Makes a failing sequence of events minimal: takes out events and all that concerns an object, one logical processor
/// instead of several, the first pages and GPAs instead of any, registers that do not matter set to 0. A candidate
/// counts only if it is the same failure (<see cref="RunFailure.IsLike"/>).
/// </summary>
/// <remarks>
/// Why a second shrinker behind the stream's: the stream's works on choices, so that generation stays meaningful, but
/// an operand that was chosen relative to the state cannot be dropped without its choice. Here operands are fixed.
/// </remarks>
/// <param name="runner">Carries candidates out.</param>
/// <param name="budget">The smallest sequence found in this time counts.</param>
/// <param name="stop">True ends it earlier.</param>
public sealed class EventShrinker(EventRunner runner, TimeSpan budget, Func<bool>? stop = null)
{
    private readonly Stopwatch _time = Stopwatch.StartNew();
    private readonly ShrinkPass[] _passes =
    [
        .. Cuts.Long, Cuts.Objects, Cuts.Halves, Simplifications.Parts, Renamings.Of(runner.Model.Platform), .. Cuts.Short, Cuts.Pairs,
        Simplifications.Events, Simplifications.Choices, Simplifications.Locks, Moves.Builders, Moves.Preparations,
    ];

    private RunFailure _failure = new("", "", 0, "");

    private bool IsOver => _time.Elapsed >= budget || stop?.Invoke() == true;

    /// <summary>The smallest sequence found that fails in the same way, with its answers, and how it fails.</summary>
    public (IReadOnlyList<PlannedEvent> Events, RunFailure Failure) Shrink(IReadOnlyList<PlannedEvent> events, RunFailure failure)
    {
        _failure = failure;
        List<PlannedEvent> best = [.. events];
        if (!Breaks(best))
            return (events, failure);
        bool smaller = true;
        while (smaller && !IsOver)
        {
            smaller = false;
            foreach (ShrinkPass pass in _passes)
                smaller |= Carry(pass, ref best);
        }

        var answered = new List<PlannedEvent>();
        return PlanRunner.Run(runner, best, answered) is { } last ? (answered, last) : (best, _failure);
    }

    private bool Carry(ShrinkPass pass, ref List<PlannedEvent> best)
    {
        bool changed = false;
        for (int place = pass.Count(best) - 1; place >= 0 && !IsOver; place = Math.Min(place, pass.Count(best)) - 1)
        {
            if (pass.Candidate(best, place) is not { } candidate || !Breaks(candidate))
                continue;
            best = candidate;
            changed = true;
        }

        return changed;
    }

    private bool Breaks(List<PlannedEvent> candidate)
    {
        if (PlanRunner.Run(runner, candidate) is not { } failure || !failure.IsLike(_failure))
            return false;
        candidate.RemoveRange(failure.Operation + 1, candidate.Count - failure.Operation - 1);
        _failure = failure;
        return true;
    }
}
