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

    // What can be explained is explained with a part of this, nearly always: some steps for each call, and where calls meet
    // densely many more.
    private const long Patience = 500_000;
    private const long PatiencePerEvent = 50;

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

    /// <summary>
    /// Where the last judgement was that there is an explanation: one. The interleaving of visible steps, with the begins and
    /// ends of their calls, from the start of the history.
    /// </summary>
    public IReadOnlyList<HistoryStep> Explanation => _search.Explanation;

    /// <summary>A new history begins, on a fresh platform.</summary>
    public void Reset() => _search.Clear();

    /// <summary>
    /// Judges what follows, together with all before. After a finding the history is over.
    /// </summary>
    /// <param name="events">From the start, or a point where no call is in flight, up to another one.</param>
    /// <param name="stop">Gives it up.</param>
    /// <returns>Null: there is an explanation so far.</returns>
    /// <exception cref="OperationCanceledException">It was given up. The history is over.</exception>
    /// <exception cref="UndecidedHistoryException">There is no answer in as many steps as are allowed. The history is over.</exception>
    /// <exception cref="InputException">The history has what is not judged.</exception>
    public HistoryFinding? Judge(ReadOnlySpan<TraceEvent> events, CancellationToken stop = default)
    {
        _search.Stop = stop;
        _search.Add(events);
        _search.LastStep = _search.Steps + _mostSteps;
        if (IsFoundSoon())
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
            if (explained == all || !IsExplained(explained + 1))
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
            if (IsFoundSoon(events))
                explained = events;
            else
                unexplained = events;
        }

        return explained;
    }

    private bool IsFoundSoon(int events)
    {
        _search.Restart(events);
        return IsFoundSoon();
    }

    private bool IsFoundSoon()
    {
        long last = _search.LastStep;
        _search.LastStep = Math.Min(last, _search.Steps + Patience + (PatiencePerEvent * _search.History.Count));
        bool isFound = _search.IsExplained(Effort.Wide, out _);
        _search.LastStep = last;
        _search.Stop.ThrowIfCancellationRequested();
        return isFound;
    }

    private bool IsExplained(int events)
    {
        _search.Restart(events, Effort.Wide);
        bool isExplained = _search.IsExplained(Effort.Thorough, out bool isDecided);
        _search.Stop.ThrowIfCancellationRequested();
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
