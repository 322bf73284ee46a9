using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Campaigns;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Contention;
using TdxVerify.Properties.Schedules;
using TdxVerify.Properties.Schedules.Laws;
using TdxVerify.Properties.Schedules.Schedulers;

namespace TdxVerify.Tests.Schedules;

/// <summary>Calls of the recorded set-ups that overlap, and what random schedules of them find.</summary>
internal static class SchedulePlans
{
    private static readonly ContentionRecordings s_recordings = ContentionRecordings.BuiltIn();

    public static ScheduleStrategy[] Strategies { get; } = Enum.GetValues<ScheduleStrategy>();

    /// <summary>Instances of a set-up, by name, each on its own processor unless it needs a certain one.</summary>
    public static ConcurrentPlan Of(string scenario, params string[] names)
    {
        TraceFile setup = s_recordings.Setups[scenario];
        Instance[] instances = [.. names.Select(name => s_recordings.Instances[(scenario, name)])];
        var free = new Queue<int>(Enumerable.Range(0, setup.Header.Platform.LpCount).Except(instances.Select(instance => instance.Lp)));
        return new ConcurrentPlan(
            setup.Header.Platform,
            [.. setup.Sequences.SelectMany(FailureFile.Plan).Where(planned => planned.Event.Kind is TraceEventKind.Seamcall or TraceEventKind.Guest or TraceEventKind.Write)],
            [.. instances.Select(instance => new ConcurrentCall(
                instance.Lp >= 0 ? instance.Lp : free.Dequeue(), instance.Input,
                Guest: instance.Operation is { } operation ? TraceEvent.OfGuest(instance.Tdvpr, operation) : null))]);
    }

    public static LeafSet<BranchingState> Leaves { get; } = LeafSet<BranchingState>.Of(ModuleProfile.V1_5_01);

    /// <summary>The leaves with one leaf's steps changed.</summary>
    public static LeafSet<BranchingState> With(string leaf, Func<Step<BranchingState>, Step<BranchingState>?> change)
    {
        Leaf<BranchingState> right = Leaves.All.Single(candidate => candidate.Id.Name == leaf);
        Step<BranchingState>?[] steps = [.. right.Steps.Select(change)];
        return steps.SequenceEqual(right.Steps)
            ? throw new ArgumentException($"{leaf} has no such step.", nameof(change))
            : LeafSet<BranchingState>.Of(ModuleProfile.V1_5_01).With(right.With(steps.OfType<Step<BranchingState>>()));
    }

    public static ConcurrentRunner Runner(ConcurrentPlan plan, LeafSet<BranchingState>? leaves = null, params string[] laws) =>
        new(plan.Platform, leaves ?? Leaves, InterleavingLaws.Select(laws));

    /// <summary>The first failure of random schedules of a plan, made small.</summary>
    public static FailingSchedule? Find(ConcurrentPlan plan, ScheduleStrategy strategy, LeafSet<BranchingState> leaves, int schedules, params string[] laws)
    {
        using ConcurrentRunner runner = Runner(plan, leaves, laws);
        Scheduler scheduler = ScheduleCampaign.CreateScheduler(new ScheduleOptions { Platform = plan.Platform, Strategy = strategy });
        ChoiceStream stream = ChoiceStream.FromSeed(7, 0);
        int steps = 25 * plan.Calls.Count;
        for (int i = 0; i < schedules; i++)
        {
            ScheduleOutcome outcome = runner.Run(plan, scheduler, new ScheduleChoices(stream, i), steps);
            steps = outcome.Steps;
            if (outcome.Failure is not null)
                return new ScheduleShrinker(runner, TimeSpan.FromSeconds(20)).Shrink(new FailingSchedule(plan, outcome));
        }

        return null;
    }
}
