using System.Runtime.InteropServices;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Hardware.Replay;

/// <summary>
/// Replays recorded traces on a port and compares all its answers with the recording: all 15 registers of each call,
/// what became of guest operations, whether locks were granted. It stops at the first event that differs.
/// </summary>
/// <remarks>
/// A port that judges (<see cref="IChoiceOracle"/>) is told the recorded RAX before each call; another oracle may be
/// told instead. For the first half of a TDH.VP.ENTER that entered the guest no RAX was recorded: it is told success,
/// since no choice point failed.
/// Nothing is allocated per event.
/// </remarks>
public sealed class PortReplayer(IPort port, IChoiceOracle? oracle = null)
{
    private readonly IChoiceOracle? _oracle = oracle ?? port as IChoiceOracle;
    private readonly byte[] _page = new byte[Hpa.PageSize];

    /// <summary>Sequences begun by the latest replay, one that a damaged file ended included.</summary>
    public long Sequences { get; private set; }

    /// <summary>Events of the latest replay.</summary>
    public long Events { get; private set; }

    /// <summary>Calls of the latest replay.</summary>
    public long Calls { get; private set; }

    /// <summary>Replays what a reader has not yet read.</summary>
    /// <exception cref="TraceException">The file is damaged.</exception>
    public ReplayResult Replay(TraceReader reader)
    {
        Start();
        while (reader.Read())
        {
            if (Step(in reader.Current) is { } stop)
                return Finish(reader.File, reader.Header, stop);
        }

        return Finish(reader.File, reader.Header, null);
    }

    /// <summary>Replays a trace in memory.</summary>
    public ReplayResult Replay(TraceFile trace)
    {
        Start();
        foreach (TraceSequence sequence in trace.Sequences)
        {
            foreach (ref readonly TraceEvent e in sequence.Events.AsSpan())
            {
                if (Step(in e) is { } stop)
                    return Finish(trace.Path, trace.Header, stop);
            }
        }

        return Finish(trace.Path, trace.Header, null);
    }

    /// <summary>Replays one event; null where the port answered as recorded.</summary>
    public ReplayStop? Step(in TraceEvent e)
    {
        Events++;
        switch (e.Kind)
        {
            case TraceEventKind.Seamcall:
                return Seamcall(e);
            case TraceEventKind.Enter:
                return Enter(e);
            case TraceEventKind.Exit:
                return Exit(e);
            case TraceEventKind.Guest:
                return Expect(PortResult.Ok, port.GuestSubmit(e.Hpa, e.GuestOperation), e);
            case TraceEventKind.GuestResult:
                return GuestResult(e);
            case TraceEventKind.Write:
                return Expect(PortResult.Ok, port.MemoryWrite(e.Hpa, e.BytesIn(_page)), e);
            case TraceEventKind.Interrupt:
                return Expect(PortResult.Ok, port.Interrupt(e.Pending), e);
            case TraceEventKind.Lock:
                return Expect(e.Ok ? PortResult.Ok : PortResult.Busy, port.Lock(e.Lock), e);
            case TraceEventKind.Unlock:
                return Expect(e.Ok ? PortResult.Ok : PortResult.Busy, port.Unlock(e.Lock), e);
            case TraceEventKind.Reset:
                Sequences++;
                return Expect(PortResult.Ok, port.Reset(), e);
            case TraceEventKind.Begin:
            case TraceEventKind.End:
                return Stop(ReplayVerdict.OutOfScope, e, "calls overlap here; a replay makes one call after the other");
            default:
                throw new ArgumentException($"No event: {e.Kind}.", nameof(e));
        }
    }

    private void Start()
    {
        Sequences = 0;
        Events = 0;
        Calls = 0;
    }

    private ReplayResult Finish(string file, TraceHeader header, ReplayStop? stop)
    {
        if (stop?.Verdict == ReplayVerdict.Rejected
            && PlatformDifference.Describe(header.Platform, port.Platform) is { } difference)
            stop = stop with { Reason = $"{stop.Reason} (the port's platform is not the recorded one: {difference})" };
        return new ReplayResult(file, stop?.Verdict ?? ReplayVerdict.Accepted, Sequences, Events, Calls, stop);
    }

