using BenchmarkDotNet.Attributes;
using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;

namespace TdxVerify.Benchmarks;

/// <summary>One leaf, TDH.MEM.TRACK, in each form in which its list of steps is carried out, and the whole call around it.</summary>
[MemoryDiagnoser]
public class LeafBenchmarks
{
    private readonly ModelPort<ArraysState> _port = ModelPorts.Fast(RecordedTd.Platform);
    private readonly Leaf<ArraysState> _compiled;
    private readonly Leaf<ArraysState> _steps;
    private readonly TraceEvent _call = RecordedTd.Call;

    /// <summary>Builds the TD and compiles the leaf.</summary>
    public LeafBenchmarks()
    {
        RecordedTd.Build(_port);
        _compiled = LeafSet<ArraysState>.Of(RecordedTd.Platform.Profile).Host(_call.Input.Rax)!;
        _compiled.Compile();
        _steps = LeafSet<ArraysState>.Of(RecordedTd.Platform.Profile).Host(_call.Input.Rax)!;
    }

    /// <summary>As one method.</summary>
    [Benchmark(Baseline = true)]
    public ulong Compiled()
    {
        Call call = Begin();
        _compiled.Execute(ref _port.Machine.State, ref call);
        return call.Status;
    }

    /// <summary>From the list, in one loop.</summary>
    [Benchmark]
    public ulong Interpreted()
    {
        Call call = Begin();
        _steps.Interpret(ref _port.Machine.State, ref call);
        return call.Status;
    }

    /// <summary>From the list, as an explorer of interleavings goes through it: the position is kept outside.</summary>
    [Benchmark]
    public ulong Stepwise()
    {
        Call call = Begin();
        int next = 0;
        while (next < _steps.Steps.Length)
            next = _steps.Next(ref _port.Machine.State, ref call, next);
        return call.Status;
    }

    /// <summary>With the dispatcher and all that a SEAMCALL of the port does.</summary>
    [Benchmark]
    public ulong WholeCall()
    {
        RegisterFile registers = _call.Input;
        _port.Seamcall(_call.Lp, ref registers);
        return registers.Rax;
    }

    private Call Begin()
    {
        Call call = default;
        call.In = call.Out = _call.Input;
        call.Lp = _call.Lp;
        return call;
    }
}
