using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Targets;
using TdxVerify.Properties.Traces;
using TdxVerify.Tests.Hardware;

namespace TdxVerify.Tests.Traces;

/// <summary>Judges traces, files or made by a test, with one judge for each target.</summary>
public sealed class Judging : IDisposable
{
    private readonly Dictionary<PortTarget, TraceJudge> _judges = [];

    /// <summary>Judges a file.</summary>
    public TraceVerdict Judge(string path, PortTarget? target = null) => For(target ?? PortTarget.Model).Judge(TraceInput.Of(path));

    /// <summary>Judges events, written and read again: what is judged is what a file says.</summary>
    public TraceVerdict Judge(TraceHeader header, IEnumerable<TraceEvent> events, PortTarget? target = null)
    {
        using var bytes = new MemoryStream(TraceText.Write(header, events));
        return For(target ?? PortTarget.Model).Judge(TraceInput.Of(TraceText.File, bytes));
    }

    public void Dispose()
    {
        foreach (TraceJudge judge in _judges.Values)
            judge.Dispose();
    }

    private TraceJudge For(PortTarget target)
    {
        if (!_judges.TryGetValue(target, out TraceJudge? judge))
            _judges.Add(target, judge = new TraceJudge(target));
        return judge;
    }
}
