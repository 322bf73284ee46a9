using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Runs;
using Xunit;

namespace TdxVerify.Tests.Runs;

/// <summary>Events out of a recording are carried out as they were recorded.</summary>
public class EventRunnerTests
{
    [Fact]
    public void A_write_of_one_byte_many_times_fills_the_memory()
    {
        ModelPort<ObservedState> model = ModelPorts.Observed(new PlatformInfo());
        var runner = new EventRunner(model, null, []);
        runner.Reset();
        TraceEvent fill = TraceEvent.OfFill(0x1000, 0xA5, 24);
        Assert.Null(runner.Step(ref fill, ChoicePoint.None, 0));
        var read = new byte[32];
        model.MemoryRead(0x1000, read);
        Assert.Equal([.. Enumerable.Repeat<byte>(0xA5, 24), .. new byte[8]], read);
    }
}
