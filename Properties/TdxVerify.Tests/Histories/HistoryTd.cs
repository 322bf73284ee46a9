using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Tests.Histories;

/// <summary>A TD that can be tracked, recorded by the model, and calls on it that begin and end.</summary>
internal sealed class HistoryTd
{
    private readonly TraceEvent[] _prepared;
    private readonly ulong _tdr;

    private HistoryTd(TraceHeader header, TraceEvent[] prepared, ulong tdr)
    {
        Header = header;
        _prepared = prepared;
        _tdr = tdr;
    }

    public TraceHeader Header { get; }

    /// <summary>The start of a recorded sequence, up to where its calls begin to overlap.</summary>
    public static HistoryTd Build()
    {
        TraceFile trace = Traces.Recordings.Load("concurrent-mem");
        TraceEvent[] prepared = [.. trace.Sequences[0].Events.TakeWhile(e => e.Kind != TraceEventKind.Begin)];
        ulong tdr = prepared.First(e => e.Kind == TraceEventKind.Seamcall && LeafNames.Number(e.Input.Rax) == (ushort)HostLeaf.TDH_MNG_CREATE).Input.Rcx;
        return new HistoryTd(trace.Header, prepared, tdr);
    }

    public IEnumerable<TraceEvent> With(IEnumerable<TraceEvent> calls) => [.. _prepared, .. calls];

    public TraceEvent[] Track(long id, int lp, int time, bool busy)
    {
        (TraceEvent begin, TraceEvent end) = Call(id, lp, busy);
        return [begin, end];
    }

    /// <summary>TDH.MEM.TRACK that succeeds, or is refused the TD epoch lock.</summary>
    public (TraceEvent Begin, TraceEvent End) Call(long id, int lp, bool busy)
    {
        var input = new RegisterFile { Rax = (ulong)HostLeaf.TDH_MEM_TRACK, Rcx = _tdr };
        RegisterFile output = input with { Rax = busy ? Status.TDX_OPERAND_BUSY + (uint)OperandId.TD_EPOCH : 0 };
        var begin = new TraceEvent { Kind = TraceEventKind.Begin, Id = id, Lp = lp, Time = id, Input = input };
        TraceEvent end = begin with { Kind = TraceEventKind.End, Time = id + 100, Output = output, HasOutput = true, Listed = RegisterSet.Differing(input, output).With(Register.Rax) };
        return (begin, end);
    }
}
