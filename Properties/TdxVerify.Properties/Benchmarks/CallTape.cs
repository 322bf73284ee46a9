using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;

namespace TdxVerify.Properties.Benchmarks;

/// <summary>
/// The inputs of a recording, close together in memory: what is measured is the port, and not how fast some megabytes of
/// events come into the cache.
/// </summary>
internal sealed class CallTape
{
    /// <summary>The inputs of a trace.</summary>
    public CallTape(TraceFile trace) => Sequences = [.. trace.Sequences.Select(sequence => new Sequence(sequence))];

    /// <summary>The sequences.</summary>
    public Sequence[] Sequences { get; }

    /// <summary>The inputs of one sequence.</summary>
    internal sealed class Sequence
    {
        private readonly Input[] _inputs;
        private readonly Other[] _others;

        public Sequence(TraceSequence sequence)
        {
            _inputs = [.. sequence.Events.Select(e => new Input
            {
                Operation = e.GuestOperation, Hpa = e.Hpa, RecordedRax = e.Output.Rax, Kind = e.Kind, Lp = e.Lp,
            })];
            _others = [.. sequence.Events.Where(e => !IsCallOrOperation(e.Kind)).Select(e => new Other
            {
                Lock = e.Lock, Hpa = e.Hpa, Data = e.Data, Pending = e.Pending, Kind = e.Kind,
            })];
        }

        /// <summary>Carries the sequence out, answers not compared, and counts its calls.</summary>
        public long Carry(IPort port, IChoiceOracle? oracle)
        {
            long calls = 0;
            int other = 0;
            foreach (ref readonly Input input in _inputs.AsSpan())
            {
                RegisterFile registers;
                switch (input.Kind)
                {
                    case TraceEventKind.Seamcall:
                        oracle?.Observe(input.RecordedRax);
                        registers = input.Operation.Registers;
                        port.Seamcall(input.Lp, ref registers);
                        calls++;
                        break;
                    case TraceEventKind.Enter:
                        registers = input.Operation.Registers;
                        port.EnterBegin(input.Lp, ref registers, out _);
                        calls++;
                        break;
                    case TraceEventKind.Exit:
                        registers = input.Operation.Registers;
                        port.EnterEnd(input.Lp, ref registers);
                        calls++;
                        break;
                    case TraceEventKind.Guest:
                        port.GuestSubmit(input.Hpa, input.Operation);
                        break;
                    default:
                        CarryOther(port, _others[other++]);
                        break;
                }
            }

            return calls;
        }

        private static bool IsCallOrOperation(TraceEventKind kind) =>
            kind is TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit or TraceEventKind.Guest;

        private static void CarryOther(IPort port, in Other e)
        {
            switch (e.Kind)
            {
                case TraceEventKind.Reset:
                    port.Reset();
                    break;
                case TraceEventKind.Write when e.Data is not null:
                    port.MemoryWrite(e.Hpa, e.Data);
                    break;
                case TraceEventKind.Interrupt:
                    port.Interrupt(e.Pending);
                    break;
                case TraceEventKind.Lock:
                    port.Lock(e.Lock);
                    break;
                case TraceEventKind.Unlock:
                    port.Unlock(e.Lock);
                    break;
                default:
                    break;
            }
        }
    }

    // The registers of a call are those of the operation, as in the event.
    private struct Input
    {
        public GuestOperation Operation;
        public ulong Hpa;
        public ulong RecordedRax;
        public int Lp;
        public TraceEventKind Kind;
    }

    // What the host does besides calls.
    private struct Other
    {
        public LockOperation Lock;
        public ulong Hpa;
        public byte[]? Data;
        public bool Pending;
        public TraceEventKind Kind;
    }
}
