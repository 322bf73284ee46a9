using BenchmarkDotNet.Attributes;
using TdxVerify.Abi;

namespace TdxVerify.Benchmarks;

/// <summary>Decoding a status.</summary>
[MemoryDiagnoser]
public class StatusBenchmarks
{
    private readonly StatusCode _busy = new(Status.TDX_OPERAND_BUSY | (uint)OperandId.SEPT_TREE);

    /// <summary>Class, and whether it is an error: what judging a call needs.</summary>
    [Benchmark(Baseline = true)]
    public int Class() => _busy.IsError ? _busy.Class : 0;

    /// <summary>The name with its operand: what a person reads.</summary>
    [Benchmark]
    public string Name() => _busy.Name;
}
