using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using Xunit;

namespace TdxVerify.Tests.Hardware;

/// <summary>
/// A port that answers from a recording, event by event, and checks that it is asked what was recorded. One answer
/// can be replaced by a result of the port itself.
/// </summary>
internal sealed class RecordedPort(TraceFile recording) : IPort, IChoiceOracle
{
    private readonly TraceEvent[] _events = [.. recording.Sequences.SelectMany(sequence => sequence.Events)];
    private int _next;

    public string Name => recording.Header.Implementation;

    public PlatformInfo Platform { get; set; } = recording.Header.Platform;

    public bool SupportsThreads => false;

    /// <summary>The line of the event that gets <see cref="Result"/> instead of its answer; 0: none does.</summary>
    public int ResultLine { get; init; }

    public PortResult Result { get; init; }

    /// <summary>What the port was told of each call, in order.</summary>
    public List<ulong> Observed { get; } = [];

    public void Observe(ulong rax) => Observed.Add(rax);

    public void Restart()
    {
        _next = 0;
        Observed.Clear();
        Observed.EnsureCapacity(_events.Length);
    }

    public PortResult Reset() => ResultOf(Next(TraceEventKind.Reset));

    public PortResult Seamcall(int lp, ref RegisterFile registers) => Call(TraceEventKind.Seamcall, lp, ref registers, out _);

    public PortResult EnterBegin(int lp, ref RegisterFile registers, out bool running) =>
        Call(TraceEventKind.Enter, lp, ref registers, out running);

    public PortResult EnterEnd(int lp, ref RegisterFile registers) => Call(TraceEventKind.Exit, lp, ref registers, out _);

    public PortResult GuestSubmit(ulong tdvprHpa, in GuestOperation operation)
    {
        ref readonly TraceEvent e = ref Next(TraceEventKind.Guest);
        Expect(e.Hpa == tdvprHpa && e.Operation == operation.Kind && e.Access == operation.Access && e.Rip == operation.Rip
            && e.Gpa == operation.Gpa && e.Input == operation.Registers, e);
        return ResultOf(e);
    }

    public PortResult GuestResult(ulong tdvprHpa, out GuestResult result)
    {
        ref readonly TraceEvent e = ref Next(TraceEventKind.GuestResult);
        Expect(e.Hpa == tdvprHpa, e);
        // Where the recording has no registers, those of the port have no meaning.
        result = new GuestResult
        {
            Completed = e.Completed,
            VirtualizationException = e.VirtualizationException,
            Registers = e.HasOutput ? e.Output : new RegisterFile { Rax = 0xBAD },
        };
        return ResultOf(e);
    }

    public PortResult MemoryWrite(ulong hpa, ReadOnlySpan<byte> data)
    {
        ref readonly TraceEvent e = ref Next(TraceEventKind.Write);
        bool same = e.Data is null
            ? data.Length == e.Length && !data.ContainsAnyExcept(e.Fill)
            : data.SequenceEqual(e.Data);
        Expect(e.Hpa == hpa && same, e);
        return ResultOf(e);
    }

    public PortResult MemoryRead(ulong hpa, Span<byte> data) => PortResult.NotSupported;

    public PortResult Interrupt(bool pending)
    {
        ref readonly TraceEvent e = ref Next(TraceEventKind.Interrupt);
        Expect(e.Pending == pending, e);
        return ResultOf(e);
    }

    public PortResult Lock(in LockOperation operation)
    {
        ref readonly TraceEvent e = ref Next(TraceEventKind.Lock);
        Expect(e.Lock == operation, e);
        return ResultOf(e);
    }

    public PortResult Unlock(in LockOperation operation)
    {
        ref readonly TraceEvent e = ref Next(TraceEventKind.Unlock);
        Expect(e.Lock == operation, e);
        return ResultOf(e);
    }

    public void Dispose()
    {
    }

    private PortResult Call(TraceEventKind kind, int lp, ref RegisterFile registers, out bool running)
    {
        ref readonly TraceEvent e = ref Next(kind);
        Expect(e.Lp == lp && e.Input == registers, e);
        running = e.Running;
        if (!running)
            registers = e.Output;
        return ResultOf(e);
    }

    private PortResult ResultOf(in TraceEvent e)
    {
        if (e.Line == ResultLine)
            return Result;
        return e.Kind is TraceEventKind.Lock or TraceEventKind.Unlock && !e.Ok ? PortResult.Busy : PortResult.Ok;
    }

    private ref readonly TraceEvent Next(TraceEventKind kind)
    {
        ref readonly TraceEvent e = ref _events[_next++];
        Expect(e.Kind == kind, e);
        return ref e;
    }

    private static void Expect(bool asRecorded, in TraceEvent e)
    {
        if (!asRecorded)
            Assert.Fail($"Line {e.Line} was not replayed as recorded: {TraceEventText.Describe(e)}");
    }
}
