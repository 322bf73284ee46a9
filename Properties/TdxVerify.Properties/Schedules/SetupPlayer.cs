using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Schedules;

/// <summary>Prepares a platform: events one after the other, whatever they answer.</summary>
public static class SetupPlayer
{
    /// <summary>Carries the events out on a fresh platform.</summary>
    /// <exception cref="ArgumentException">An event is not a call made whole, nor what prepares one.</exception>
    public static void CarryOut<S>(ModelPort<S> port, IReadOnlyList<PlannedEvent> setup)
        where S : struct, IPlatformState
    {
        port.Reset();
        Span<byte> page = new byte[Hpa.PageSize];
        foreach (PlannedEvent planned in setup)
        {
            TraceEvent e = planned.Event;
            switch (e.Kind)
            {
                case TraceEventKind.Seamcall:
                    if (planned.Choice != ChoicePoint.None)
                        port.FailNext(planned.Choice);
                    RegisterFile registers = e.Input;
                    port.Seamcall(e.Lp, ref registers);
                    port.ClearChoices();
                    break;
                case TraceEventKind.Guest:
                    port.GuestSubmit(e.Hpa, e.GuestOperation);
                    break;
                case TraceEventKind.Write:
                    port.MemoryWrite(e.Hpa, e.BytesIn(page));
                    break;
                case TraceEventKind.Interrupt:
                    port.Interrupt(e.Pending);
                    break;
                default:
                    throw new ArgumentException($"A set-up consists of calls made whole: {e.Kind} is none.", nameof(setup));
            }
        }
    }
}
