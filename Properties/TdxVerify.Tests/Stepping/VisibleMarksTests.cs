using TdxVerify.Hardware.Replay;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Stepping;

/// <summary>A step that reads or writes what other calls can see is marked as visible.</summary>
public sealed class VisibleMarksTests
{
    public static TheoryData<string> Sequential => [.. Recordings.Sequential.Where(file => file.StartsWith("Properties", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Sequential))]
    public void A_step_without_the_mark_makes_no_visible_access(string file)
    {
        TraceFile trace = TraceFile.Load(Recordings.FullPath(file));
        var log = new AccessLog();
        using var port = new StepwisePort<LoggingState>(new LoggingState(trace.Header.Platform, log), LeafSet<LoggingState>.Of(trace.Header.Platform.Profile));
        var unmarked = new SortedSet<string>();
        long marked = 0;
        port.Machine.Observer = (Leaf<LoggingState> list, int step, bool visible, in Call call) =>
        {
            // What other agents did since the last call, or since the VM entry, is still in the log.
            if (step == 0 && (list.Id.Number < 0 || list.Id.IsGuest))
                log.Visible.Clear();
            if (visible)
                marked++;
            else if (log.Visible.Count > 0)
                unmarked.Add($"{list.Id}: {list.Steps[step].Text}: {string.Join(", ", log.Visible)}");
            log.Visible.Clear();
        };

        Assert.Null(new PortReplayer(port).Replay(trace).Stop);
        Assert.Empty(unmarked);
        Assert.True(marked > 0);
    }
}
