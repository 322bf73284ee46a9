using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Generation;

namespace TdxVerify.Properties.Runs;

/// <summary>Decodes a choice stream into a sequence and carries it out, operation by operation, until a law is broken.</summary>
public sealed class SequenceRunner
{
    private readonly EventRunner _events;
    private readonly World _world;
    private readonly CallGenerator _generator;

    /// <summary>A runner that generates what the port under test can do.</summary>
    public SequenceRunner(EventRunner events, GenerationLimits limits)
    {
        _events = events;
        _world = new World(events.Model.Platform);
        _generator = new CallGenerator(_world, limits);
        States = new StateCoverage(events.Model.Machine.Leaves);
    }

    /// <summary>The runner of events.</summary>
    public EventRunner Events => _events;

    /// <summary>S-EPT entry states that calls met.</summary>
    public StateCoverage States { get; }

    /// <summary>Runs the stream on a fresh platform.</summary>
    /// <param name="stream">The choices; those of its first operation also name the mix.</param>
    /// <param name="record">Takes the events with their answers; null: they are not kept.</param>
    /// <param name="operations">So many operations of it; null: all.</param>
    /// <returns>The first broken law; null: all held.</returns>
    public RunFailure? Run(ChoiceStream stream, List<PlannedEvent>? record = null, int? operations = null)
    {
        _events.Reset();
        _generator.Reset(Mix.All[stream.Operations == 0 ? 0 : (int)(stream[0, ChoiceStream.Width - 1] % (uint)Mix.All.Count)]);
        Operation operation = default;
        for (int i = 0; i < (operations ?? stream.Operations); i++)
        {
            var choices = new ChoiceReader(stream, i);
            _generator.Decode(ref choices, ref _events.Model.Machine.State, ref operation);
            if (operation.HasPrelude && Carry(ref operation.Prelude, ChoicePoint.None, i, record) is { } first)
                return first;
            if (Carry(ref operation.Event, operation.Choice, i, record) is { } failure)
                return failure;
        }

        return null;
    }

    /// <summary>Decodes a further operation against the state as it is now, without carrying it out.</summary>
    /// <param name="stream">The choices.</param>
    /// <param name="operation">Which operation of the stream.</param>
    /// <param name="decoded">Takes the operation.</param>
    public void Decode(ChoiceStream stream, int operation, ref Operation decoded)
    {
        var choices = new ChoiceReader(stream, operation);
        _generator.Decode(ref choices, ref _events.Model.Machine.State, ref decoded);
    }

    private RunFailure? Carry(ref TraceEvent e, ChoicePoint choice, int operation, List<PlannedEvent>? record)
    {
        RunFailure? failure = _events.Step(ref e, choice, operation);
        if (_events.Last.Happened)
            record?.Add(new PlannedEvent(e, choice));
        States.Count(_events.Last);
        switch (e.Kind)
        {
            case TraceEventKind.Lock when e.Ok:
                _world.Locks.Add(e.Lock);
                break;
            case TraceEventKind.Unlock:
                _world.Locks.Remove(e.Lock);
                break;
            case TraceEventKind.Interrupt:
                _world.InterruptPending = e.Pending;
                break;
            default:
                _world.Update(_events.Model.Machine.State, _events.Last.Changes);
                break;
        }

        return failure;
    }
}