    private ReplayStop? Seamcall(in TraceEvent e)
    {
        Calls++;
        _oracle?.Observe(e.Output.Rax);
        RegisterFile registers = e.Input;
        PortResult result = port.Seamcall(e.Lp, ref registers);
        return result == PortResult.Ok ? Compare(e, registers) : Refused(PortResult.Ok, result, e);
    }

    private ReplayStop? Enter(in TraceEvent e)
    {
        Calls++;
        _oracle?.Observe(e.Running ? Status.TDX_SUCCESS : e.Output.Rax);
        RegisterFile registers = e.Input;
        PortResult result = port.EnterBegin(e.Lp, ref registers, out bool running);
        if (result != PortResult.Ok)
            return Refused(PortResult.Ok, result, e);
        if (running && !e.Running)
            return Rejected(e, $"the vCPU entered the guest, recorded that the call ended before with {new StatusCode(e.Output.Rax).Name}");
        if (!running && e.Running)
            return Rejected(e, $"the call ended before the entry with {new StatusCode(registers.Rax).Name} (0x{registers.Rax:x}), recorded that the vCPU entered the guest");
        return running ? null : Compare(e, registers);
    }

    private ReplayStop? Exit(in TraceEvent e)
    {
        Calls++;
        _oracle?.Observe(e.Output.Rax);
        RegisterFile registers = e.Input;
        PortResult result = port.EnterEnd(e.Lp, ref registers);
        return result == PortResult.Ok ? Compare(e, registers) : Refused(PortResult.Ok, result, e);
    }

    private ReplayStop? GuestResult(in TraceEvent e)
    {
        PortResult result = port.GuestResult(e.Hpa, out GuestResult guest);
        if (result != PortResult.Ok)
            return Refused(PortResult.Ok, result, e);
        if (guest.Completed != e.Completed)
            return Rejected(e, guest.Completed ? "the operation completed, recorded that it did not" : "the operation did not complete, recorded that it did");
        if (guest.VirtualizationException != e.VirtualizationException)
            return Rejected(e, guest.VirtualizationException ? "a #VE was injected, recorded that none was" : "no #VE was injected, recorded that one was");
        return e.HasOutput ? Compare(e, guest.Registers) : null;
    }

    private static ReplayStop? Compare(in TraceEvent e, in RegisterFile actual) =>
        actual == e.Output ? null : Different(e, actual);

    private static ReplayStop? Expect(PortResult expected, PortResult actual, in TraceEvent e) =>
        actual == expected ? null : Refused(expected, actual, e);

    private static ReplayStop Refused(PortResult expected, PortResult actual, in TraceEvent e) => actual switch
    {
        PortResult.NotSupported => Stop(ReplayVerdict.OutOfScope, e, "the port cannot do this (-ENOSYS)"),
        PortResult.Died => Stop(ReplayVerdict.PortDied, e, "the implementation behind the port died (-EIO)"),
        PortResult.Ok => Rejected(e, "the lock was granted, recorded that it was refused"),
        PortResult.Busy when e.Kind is TraceEventKind.Lock or TraceEventKind.Unlock =>
            Rejected(e, "the lock was refused, recorded that it was granted"),
        PortResult.Invalid when e.Kind == TraceEventKind.Lock =>
            Rejected(e, $"there is no such object to lock (-EINVAL), recorded that the lock was {(expected == PortResult.Ok ? "granted" : "refused")}"),
        PortResult.Invalid => Rejected(e, "the port knows no such logical processor, page or object (-EINVAL)"),
        _ => Rejected(e, $"the port failed with {(int)actual}: {Marshal.GetPInvokeErrorMessage(-(int)actual)}"),
    };

    private static ReplayStop Different(in TraceEvent e, in RegisterFile actual)
    {
        var differences = new List<RegisterDifference>();
        foreach (Register register in RegisterFile.All)
        {
            if (actual[register] != e.Output[register])
                differences.Add(new RegisterDifference(register, e.Output[register], actual[register]));
        }

        return new ReplayStop(ReplayVerdict.Rejected, e, string.Join("; ", differences), differences, actual);
    }

    private static ReplayStop Rejected(in TraceEvent e, string reason) => Stop(ReplayVerdict.Rejected, e, reason);

    private static ReplayStop Stop(ReplayVerdict verdict, in TraceEvent e, string reason) =>
        new(verdict, e, reason, [], null);
}
