using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Campaigns;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Generation;
using TdxVerify.Properties.Laws;
using TdxVerify.Properties.Runs;
using TdxVerify.Properties.Sweeps;

namespace TdxVerify.Properties.Mutants;

/// <summary>
/// The sequences that all mutants are run on. They are decoded once against the declared model, with its answers: a
/// mutant is then told from the model by replaying them, which is what running generator, model and mutant side by
/// side would find, many times faster.
/// </summary>
public static class SequencePool
{
    // Short ones find most; what needs a long history (512 pages to promote, a whole teardown) needs long ones.
    private static readonly int[] s_lengths = [150, 300, 600, 1500];

    /// <summary>So many sequences of a seed, from number <paramref name="from"/> on; fewer where <paramref name="isOver"/> says so.</summary>
    public static ReachedSequence[] Generate(PlatformInfo platform, ulong seed, int from, int count, Func<bool> isOver)
    {
        var sequences = new ReachedSequence?[count];
        Parallel.For(
            0, count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            () => new Generator(platform),
            (i, _, generator) =>
            {
                if (!isOver())
                    sequences[i] = generator.Generate(seed, from + i);
                return generator;
            },
            _ => { });
        return [.. sequences.OfType<ReachedSequence>()];
    }

    /// <summary>The sequences of all sweeps.</summary>
    public static ReachedSequence[] Sweep(PlatformInfo platform, Func<bool> isOver) =>
        Sweep(platform, [.. SweepCatalogue.Of(LeafSet<ObservedState>.Of(platform.Profile))], isOver);

    /// <summary>The sequences of the sweeps of these leaves.</summary>
    public static ReachedSequence[] Sweep(PlatformInfo platform, IReadOnlyList<HostLeaf> leaves, Func<bool> isOver)
    {
        LeafSet<ObservedState> declared = LeafSet<ObservedState>.Of(platform.Profile);
        return Sweep(platform, [.. leaves.Select(leaf => (ISweep)new FaultSweep(declared, leaf))], isOver);
    }

    /// <summary>The sequences of these sweeps.</summary>
    internal static ReachedSequence[] Sweep(PlatformInfo platform, ISweep[] sweeps, Func<bool> isOver)
    {
        var sequences = new List<ReachedSequence>[sweeps.Length];
        Parallel.For(
            0, sweeps.Length, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            () => new Generator(platform),
            (i, _, generator) =>
            {
                sequences[i] = generator.Sweep(sweeps[i], isOver);
                return generator;
            },
            _ => { });
        return [.. sequences.SelectMany(part => part)];
    }

    /// <summary>The sequential recordings of this platform in a folder.</summary>
    public static ReachedSequence[] Load(string folder, PlatformInfo platform)
    {
        var sequences = new List<ReachedSequence>();
        ModelPort<ArraysState> model = ModelPorts.Fast(platform);
        foreach (string path in Directory.EnumerateFiles(folder, "*.jsonl*").Order(StringComparer.Ordinal))
        {
            using (TraceReader reader = TraceReader.Open(path))
            {
                if (reader.Header.Platform != platform)
                    continue;
            }

            TraceFile trace = TraceFile.Load(path);
            foreach (TraceSequence sequence in trace.Sequences)
            {
                if (!sequence.Events.Any(e => e.Kind is TraceEventKind.Begin or TraceEventKind.End))
                    sequences.Add(ReachedSequence.Of($"{Path.GetFileName(path)} sequence {sequence.Number}", SequenceSource.Recording, FailureFile.Plan(sequence), model));
            }
        }

        return [.. sequences];
    }

    private sealed class Generator
    {
        private readonly ModelPort<ArraysState> _model;
        private readonly SequenceRunner _runner;
        private readonly SequenceNotes _notes = new();
        private readonly List<PlannedEvent> _planned = [];
        private readonly List<PlannedEvent> _events = [];

