using System.Diagnostics;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Schedules.Laws;
using TdxVerify.Properties.Schedules.Schedulers;

namespace TdxVerify.Properties.Schedules;

/// <summary>A run of random schedules: workers draw calls that overlap and schedules until time is up or a law is broken.</summary>
public sealed class ScheduleCampaign
{
    private const int StepsOfCall = 25;

    private readonly ScheduleOptions _options;
    private readonly Func<LeafSet<BranchingState>> _leaves;
    private long _plans = -1;
    private long _schedules;
    private volatile bool _stopped;
    private FoundSchedule? _found;

    /// <summary>A run of the platform's module version.</summary>
    public ScheduleCampaign(ScheduleOptions options)
        : this(options, () => LeafSet<BranchingState>.Of(options.Platform.Profile))
    {
    }

    /// <summary>A run with other leaves, for example with one step changed; they are made for each worker.</summary>
    public ScheduleCampaign(ScheduleOptions options, Func<LeafSet<BranchingState>> leaves)
    {
        _options = options;
        _leaves = leaves;
    }

    /// <summary>The run was ended early.</summary>
    public bool WasStopped { get; private set; }

    /// <summary>Schedules so far; may be read while the run goes on.</summary>
    public long Schedules => Interlocked.Read(ref _schedules);

    /// <summary>Ends the run early.</summary>
    public void Stop()
    {
        WasStopped = true;
        _stopped = true;
    }

    /// <summary>The strategy of a run.</summary>
    public static Scheduler CreateScheduler(ScheduleOptions options) => options.Strategy switch
    {
        ScheduleStrategy.Uniform => new UniformScheduler(),
        ScheduleStrategy.Pct => new PctScheduler(options.Depth),
        _ => new PosScheduler(),
    };

    /// <summary>Runs until time is up, the run is stopped, or a law is broken.</summary>
    public ScheduleResult Run()
    {
        var time = Stopwatch.StartNew();
        var workers = new (ScheduleCoverage Coverage, IReadOnlyList<InterleavingLaw> Laws)[Math.Max(1, _options.Workers)];
        Parallel.For(0, workers.Length, new ParallelOptions { MaxDegreeOfParallelism = workers.Length }, i => workers[i] = Work(() => _stopped || time.Elapsed >= _options.Time));
        var coverage = new ScheduleCoverage();
        foreach ((ScheduleCoverage part, _) in workers)
            coverage.Add(part);
        return new ScheduleResult(
            coverage,
            [.. workers[0].Laws.Select((law, place) => (law.Name, law.Statement, workers.Sum(worker => worker.Laws[place].Judged)))],
            _found, time.Elapsed);
    }

    /// <summary>Carries out all schedules of one seed.</summary>
    public ScheduleResult RunSeed(ulong seed)
    {
        var time = Stopwatch.StartNew();
        var coverage = new ScheduleCoverage();
        using ConcurrentRunner runner = CreateRunner();
        FoundSchedule? found = RunPlan(runner, new PlanGenerator(_options), CreateScheduler(_options), seed, coverage, () => false);
        return new ScheduleResult(coverage, [.. runner.Laws.Select(law => (law.Name, law.Statement, law.Judged))], found, time.Elapsed);
    }

    private ConcurrentRunner CreateRunner() => new(_options.Platform, _leaves(), InterleavingLaws.Select(_options.Laws));

    private (ScheduleCoverage Coverage, IReadOnlyList<InterleavingLaw> Laws) Work(Func<bool> isOver)
    {
        var coverage = new ScheduleCoverage();
        using ConcurrentRunner runner = CreateRunner();
        var generator = new PlanGenerator(_options);
        Scheduler scheduler = CreateScheduler(_options);
        do
        {
            ulong seed = ChoiceStream.SeedOf(_options.Seed, (ulong)Interlocked.Increment(ref _plans));
            if (RunPlan(runner, generator, scheduler, seed, coverage, isOver) is not { } found)
                continue;
            _stopped = true;
            Interlocked.CompareExchange(ref _found, found, null);
        }
        while (!isOver());
        return (coverage, runner.Laws);
    }

    private FoundSchedule? RunPlan(
        ConcurrentRunner runner, PlanGenerator generator, Scheduler scheduler, ulong seed, ScheduleCoverage coverage, Func<bool> isOver)
    {
        ChoiceStream stream = generator.Stream(seed);
        ConcurrentPlan plan = generator.Generate(stream);
        coverage.NextPlan();
        int steps = StepsOfCall * plan.Calls.Count;
        for (int i = 0; i < _options.SchedulesPerPlan && (i == 0 || !isOver()); i++)
        {
            ScheduleOutcome outcome = runner.Run(plan, scheduler, new ScheduleChoices(stream, i), steps);
            steps = outcome.Steps;
            coverage.Add(plan, outcome);
            Interlocked.Increment(ref _schedules);
            if (outcome.Failure is null)
                continue;
            var first = new FailingSchedule(plan, outcome);
            using ConcurrentRunner shrinking = CreateRunner();
            return new FoundSchedule(new ScheduleShrinker(shrinking, _options.ShrinkTime, () => WasStopped).Shrink(first), first, seed, i);
        }

        return null;
    }
}

/// <summary>A broken law, made small.</summary>
/// <param name="Smallest">The smallest found.</param>
/// <param name="First">What broke the law first.</param>
/// <param name="Seed">The seed that it follows from.</param>
/// <param name="Schedule">Which of the schedules of that seed.</param>
public sealed record FoundSchedule(FailingSchedule Smallest, FailingSchedule First, ulong Seed, int Schedule);

/// <summary>What a run of random schedules found.</summary>
/// <param name="Coverage">What it came across.</param>
/// <param name="Laws">The laws, and how often there was something to judge.</param>
/// <param name="Found">The broken law; null: all held.</param>
/// <param name="Time">How long it took.</param>
public sealed record ScheduleResult(
    ScheduleCoverage Coverage, IReadOnlyList<(string Name, string Statement, long Judged)> Laws, FoundSchedule? Found, TimeSpan Time);
