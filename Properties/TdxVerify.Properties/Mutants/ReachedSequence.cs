using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Model.Mutants;
using TdxVerify.Properties.Runs;

namespace TdxVerify.Properties.Mutants;

/// <summary>Where a sequence is from.</summary>
public enum SequenceSource
{
    /// <summary>Decoded from random choices.</summary>
    Random,

    /// <summary>A sweep: calls with one or two things wrong, in every combination.</summary>
    Sweep,

    /// <summary>A sweep that is one written-down sequence.</summary>
    Script,

    /// <summary>A recording of the real module.</summary>
    Recording,
}

/// <summary>
/// A sequence with the declared model's answers, and where in it each step decides for the first time: so the
/// sequences that can tell a mutant are found without running the others.
/// </summary>
public sealed class ReachedSequence
{
    private const int Never = int.MaxValue;

    private readonly int[]?[] _first;

    internal ReachedSequence(string name, SequenceSource source, TraceEvent[] events, ChoicePoint[] choices, ChoicePoint[] alsoFail, int[]?[] first)
    {
        Source = source;
        Name = name;
        Events = events;
        Choices = choices;
        AlsoFail = alsoFail;
        _first = first;
    }

    /// <summary>Which sequence it is, for reports.</summary>
    public string Name { get; }

    /// <summary>Where it is from.</summary>
    public SequenceSource Source { get; }

    /// <summary>The events with the answers, a reset first.</summary>
    public TraceEvent[] Events { get; }

    /// <summary>The choice point that is asked to fail in each event.</summary>
    public ChoicePoint[] Choices { get; }

    /// <summary>The second choice point that is asked to fail in each event.</summary>
    public ChoicePoint[] AlsoFail { get; }

    /// <summary>The first event that can tell; null: none.</summary>
    /// <param name="leaf">Index of the list of steps in its set.</param>
    /// <param name="step">The step, counted from 1.</param>
    /// <param name="reach">Which calls can tell.</param>
    public int? FirstAt(int leaf, int step, MutantReach reach)
    {
        if (_first[leaf] is not { } first)
            return null;
        int at = reach switch
        {
            MutantReach.Fails => first[step],
            MutantReach.FailsHereOrNext => Math.Min(first[step], first[step + 1]),
            MutantReach.Reaches => Math.Min(first[0], first.AsSpan(step).ToArray().Min()),
            _ => first.Min(),
        };
        return at == Never ? null : at;
    }

    /// <summary>Carries out the events on the declared model and notes which steps decide.</summary>
    /// <exception cref="InvalidOperationException">The model does not give these answers.</exception>
    internal static ReachedSequence Of(string name, SequenceSource source, IReadOnlyList<PlannedEvent> events, ModelPort<ArraysState> model)
    {
        var recorder = new ReachRecorder(model.Machine);
        var planned = new PlannedChoices(model);
        var replayer = new Hardware.Replay.PortReplayer(model, planned);
        var kept = new List<TraceEvent>(events.Count);
        var choices = new List<ChoicePoint>(events.Count);
        var alsoFail = new List<ChoicePoint>(events.Count);
        for (int i = 0; i < events.Count; i++)
        {
            TraceEvent e = events[i].Event;
            if (e.Lp < 0)
                continue;
            planned.Plan(events[i].Choice, events[i].AlsoFails);
            if (replayer.Step(e) is { } stop)
            {
                // About an object that does not exist: refused as invalid, which an event cannot say. It changed nothing.
                if (e.Kind is TraceEventKind.Lock or TraceEventKind.Unlock or TraceEventKind.Guest or TraceEventKind.GuestResult)
                    continue;
                throw new InvalidOperationException($"{name}, event {i}, {e.Kind}: {stop.Reason}");
            }

            recorder.Note(e, kept.Count);
            kept.Add(e);
            choices.Add(events[i].Choice);
            alsoFail.Add(events[i].AlsoFails);
        }

        return new ReachedSequence(name, source, [.. kept], [.. choices], [.. alsoFail], recorder.First);
    }

    // The counters of the machine say which steps decided; their growth from event to event says where.
    private sealed class ReachRecorder
    {
        private readonly Machine<ArraysState> _machine;
        private readonly long[][] _before;
        private readonly int[] _guestLists;

        public ReachRecorder(Machine<ArraysState> machine)
        {
            _machine = machine;
            IReadOnlyList<Leaf<ArraysState>> leaves = machine.Leaves.All;
            _before = [.. leaves.Select(leaf => machine.Coverage(leaf).ToArray())];
            _guestLists = [.. leaves.Where(leaf => leaf.Id.IsGuest).Select(leaf => leaf.Index)];
            First = new int[]?[leaves.Count];
        }

        public int[]?[] First { get; }

        public void Note(in TraceEvent e, int position)
        {
            if (e.Kind is TraceEventKind.Seamcall or TraceEventKind.Enter)
            {
                Note(_machine.Leaves.HostDispatcher.Index, position);
                if (_machine.Leaves.Host(e.Input.Rax) is { } leaf)
                    Note(leaf.Index, position);
            }

            if (_machine.LastGuest.Vcpu < 0)
                return;
            foreach (int list in _guestLists)
                Note(list, position);
        }

        private void Note(int leaf, int position)
        {
            IReadOnlyList<long> now = _machine.Coverage(_machine.Leaves.All[leaf]);
            long[] before = _before[leaf];
            for (int step = 0; step < before.Length; step++)
            {
                if (now[step] == before[step])
                    continue;
                before[step] = now[step];
                int[] first = First[leaf] ??= [.. Enumerable.Repeat(Never, before.Length)];
                first[step] = Math.Min(first[step], position);
            }
        }
    }
}