        public Generator(PlatformInfo platform)
        {
            _model = ModelPorts.Fast(platform);
            _runner = new SequenceRunner(new EventRunner(ModelPorts.Observed(platform), null, [_notes]), GenerationLimits.None);
        }

        public ReachedSequence Generate(ulong seed, int number)
        {
            ChoiceStream stream = ChoiceStream.FromSeed(seed + ((ulong)number * 0x1_0000_0001), s_lengths[number % s_lengths.Length]);
            _planned.Clear();
            _notes.Touched.Clear();
            _runner.Run(stream, _planned);
            Audit();
            return ReachedSequence.Of($"sequence {number} of seed {seed}", SequenceSource.Random, Events(number), _model);
        }

        public List<ReachedSequence> Sweep(ISweep sweep, Func<bool> isOver)
        {
            var parts = new List<ReachedSequence>();
            while (!sweep.IsDone && !isOver())
            {
                _planned.Clear();
                sweep.Run(_runner.Events, _planned);
                parts.Add(ReachedSequence.Of($"sweep of {sweep.Name}, {parts.Count + 1}", sweep is ScriptedSweep ? SequenceSource.Script : SequenceSource.Sweep, Events(parts.Count), _model));
            }

            return parts;
        }

        private List<PlannedEvent> Events(int number)
        {
            _events.Clear();
            _events.Add(new PlannedEvent(TraceEvent.OfReset(number), ChoicePoint.None));
            for (int i = 0; i < _planned.Count; i++)
            {
                _events.Add(_planned[i]);
                if (_notes.After[i] is { } result)
                    _events.Add(new PlannedEvent(result, ChoicePoint.None));
            }

            return _events;
        }

        private void Audit()
        {
            var held = new List<LockOperation>();
            foreach (PlannedEvent planned in _planned)
            {
                if (planned.Event.Kind == TraceEventKind.Lock && planned.Event.Ok)
                    held.Add(planned.Event.Lock);
                else if (planned.Event.Kind == TraceEventKind.Unlock)
                    held.Remove(planned.Event.Lock);
            }

            EventRunner events = _runner.Events;
            bool granted = true;
            foreach (TraceEvent asked in new StateAudit(events.Model, [.. _notes.Touched], held).Events())
            {
                TraceEvent e = asked;
                if (e.Kind == TraceEventKind.Unlock && !granted)
                {
                    granted = true;
                    continue;
                }

                events.Step(ref e, ChoicePoint.None, _planned.Count);
                granted = e.Kind != TraceEventKind.Lock || e.Ok;
                _planned.Add(new PlannedEvent(e, ChoicePoint.None));
            }
        }
    }

    // Every event passes the laws of a run; this one finds nothing wrong, and notes what became of the guest's
    // operation, for which a run has no event, and which PAMT entries were written.
    private sealed class SequenceNotes() : Law("notes", "Nothing is ever wrong.")
    {
        public List<TraceEvent?> After { get; } = [];

        public HashSet<PamtRef> Touched { get; } = [];

        public override void Reset() => After.Clear();

        protected override string? Check(Observation o)
        {
            After.Add(o.Kind is TraceEventKind.Seamcall or TraceEventKind.Enter or TraceEventKind.Exit && o.GuestRan ? Result(o) : null);
            foreach (ref readonly Change change in o.Changes)
            {
                if (change.Kind == ChangeKind.Pamt)
                    Touched.Add(change.PamtAt);
            }

            return null;
        }

        private static TraceEvent? Result(Observation o)
        {
            ulong tdvpr = o.Platform.PageBase + (o.State.Vcpu(o.Guest.Vcpu, VcpuField.TdvprPage) << Hpa.PageShift);
            if (!o.Model.Machine.GuestResult(tdvpr, out GuestResult result, out bool returned))
                return null;
            return returned
                ? TraceEvent.OfGuestResult(tdvpr, o.Model.Machine.OperationOf(o.Guest.Vcpu).Registers, result)
                : TraceEvent.OfGuestResult(tdvpr, result.Completed, result.VirtualizationException);
        }
    }
}
