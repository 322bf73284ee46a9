using BenchmarkDotNet.Attributes;
using TdxVerify.Model;

namespace TdxVerify.Benchmarks;

/// <summary>Reads and writes of the state, with and without a journal.</summary>
public class StateBenchmarks
{
    private static readonly PamtRef s_page = new(0, 5);

    private ArraysState _arrays = new(RecordedTd.Platform);
    private ObservedState _observed = new(RecordedTd.Platform);

    /// <summary>A field of a PAMT entry.</summary>
    [Benchmark(Baseline = true)]
    public ulong Read() => _arrays.Pamt(s_page, PamtField.Lock);

    /// <summary>The types of all 4 KiB pages of a 2 MiB page.</summary>
    [Benchmark]
    public bool Read512Types() => _arrays.AreAll(new PamtRef(0, 0), 512, PageType.PT_NDA);

    /// <summary>A write of a field of a PAMT entry.</summary>
    [Benchmark]
    public void Write() => _arrays.SetPamt(s_page, PamtField.Lock, 4);

    /// <summary>The same, noted in the journal.</summary>
    [Benchmark]
    public int WriteObserved()
    {
        _observed.Journal.Clear();
        _observed.SetPamt(s_page, PamtField.Lock, 4);
        return _observed.Journal.Changes.Length;
    }
}
