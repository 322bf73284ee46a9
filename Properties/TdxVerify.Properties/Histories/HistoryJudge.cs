using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Traces;

namespace TdxVerify.Properties.Histories;

/// <summary>A history that has no explanation.</summary>
/// <param name="Event">The first event that no explanation of those before it allows.</param>
/// <param name="Position">Its place in the sequence, from 0.</param>
/// <param name="Rejection">Why.</param>
public sealed record HistoryFinding(TraceEvent Event, int Position, HistoryRejection Rejection);

/// <summary>
/// Judges a history of calls that overlap: some interleaving of the model's steps must explain every answer, BUSY and
/// host priority included. A history may be given as a whole or piece by piece, while it is made.
/// </summary>
public sealed class HistoryJudge
{
    // Some minutes.
    private const long DefaultMostSteps = 200_000_000;

    private readonly HistorySearch _search;
    private readonly LeafSet<BranchingState> _leaves;
    private readonly long _mostSteps;

    /// <summary>A judge for histories on a platform.</summary>
    /// <param name="platform">The platform.</param>
    /// <param name="mostSteps">Visible steps after which a judgement is given up; a million takes about a second.</param>
    public HistoryJudge(PlatformInfo platform, long mostSteps = DefaultMostSteps)
    {
        _mostSteps = mostSteps;
        _leaves = LeafSet<BranchingState>.Of(platform.Profile);
        _search = new HistorySearch(platform, _leaves);
    }

    /// <summary>Visible steps made so far, for measurements.</summary>
    public long Steps => _search.Steps;

    /// <summary>A new history begins, on a fresh platform.</summary>
    public void Reset() => _search.Clear();

    /// <summary>
    /// Judges what follows, together with all before. After a finding the history is over.
    /// </summary>
    /// <param name="events">From the start, or a point where no call is in flight, up to another one.</param>
    /// <returns>Null: there is an explanation so far.</returns>
    /// <exception cref="UndecidedHistoryException">There is no answer in as many steps as are allowed. The history is over.</exception>
    /// <exception cref="InputException">The history has what is not judged.</exception>
    public HistoryFinding? Judge(ReadOnlySpan<TraceEvent> events)
    {
        _search.Add(events);
        _search.LastStep = _search.Steps + _mostSteps;
        if (IsExplained(Effort.Narrow))
            return null;
        int unexplained = Unexplained();
        return unexplained == _search.History.Count ? null : Explain(unexplained);
    }

    // The first event that no explanation of those before it allows; their number: there is none. Every length that is
    // tried is a prefix: a prefix of what can be explained can be explained.
    private int Unexplained()
    {
        int all = _search.History.Count;
        int explained = _search.Deepest;
        while (explained < all)
        {
            explained = LongestFoundEasily(explained);
            if (explained == all || !IsExplained(explained + 1, Effort.Thorough))
                break;
            explained++;
        }

        // The search stands where a history that goes on has to.
        return explained;
    }

    // Mostly it is soon after where the last search ended.
    private int LongestFoundEasily(int explained)
    {
        int all = _search.History.Count;
        int unexplained = all + 1;
        for (int stride = 1; unexplained - explained > 1; stride *= 2)
        {
            int events = unexplained <= all ? (explained + unexplained) / 2 : Math.Min(explained + stride, all);
            if (IsExplained(events, Effort.Narrow))
                explained = events;
            else
                unexplained = events;
        }

        return explained;
    }

    private bool IsExplained(int events, Effort effort)
    {
        _search.Restart(events, effort == Effort.Thorough ? Effort.Wide : Effort.Narrow);
        return IsExplained(effort);
    }

    private bool IsExplained(Effort effort)
    {
        bool isExplained = _search.IsExplained(effort, out bool isDecided);
        return isDecided ? isExplained : throw new UndecidedHistoryException(_mostSteps);
    }

    private HistoryFinding Explain(int unexplained)
    {
        History history = _search.History;
        bool isComplete = _search.Collect(unexplained, out IReadOnlyList<HistoryCandidate> candidates);
        TraceEvent e = history[unexplained];
        return new HistoryFinding(e, unexplained, new HistoryRejection
        {
            Event = TraceEventText.Describe(e),
            Recorded = AnswerText.Recorded(e),
            GivenBy = [.. GivenBy(e)],
            Explained = unexplained,
            InFlight = [.. InFlightAt(history, unexplained)],
            Candidates = candidates,
            IsComplete = isComplete,
        });
    }

    private IEnumerable<DecidingStep> GivenBy(TraceEvent e)
    {
        if (e.Kind == TraceEventKind.GuestResult || e.Output.Rax == Status.TDX_SUCCESS || _leaves.Host(e.Input.Rax) is not { } leaf)
            yield break;
        for (int step = 1; step <= leaf.Steps.Length; step++)
        {
            if (leaf.Steps[step - 1].Test is not null && RecordedEnd.Gives(leaf.Steps[step - 1].Failure, e.Output.Rax))
                yield return DecidingStep.Of(leaf, step);
        }
    }

    private static IEnumerable<OverlappingCall> InFlightAt(History history, int e)
    {
        for (int begin = 0; begin < e; begin++)
        {
            TraceEvent call = history[begin];
            int end = history.End(begin);
            if (call.Kind != TraceEventKind.Begin || end <= e)
                continue;
            yield return end < history.Count
                ? new OverlappingCall(CallText.Seamcall(call.Lp, call.Input), call.Line, history[end].Line, AnswerText.Recorded(history[end]))
                : new OverlappingCall(CallText.Seamcall(call.Lp, call.Input), call.Line, null, "it does not end");
        }
    }
}
