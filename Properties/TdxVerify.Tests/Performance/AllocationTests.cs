using TdxVerify.Abi;
using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Reference;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Performance;

/// <summary>Nothing is allocated for a call, an event, or a sequence: a run of hours does not wait for the garbage collector.</summary>
public class AllocationTests
{
    // In the first passes arrays grow, and leaves are compiled: those called rarely late.
    private const int Passes = 24;

    public static TheoryData<string> Ports => ["model", "reference"];

    [Theory]
    [MemberData(nameof(Ports))]
    public void A_replay_allocates_nothing(string name)
    {
        TraceFile trace = Recordings.Load("mixed-long");
        using IPort port = name == "model" ? ModelPorts.Fast(trace.Header.Platform) : new ReferencePort(trace.Header.Platform);
        var replayer = new PortReplayer(port);
        TraceEvent[] events = [.. trace.Sequences.SelectMany(sequence => sequence.Events)];
        var allocated = new List<long>();
        for (int pass = 0; pass < Passes && !allocated.Contains(0); pass++)
            allocated.Add(AllocatedBy(replayer, events));

        Assert.True(replayer.Calls > 10_000, "too few calls to mean anything");
        Assert.True(allocated.Contains(0), $"bytes allocated by each pass: {string.Join(", ", allocated)}");
    }

    private static long AllocatedBy(PortReplayer replayer, TraceEvent[] events)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (ref readonly TraceEvent e in events.AsSpan())
        {
            if (replayer.Step(e) is { } stop)
                Assert.Fail(stop.Reason);
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
