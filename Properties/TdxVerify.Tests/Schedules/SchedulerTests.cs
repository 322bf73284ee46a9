using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Schedules.Schedulers;
using Xunit;

namespace TdxVerify.Tests.Schedules;

/// <summary>What each strategy does when it chooses who goes on.</summary>
public sealed class SchedulerTests
{
    private const uint All = 0b1111;

    [Fact]
    public void Uniform_choices_give_every_processor_its_share_and_choice_0_goes_on_with_the_same()
    {
        var scheduler = new UniformScheduler();
        scheduler.Begin(Start(ChoiceStream.FromSeed(1, 0)));
        int[] chosen = new int[4];
        int current = 0;
        for (int i = 0; i < 4000; i++)
            chosen[current = scheduler.Next(All, current)]++;
        Assert.All(chosen, count => Assert.InRange(count, 800, 1200));

        scheduler.Begin(Start(ChoiceStream.FromValues([])));
        Assert.Equal([2, 2, 2], Enumerable.Range(0, 3).Select(_ => scheduler.Next(All, 2)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Pct_leaves_a_processor_that_can_go_on_at_most_depth_minus_1_times(int depth)
    {
        var scheduler = new PctScheduler(depth);
        var preempted = new HashSet<int>();
        for (int seed = 0; seed < 200; seed++)
        {
            scheduler.Begin(Start(ChoiceStream.FromSeed((ulong)seed, 0)));
            int preemptions = 0;
            int current = scheduler.Next(All, -1);
            for (int step = 0; step < 100; step++)
            {
                int next = scheduler.Next(All, current);
                preemptions += next == current ? 0 : 1;
                current = next;
            }

            preempted.Add(preemptions);
        }

        Assert.Equal(depth - 1, preempted.Max());
    }

    [Fact]
    public void Pct_starts_with_any_processor()
    {
        var scheduler = new PctScheduler(3);
        var first = new HashSet<int>();
        for (ulong seed = 0; seed < 100; seed++)
        {
            scheduler.Begin(Start(ChoiceStream.FromSeed(seed, 0)));
            first.Add(scheduler.Next(All, -1));
        }

        Assert.Equal([0, 1, 2, 3], first.Order());
    }

    [Fact]
    public void Partial_order_sampling_gives_both_orders_of_a_race_the_same_chance_however_long_one_side_waits()
    {
        // Two processors, 20 steps each; only the last step of each races. Uniform choices rarely let one side wait long enough.
        int firstWins = 0;
        for (ulong seed = 0; seed < 400; seed++)
        {
            var race = new LastStepRace(20);
            var scheduler = new PosScheduler();
            scheduler.Begin(new ScheduleStart(new ScheduleChoices(ChoiceStream.FromSeed(seed, 0), 0), 2, 40, race));
            firstWins += race.Run(scheduler) == 0 ? 1 : 0;
        }

        Assert.InRange(firstWins, 140, 260);
    }

    [Fact]
    public void A_schedule_leaves_out_runs_of_calls_whose_turn_has_not_come()
    {
        int[] callOn = [0, 1];
        var scheduler = new FixedScheduler([new(1, 1), new(2, 5), new(0, 1)], call => call % 2, lp => callOn[lp]);
        scheduler.Begin(Start(ChoiceStream.FromValues([])));

        Assert.Equal([1, 0, 0], Enumerable.Range(0, 3).Select(i => scheduler.Next(0b11, i == 2 ? 0 : -1)));
    }

    private static ScheduleStart Start(ChoiceStream stream) => new(new ScheduleChoices(stream, 0), 4, 100, new LastStepRace(1));

    private sealed class LastStepRace(int steps) : IRaces
    {
        private readonly int[] _done = new int[2];

        public void Look(int agent)
        {
        }

        public bool AreRacing(int agent, int other) => _done[agent] == steps - 1 && _done[other] == steps - 1;

        /// <summary>Who makes its last step first.</summary>
        public int Run(Scheduler scheduler)
        {
            while (true)
            {
                int next = scheduler.Next((_done[0] < steps ? 1u : 0) | (_done[1] < steps ? 2u : 0), -1);
                if (++_done[next] == steps)
                    return next;
            }
        }
    }
}
