using System.Runtime.ExceptionServices;
using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Histories;

/// <summary>What a history could not be explained by.</summary>
/// <param name="Event">The last event that no explanation of all before allows.</param>
/// <param name="Explained">Events of the sequence that can be explained: those before it.</param>
/// <param name="Possible">What could have been there instead, each as a clause.</param>
public sealed record HistoryFinding(TraceEvent Event, int Explained, IReadOnlyCollection<string> Possible)
{
    /// <summary>In one line.</summary>
    public string Reason => $"no interleaving of the calls explains {(Event.Kind == TraceEventKind.GuestResult ? "this" : $"the answer {new StatusCode(Event.Output.Rax)}")}"
        + $" after the {Explained:#,0} events before it: {string.Join("; ", Possible)}";
}

/// <summary>
/// Judges a trace in which calls overlap: for each sequence some interleaving of the model's steps must explain every
/// answer, BUSY and host priority included. Sequences of one call after the other are replayed as in any trace.
/// </summary>
public sealed class HistoryJudge : IDisposable
{
    // The search goes one frame deeper with every step.
    private const int StackBytes = 1 << 30;

    private readonly ModelPort<ArraysState> _port;
    private readonly PortReplayer _replayer;
    private readonly HistorySearch _search;

    /// <summary>A judge for traces of a platform.</summary>
    public HistoryJudge(PlatformInfo platform)
    {
        _port = ModelPorts.Fast(platform);
        _replayer = new PortReplayer(_port);
        _search = new HistorySearch(platform, LeafSet<BranchingState>.Of(platform.Profile));
    }

    /// <summary>Sequences begun.</summary>
    public long Sequences { get; private set; }

    /// <summary>Events judged.</summary>
    public long Events { get; private set; }

    /// <summary>Calls judged.</summary>
    public long Calls { get; private set; }

    /// <summary>Visible steps made by the search.</summary>
    public long Steps => _search.Steps;

    /// <summary>Judges all sequences; null: all are explained.</summary>
    public (HistoryFinding? Unexplained, ReplayStop? Stop)? Judge(TraceFile trace)
    {
        (HistoryFinding?, ReplayStop?)? found = null;
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    found = JudgeAll(trace);
                }
                catch (Exception e)
                {
                    failure = e;
                }
            },
            StackBytes);
        thread.Start();
        thread.Join();
        if (failure is not null)
            ExceptionDispatchInfo.Capture(failure).Throw();
        return found;
    }

    /// <inheritdoc/>
    public void Dispose() => _port.Dispose();

    private (HistoryFinding?, ReplayStop?)? JudgeAll(TraceFile trace)
    {
        foreach (TraceSequence sequence in trace.Sequences)
        {
            Sequences++;
            if (!sequence.Events.Any(e => e.Kind is TraceEventKind.Begin or TraceEventKind.End))
            {
                foreach (TraceEvent e in sequence.Events)
                {
                    Events++;
                    Calls += IsCall(e.Kind) ? 1 : 0;
                    if (_replayer.Step(e) is { } stop)
                        return (null, stop);
                }

                continue;
            }

            Blame? blame = _search.Judge(sequence);
            int judged = blame?.Event + 1 ?? sequence.Events.Length;
            Events += judged;
            Calls += sequence.Events.Take(judged).Count(e => IsCall(e.Kind));
            if (blame is not null)
                return (new HistoryFinding(blame.Recorded, blame.Event, blame.Possible), null);
        }

        return null;
    }

    private static bool IsCall(TraceEventKind kind) =>
        kind is TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit or TraceEventKind.End;
}
