using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Properties.Mutants;

/// <summary>Carries out the operations of sequences on one model, or on two to compare their answers. One judge a thread.</summary>
internal sealed class PairJudge(PlatformInfo platform)
{
    private readonly ArraysState _first = new(platform);
    private readonly ArraysState _second = new(platform);

    /// <summary>Some operation is answered differently.</summary>
    public bool Differ(LeafSet<ArraysState> first, LeafSet<ArraysState> second, IEnumerable<ReachedSequence> sequences)
    {
        var one = new ModelPort<ArraysState>(_first, first);
        var other = new ModelPort<ArraysState>(_second, second);
        return sequences.Any(sequence => Differ(one, other, sequence));
    }

    /// <summary>Carries out the operations on one model.</summary>
    public void Run(LeafSet<ArraysState> leaves, IEnumerable<ReachedSequence> sequences)
    {
        var port = new ModelPort<ArraysState>(_first, leaves);
        foreach (ReachedSequence sequence in sequences)
        {
            for (int i = 0; i < sequence.Events.Length; i++)
            {
                Plan(port, sequence, i);
                CarryOut(port, sequence.Events[i]);
            }
        }
    }

    private static bool Differ(ModelPort<ArraysState> one, ModelPort<ArraysState> other, ReachedSequence sequence)
    {
        for (int i = 0; i < sequence.Events.Length; i++)
        {
            ref readonly TraceEvent e = ref sequence.Events[i];
            Plan(one, sequence, i);
            Plan(other, sequence, i);

            // A model without one of its steps may throw by itself; that says nothing about the second.
            if (!TryCarryOut(one, e, out Answer expected))
                return false;
            if (!TryCarryOut(other, e, out Answer actual) || actual != expected)
                return true;
        }

        return false;
    }

    private static void Plan(ModelPort<ArraysState> port, ReachedSequence sequence, int position)
    {
        var choices = new PlannedChoices(port);
        choices.Plan(sequence.Choices[position], sequence.AlsoFail[position]);
        choices.Observe(Status.TDX_SUCCESS);
    }

    private static bool TryCarryOut(ModelPort<ArraysState> port, in TraceEvent e, out Answer answer)
    {
        answer = default;
        try
        {
            answer = CarryOut(port, e);
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    private static Answer CarryOut(ModelPort<ArraysState> port, in TraceEvent e)
    {
        RegisterFile registers = e.Input;
        bool running = false;
        PortResult result = e.Kind switch
        {
            TraceEventKind.Reset => port.Reset(),
            TraceEventKind.Seamcall => port.Seamcall(e.Lp, ref registers),
            TraceEventKind.Enter => port.EnterBegin(e.Lp, ref registers, out running),
            TraceEventKind.Exit => port.EnterEnd(e.Lp, ref registers),
            TraceEventKind.Guest => port.GuestSubmit(e.Hpa, e.GuestOperation),
            TraceEventKind.Write => port.MemoryWrite(e.Hpa, e.BytesIn(stackalloc byte[e.Length])),
            TraceEventKind.Interrupt => port.Interrupt(e.Pending),
            TraceEventKind.Lock => port.Lock(e.Lock),
            TraceEventKind.Unlock => port.Unlock(e.Lock),
            TraceEventKind.GuestResult => Guest(port, e, out registers),
            _ => PortResult.Ok,
        };
        return new Answer(result, registers, running);
    }

    private static PortResult Guest(ModelPort<ArraysState> port, in TraceEvent e, out RegisterFile registers)
    {
        PortResult known = port.GuestResult(e.Hpa, out GuestResult result);
        registers = result.Registers;
        registers.Rbx = (result.Completed ? 1UL : 0) | (result.VirtualizationException ? 2UL : 0);
        return known;
    }

    private readonly record struct Answer(PortResult Result, RegisterFile Registers, bool Running);
}
