using TdxVerify.Abi;

namespace TdxVerify.Hardware.Trace;

/// <summary>
/// What earlier events of a sequence mean for a later one: fills in inputs that an event leaves out and outputs that
/// equal their inputs, and refuses events that cannot be (an exit without enter).
/// </summary>
internal sealed class TraceContext(TracePosition position, int lpCount)
{
    private readonly RunningCall[] _lps = new RunningCall[lpCount];
    private readonly Dictionary<ulong, GuestInput> _guests = [];
    private readonly Dictionary<long, int> _calls = [];
    private bool _started;
    private int _sequence = -1;

    private enum Running : byte
    {
        Nothing,
        Vcpu,
        ConcurrentCall,
    }

    // What occupies an LP between two events.
    private struct RunningCall
    {
        public Running What;
        public int Line;
        public long Id;
        public RegisterFile Input;
    }

    private readonly record struct GuestInput(bool IsTdcall, RegisterFile Registers);

    /// <summary>Completes an event.</summary>
    public void Complete(ref TraceEvent e)
    {
        if (e.Kind == TraceEventKind.Reset)
            Reset(ref e);
        else if (!_started)
            throw position.Error("an event before the first reset, expected {\"e\":\"reset\"} after the header");

        e.Sequence = _sequence;
        switch (e.Kind)
        {
            case TraceEventKind.Seamcall:
                ExpectFree(e.Lp);
                break;
            case TraceEventKind.Enter:
                ExpectFree(e.Lp);
                if (e.Running)
                {
                    e.HasOutput = false;
                    e.Listed = default;
                    _lps[e.Lp] = new RunningCall { What = Running.Vcpu, Line = e.Line, Input = e.Input };
                }

                break;
            case TraceEventKind.Exit:
                if (_lps[e.Lp].What != Running.Vcpu)
                    throw position.Error($"an exit on LP {e.Lp}, on which no vCPU runs: expected an enter with running true before it");
                Leave(ref e);
                break;
            case TraceEventKind.Begin:
                Begin(e);
                break;
            case TraceEventKind.End:
                if (_lps[e.Lp].What != Running.ConcurrentCall || _lps[e.Lp].Id != e.Id)
                    throw position.Error($"the end of call {e.Id} on LP {e.Lp}, on which it is not open: expected its begin before it");
                Leave(ref e);
                break;
            case TraceEventKind.Guest:
                _guests[e.Hpa] = new GuestInput(e.Operation == GuestOperationKind.Tdcall, e.Input);
                break;
            case TraceEventKind.GuestResult when e.HasOutput:
                if (!_guests.TryGetValue(e.Hpa, out GuestInput guest) || !guest.IsTdcall)
                    throw position.Error($"out: the latest guest operation of vCPU 0x{e.Hpa:x} is no tdcall, so it returns no registers");
                e.Input = guest.Registers;
                break;
            default:
                break;
        }

        if (e.HasOutput)
            FillOutput(ref e);
    }

    private static void FillOutput(ref TraceEvent e)
    {
        RegisterFile output = e.Input;
        for (int bits = e.Listed.Bits; bits != 0; bits &= bits - 1)
        {
            var register = (Register)System.Numerics.BitOperations.TrailingZeroCount(bits);
            output[register] = e.Output[register];
        }

        e.Output = output;
    }

    private void Reset(ref TraceEvent e)
    {
        if (!e.HasSequence && _sequence == int.MaxValue)
            throw position.Error($"more than {int.MaxValue} sequences");
        _sequence = e.HasSequence ? e.Sequence : _sequence + 1;
        _started = true;
        _lps.AsSpan().Clear();
        _guests.Clear();
        _calls.Clear();
    }

    private void ExpectFree(int lp)
    {
        ref RunningCall call = ref _lps[lp];
        if (call.What == Running.Vcpu)
            throw position.Error($"a call on LP {lp}, which runs a vCPU since the enter on line {call.Line}: expected its exit first");
        if (call.What == Running.ConcurrentCall)
            throw position.Error($"a call on LP {lp}, on which call {call.Id} of line {call.Line} is open: expected its end first");
    }

    private void Begin(in TraceEvent e)
    {
        ExpectFree(e.Lp);
        if (!_calls.TryAdd(e.Id, e.Line))
            throw position.Error($"call {e.Id} began before in this sequence, on line {_calls[e.Id]}: expected a new id");
        _lps[e.Lp] = new RunningCall { What = Running.ConcurrentCall, Line = e.Line, Id = e.Id, Input = e.Input };
    }

    private void Leave(ref TraceEvent e)
    {
        e.Input = _lps[e.Lp].Input;
        _lps[e.Lp].What = Running.Nothing;
    }
}
