using System.Diagnostics;
using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Histories;

namespace TdxVerify.Properties.Threads;

/// <summary>
/// Drives a port from several threads and judges what happened, round by round: some interleaving of the model's steps,
/// consistent with the order of time, must explain every answer.
/// </summary>
public sealed class ThreadsRun : IDisposable
{
    private readonly ThreadsOptions _options;
    private readonly IPort _port;
    private readonly HistoryJudge _judge;
    private readonly Stopwatch _time = new();
    private readonly Stopwatch _judging = new();
    private readonly List<UndecidedHistory> _undecided = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>A run on a port, which stays its owner's.</summary>
    /// <exception cref="InputException">The port cannot be used by threads, or has too few logical processors.</exception>
    public ThreadsRun(IPort port, ThreadsOptions options)
    {
        if (!port.SupportsThreads)
            throw new InputException($"{port.Name} cannot be called by several threads at once; leave --threads out");
        if (options.Threads > port.Platform.LpCount)
            throw new InputException($"--threads: {options.Threads} threads need as many logical processors; {port.Name} has {port.Platform.LpCount}");
        _options = options;
        _port = port;
        _judge = new HistoryJudge(port.Platform, options.MostSteps);
    }

    /// <summary>What happened so far; may be read while the run goes on.</summary>
    public ThreadsFigures Figures { get; private set; } = new();

    /// <summary>A failing history is being made small.</summary>
    public bool IsShrinking { get; private set; }

    /// <summary>Ends the run as soon as the round that is being made is over, judged or not.</summary>
    public void Stop() => _stop.Cancel();

    /// <summary>Runs until the time is over, a history has no explanation (an undecided one is left, and kept), or <see cref="Stop"/>.</summary>
    /// <exception cref="InputException">The port does not carry out a call that it must know.</exception>
    public ThreadsResult Run()
    {
        _time.Start();
        long histories = 0;
        ThreadsFailure? failure = null;
        using (var threads = new PortThreads(_port, _options.Threads))
        {
            while (failure is null && !IsOver)
            {
                int seed = (int)ChoiceStream.SeedOf(_options.Seed, (ulong)histories);
                failure = MakeHistory(new ThreadedHistory(_port, threads, _options.Threads, seed), (int)histories++);
            }
        }

        return new ThreadsResult
        {
            Figures = Figures,
            Histories = histories,
            Seconds = _time.Elapsed.TotalSeconds,
            JudgingSeconds = _judging.Elapsed.TotalSeconds,
            Seed = _options.Seed,
            Failure = failure,
            Undecided = _undecided,
            WasInterrupted = _stop.IsCancellationRequested && failure is null,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private bool IsOver => _stop.IsCancellationRequested || _time.Elapsed >= _options.Time || Figures.Calls >= _options.Calls;

    private ThreadsFailure? MakeHistory(ThreadedHistory history, int number)
    {
        _judge.Reset();
        long end = Figures.Calls + ThreadsOptions.CallsOfHistory;
        history.Start(number);
        int judged = 0;
        while (true)
        {
            ReadOnlySpan<TraceEvent> events = CollectionsMarshal.AsSpan(history.Events)[judged..];
            Figures += ThreadsFigures.Of(events);
            if (history.Result == PortResult.NotSupported || (history.Result != PortResult.Ok && judged == 0))
                throw new InputException($"{_port.Name} answers {history.Result} to a call that a run with threads needs");
            if (history.Result != PortResult.Ok)
                return Died(history);
            if (!TryJudge(history, events, out HistoryFinding? finding))
                return null;
            judged = history.Events.Count;
            if (finding is not null)
                return Shrink(history.Events, finding);
            if (IsOver || Figures.Calls >= end)
                return null;
            history.Round();
        }
    }

    // Where calls overlap densely there can be too many interleavings to look at.
    private bool TryJudge(ThreadedHistory history, ReadOnlySpan<TraceEvent> events, out HistoryFinding? finding)
    {
        finding = null;
        _judging.Start();
        try
        {
            finding = _judge.Judge(events, _stop.Token);
            return true;
        }
        catch (UndecidedHistoryException e)
        {
            _undecided.Add(new UndecidedHistory(e.Message, history.Events));
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        finally
        {
            _judging.Stop();
        }
    }

    private static ThreadsFailure Died(ThreadedHistory history)
    {
        int calls = HistoryShrinker.CallsIn(history.Events);
        return new ThreadsFailure($"the implementation answers {history.Result}: it died, and so would the host", null, history.Events, calls, calls);
    }

    private ThreadsFailure Shrink(List<TraceEvent> events, HistoryFinding finding)
    {
        IsShrinking = true;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        over.CancelAfter(_options.ShrinkTime);
        var shrinker = new HistoryShrinker(_judge, over.Token);
        int made = HistoryShrinker.CallsIn(events[..(finding.Position + 1)]);
        (IReadOnlyList<TraceEvent> smallest, HistoryFinding last) = shrinker.Shrink(events, finding);
        return new ThreadsFailure($"{last.Rejection.Event}: {last.Rejection.Reason}", last, smallest, HistoryShrinker.CallsIn(smallest), made);
    }
}
