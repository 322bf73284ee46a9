using BenchmarkDotNet.Attributes;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Campaigns;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Benchmarks;

/// <summary>One TDH.MEM.TRACK on the observed model, with no law, with one, and with all.</summary>
[MemoryDiagnoser]
public class LawBenchmarks
{
    private const string None = "none";
    private const string All = "all";

    private EventRunner? _runner;
    private TraceEvent _call;

    /// <summary>The law.</summary>
    [Params(None, "busy-iff-refused", "success-has-its-effect", "sept-and-pamt-agree", "no-lock-outlives-its-call", All)]
    public string Law { get; set; } = None;

    /// <summary>Builds the TD under the eyes of the law.</summary>
    [GlobalSetup]
    public void Build()
    {
        ModelPort<ObservedState> model = ModelPorts.Observed(RecordedTd.Platform);
        _runner = new EventRunner(model, null, [.. LawBook.Create().Where(law => Law == All || law.Name == Law)]);
        _call = RecordedTd.Call;
        Require(PlanRunner.Run(_runner, FailureFile.Plan(RecordedTd.Sequence)));
    }

    /// <summary>The call.</summary>
    [Benchmark]
    public ulong Step()
    {
        Require(_runner!.Step(ref _call, ChoicePoint.None, 0));
        return _call.Output.Rax;
    }

    private static void Require(RunFailure? broken)
    {
        if (broken is not null)
            throw new InvalidOperationException($"{broken.Law}: {broken.Reason}");
    }
}
