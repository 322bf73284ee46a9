using BenchmarkDotNet.Attributes;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Generation;

namespace TdxVerify.Benchmarks;

/// <summary>Decoding one operation of a choice stream in the midst of a run, without carrying it out.</summary>
[MemoryDiagnoser]
public class GenerationBenchmarks
{
    private const int Before = 400;
    private const int Measured = 1 << 12;

    private readonly ModelPort<ObservedState> _model = ModelPorts.Observed(RecordedTd.Platform);
    private readonly ChoiceStream _stream = ChoiceStream.FromSeed(1, Before + Measured);
    private readonly World _world = new(RecordedTd.Platform);
    private readonly CallGenerator _generator;
    private Operation _operation;
    private int _next;

    /// <summary>Carries out the operations before.</summary>
    public GenerationBenchmarks()
    {
        _generator = new CallGenerator(_world, GenerationLimits.None);
        _generator.Reset(Mix.All[0]);
        for (int i = 0; i < Before; i++)
        {
            Decode(i);
            if (_operation.HasPrelude)
                Carry(_operation.Prelude);
            Carry(_operation.Event);
        }
    }

    /// <summary>Decodes one operation.</summary>
    [Benchmark]
    public bool Decode()
    {
        Decode(Before + (_next++ % Measured));
        return _operation.HasPrelude;
    }

    private void Decode(int operation)
    {
        var choices = new ChoiceReader(_stream, operation);
        _generator.Decode(ref choices, ref _model.Machine.State, ref _operation);
    }

    private void Carry(TraceEvent e)
    {
        _model.Machine.State.Journal.Clear();
        switch (e.Kind)
        {
            case TraceEventKind.Seamcall or TraceEventKind.Enter:
                _model.Seamcall(e.Lp, ref e.Input);
                break;
            case TraceEventKind.Guest:
                _model.GuestSubmit(e.Hpa, e.GuestOperation);
                break;
            case TraceEventKind.Write:
                _model.MemoryWrite(e.Hpa, e.Data);
                break;
            default:
                return;
        }

        _world.Update(_model.Machine.State, _model.Machine.State.Journal.Changes);
    }
}
