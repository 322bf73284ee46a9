using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Benchmarks;

namespace TdxVerify.Benchmarks;

/// <summary>
/// A running TD out of the built-in recording, up to a TDH.MEM.TRACK that succeeds again and again, since no vCPU is in
/// the guest: a call that can be measured.
/// </summary>
internal static class RecordedTd
{
    private static readonly TraceFile s_trace = Load();

    /// <summary>The platform of the recording.</summary>
    public static PlatformInfo Platform => s_trace.Header.Platform;

    /// <summary>From the reset to the call, which is the last event.</summary>
    public static TraceSequence Sequence { get; } = Find();

    /// <summary>The call.</summary>
    public static TraceEvent Call => Sequence.Events[^1];

    /// <summary>Carries the sequence out.</summary>
    public static void Build(IPort port)
    {
        var replayer = new PortReplayer(port);
        foreach (TraceEvent e in Sequence.Events)
            Require(replayer, e);
    }

    private static TraceSequence Find()
    {
        ModelPort<ArraysState> port = ModelPorts.Fast(Platform);
        var replayer = new PortReplayer(port);
        foreach (TraceSequence sequence in s_trace.Sequences)
        {
            for (int i = 0; i < sequence.Events.Length; i++)
            {
                TraceEvent e = sequence.Events[i];
                Require(replayer, e);
                if (e.Kind != TraceEventKind.Seamcall || LeafNames.Number(e.Input.Rax) != (ushort)HostLeaf.TDH_MEM_TRACK || e.Output.Rax != 0)
                    continue;
                if (Succeeds(port, e) && Succeeds(port, e))
                    return new TraceSequence(sequence.Events[..(i + 1)]);
                break;
            }
        }

        throw new InvalidOperationException("The built-in recording has no TDH.MEM.TRACK that succeeds again and again.");
    }

    private static bool Succeeds(ModelPort<ArraysState> port, in TraceEvent e)
    {
        RegisterFile registers = e.Input;
        return port.Seamcall(e.Lp, ref registers) == PortResult.Ok && registers.Rax == Status.TDX_SUCCESS;
    }

    private static void Require(PortReplayer replayer, in TraceEvent e)
    {
        if (replayer.Step(e) is { } stop)
            throw new InvalidOperationException($"The built-in recording is not accepted at line {e.Line}: {stop.Reason}");
    }

    private static TraceFile Load()
    {
        using TraceReader reader = TraceReader.Open("built-in mixed-long", CallBenchmark.OpenOwnRecording());
        return TraceFile.Load(reader);
    }
}
