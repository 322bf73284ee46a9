using TdxVerify.Abi;
using TdxVerify.Hardware.Trace;
using TdxVerify.Model;
using TdxVerify.Properties.Choices;
using TdxVerify.Properties.Schedules;
using TdxVerify.Properties.Schedules.Laws;
using TdxVerify.Properties.Schedules.Schedulers;
using TdxVerify.Properties.Traces;
using TdxVerify.Tests.Hardware;
using TdxVerify.Tests.Traces;
using Xunit;

namespace TdxVerify.Tests.Schedules;

/// <summary>A schedule is data: followed again it gives the same states, answers and registers after every step.</summary>
public sealed class ScheduleReplayTests(Judging judging) : IClassFixture<Judging>
{
    private const int Seeds = 6;

    public static TheoryData<ScheduleStrategy> Strategies => [.. SchedulePlans.Strategies];

    [Theory]
    [MemberData(nameof(Strategies))]
    public void A_replay_is_bit_identical(ScheduleStrategy strategy)
    {
        ScheduleOptions options = Options(strategy);
        using ConcurrentRunner runner = Runner(options);
        using ConcurrentRunner other = Runner(options);
        var histories = new HashSet<UInt128>();
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            (ConcurrentPlan plan, ScheduleOutcome first) = Run(runner, options, seed);
            (_, ScheduleOutcome again) = Run(other, options, seed);
            ScheduleOutcome followed = runner.Run(plan, first.Schedule);

            Assert.True(first.Steps > 3 * plan.Calls.Count);
            Assert.All([again, followed], outcome => Assert.Equal((first.History, first.FinalState), (outcome.History, outcome.FinalState)));
            Assert.All([again, followed], outcome => Assert.Equal(first.Schedule, outcome.Schedule));
            histories.Add(first.History);
        }

        Assert.Equal(Seeds, histories.Count);
    }

    [Fact]
    public void One_call_after_the_other_answers_as_the_atomic_execution_does()
    {
        ScheduleOptions options = Options(ScheduleStrategy.Uniform);
        using ConcurrentRunner runner = Runner(options);
        int answers = 0;
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var generator = new PlanGenerator(options);
            ConcurrentPlan plan = generator.Generate(generator.Stream(seed));
            ScheduleOutcome outcome = runner.Run(plan, [.. plan.Calls.Select((_, i) => new ScheduleRun(i, int.MaxValue))]);
            using ModelPort<ArraysState> port = ModelPorts.Fast(plan.Platform);
            SetupPlayer.CarryOut(port, plan.Setup);
            foreach (CallEnding ending in outcome.Calls)
            {
                ConcurrentCall call = plan.Calls[ending.Call];
                if (call.Guest is { } guest)
                    port.GuestSubmit(guest.Hpa, guest.GuestOperation);
                if (call.Choice != ChoicePoint.None)
                    port.FailNext(call.Choice);
                RegisterFile registers = call.Registers;
                PortResult result = port.Seamcall(call.Lp, ref registers);
                port.ClearChoices();
                if (result != PortResult.Ok)
                    continue;
                Assert.Equal(registers, ending.Answer);
                answers++;
            }
        }

        Assert.True(answers > 5 * Seeds);
    }

    [Fact]
    public void A_saved_schedule_is_a_history_that_the_judge_explains_and_is_followed_again_to_the_same_end()
    {
        ScheduleOptions options = Options(ScheduleStrategy.Pct) with { Calls = 6 };
        using ConcurrentRunner runner = Runner(options);
        using var folder = new TemporaryFolder();
        int overlapping = 0;
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            (ConcurrentPlan plan, ScheduleOutcome outcome) = Run(runner, options, seed);
            string path = Path.Combine(folder.Path, $"{seed}.jsonl");
            ScheduleFile.Write(path, new FailingSchedule(plan, outcome));
            TraceFile trace = TraceFile.Load(path);
            (ConcurrentPlan read, IReadOnlyList<ScheduleRun> schedule) = ScheduleFile.Read(trace)!.Value;
            ScheduleOutcome followed = runner.Run(read, schedule);

            Assert.Equal(outcome.FinalState, followed.FinalState);
            Assert.Equal(outcome.Calls.Select(call => (call.Began, call.Ended, call.Answer)), followed.Calls.Select(call => (call.Began, call.Ended, call.Answer)));
            Assert.Equal(TraceOutcome.Accepted, judging.Judge(trace.Header, trace.Sequences[0].Events).Outcome);
            overlapping += outcome.ContextSwitches > 0 ? 1 : 0;
        }

        Assert.True(overlapping > 0);
    }

    [Theory]
    [InlineData("a24 b7 a3")]
    [InlineData("z1 aa2 ab3 zz4")]
    public void A_schedule_is_written_as_it_is_read(string text) => Assert.Equal(text, ScheduleRun.Text(ScheduleRun.Parse(text)!));

    [Theory]
    [InlineData("a")]
    [InlineData("24")]
    [InlineData("a1,b2")]
    [InlineData("a99999999999")]
    public void What_is_no_schedule_is_told(string text) => Assert.Null(ScheduleRun.Parse(text));

    private static ScheduleOptions Options(ScheduleStrategy strategy) => new() { Platform = new PlatformInfo(), Strategy = strategy };

    private static ConcurrentRunner Runner(ScheduleOptions options) => new(options.Platform, SchedulePlans.Leaves, InterleavingLaws.Select([]));

    private static (ConcurrentPlan Plan, ScheduleOutcome Outcome) Run(ConcurrentRunner runner, ScheduleOptions options, ulong seed)
    {
        var generator = new PlanGenerator(options);
        ChoiceStream stream = generator.Stream(seed);
        ConcurrentPlan plan = generator.Generate(stream);
        return (plan, runner.Run(plan, ScheduleCampaign.CreateScheduler(options), new ScheduleChoices(stream, 0), 200));
    }
}
