using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Histories;

namespace TdxVerify.Properties.Traces;

/// <summary>
/// Judges a trace in which calls overlap: sequences with calls that do as histories, the others as in any trace.
/// </summary>
internal sealed class HistoryTraceJudge : IDisposable
{
    private readonly ModelPort<ArraysState> _port;
    private readonly PortReplayer _replayer;
    private readonly HistoryJudge _judge;

    public HistoryTraceJudge(PlatformInfo platform)
    {
        _port = ModelPorts.Fast(platform);
        _replayer = new PortReplayer(_port);
        _judge = new HistoryJudge(platform);
    }

    public long Sequences { get; private set; }

    public long Events { get; private set; }

    public long Calls { get; private set; }

    /// <summary>Judges all sequences, up to the first that is not accepted.</summary>
    public (TraceOutcome Outcome, TraceFinding? Finding) Judge(TraceFile trace)
    {
        foreach (TraceSequence sequence in trace.Sequences)
        {
            Sequences++;
            bool overlaps = sequence.Events.Any(e => e.Kind is TraceEventKind.Begin or TraceEventKind.End);
            if ((overlaps ? JudgeHistory(sequence) : Replay(sequence)) is { } found)
                return found;
        }

        return (TraceOutcome.Accepted, null);
    }

    public void Dispose() => _port.Dispose();

    private (TraceOutcome, TraceFinding?)? JudgeHistory(TraceSequence sequence)
    {
        _judge.Reset();
        HistoryFinding? found = _judge.Judge(sequence.Events);
        Count(sequence.Events.AsSpan(0, found?.Position + 1 ?? sequence.Events.Length));
        return found is null
            ? null
            : (TraceOutcome.Rejected, new TraceFinding(
                found.Event.Line, found.Event.Sequence, $"{found.Rejection.Event}: {found.Rejection.Reason}", null) { History = found.Rejection });
    }

    private (TraceOutcome, TraceFinding?)? Replay(TraceSequence sequence)
    {
        for (int i = 0; i < sequence.Events.Length; i++)
        {
            Count(sequence.Events.AsSpan(i, 1));
            if (_replayer.Step(sequence.Events[i]) is { } stop)
            {
                return (stop.Verdict == ReplayVerdict.OutOfScope ? TraceOutcome.OutOfScope : TraceOutcome.Rejected,
                    new TraceFinding(stop.Line, stop.Sequence, $"{TraceEventText.Describe(stop.Event)}: {stop.Reason}", null));
            }
        }

        return null;
    }

    private void Count(ReadOnlySpan<TraceEvent> events)
    {
        Events += events.Length;
        foreach (ref readonly TraceEvent e in events)
            Calls += e.Kind is TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit or TraceEventKind.End ? 1 : 0;
    }
}
